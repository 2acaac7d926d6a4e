"""The experiment that faults are inflicted on: its starts, and what it leaves when nobody disturbs it."""

import hashlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mtl_hsi.errors import RequestError
from mtl_hsi.storage import atomic_files, checksums

ROOT = Path(__file__).resolve().parent.parent
# What differs between runs that are the same.
_OWN = ("seconds", "compilations")


class Ending(NamedTuple):
  """How a start ended: its status (negative: the signal) and standard error."""

  status: int
  err: str

  @property
  def last_line(self) -> str:
    return (self.err.strip().splitlines() or [""])[-1]

  @property
  def refused(self) -> bool:
    """Whether it said in one line what was wrong, and that as the last thing."""
    return (
      self.status == 2
      and self.last_line.startswith("error: ")
      and self.err.count("error: ") == 1
      and "Traceback" not in self.err
    )


class Start:
  """A process that does the experiment; it is killed with the block, if it still runs."""

  def __init__(self, command: Sequence[str], environment: Mapping[str, str], largest_file: int | None):
    # A pipe that nobody empties would hold the process up.
    self._err = tempfile.TemporaryFile()  # noqa: SIM115
    self._process = subprocess.Popen(
      [sys.executable, *command],
      **{"cwd": ROOT, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": self._err},
      env={**os.environ, **environment},
      preexec_fn=None if largest_file is None else _limit(largest_file),
    )

  def __enter__(self) -> "Start":
    return self

  def __exit__(self, *_) -> None:
    self._process.kill()
    self._process.wait()
    self._err.close()

  def wait(self) -> Ending:
    status = self._process.wait()
    self._err.seek(0)
    return Ending(status, self._err.read().decode("utf-8", "replace"))

  def send_after(self, seconds: float, number: int) -> None:
    """Sends a signal after some time, or none where the process ends before."""
    try:
      self._process.wait(seconds)
    except subprocess.TimeoutExpired:
      self.send(number)

  def send(self, number: int) -> None:
    self._process.send_signal(number)


class Experiment:
  """One experiment and what it leaves when nobody disturbs it.

  Attributes:
    arguments: of launch.py, but for the directories.
    directory: of the campaign.
    undisturbed: work directory of the run that nobody disturbed.
    events: files that run touched: seconds from its start, part (see `launcher.part_of`), path.
    seconds: that it took.
  """

  def __init__(self, arguments: Sequence[str], directory: Path):
    """Does the run that nobody disturbs, unless it is there already.

    Raises:
      RequestError: it fails, or the directory has the campaign of another experiment.
    """
    self.arguments, self.directory = list(arguments), directory.absolute()
    self.undisturbed = self.directory / "undisturbed"
    file = self.directory / "undisturbed.json"
    if not file.exists():
      self._do_undisturbed(file)
    known = json.loads(file.read_bytes())
    if known["arguments"] != self.arguments:
      raise RequestError(
        f"{directory} has the campaign of another experiment ({' '.join(known['arguments'])}); name another "
        "--directory"
      )
    self.events, self.seconds = known["events"], known["seconds"]

  def start(
    self,
    run: Path,
    *,
    orders: Mapping[str, Any] | None = None,
    more: Sequence[str] = (),
    environment: Mapping[str, str] = {},
    largest_file: int | None = None,
  ) -> Start:
    """Starts the experiment in a work directory.

    Args:
      run: the work directory.
      orders: for `faults.launcher`, or None to start launch.py itself.
      more: further arguments.
      environment: further variables.
      largest_file: bytes that no file may exceed.
    """
    program = ["launch.py"] if orders is None else ["-m", "faults.launcher", self._orders(run, orders)]
    cache = self.directory / "compile_cache"
    command = [*program, *self.arguments, *more, f"--workdir={run}", f"--compile_cache={cache}"]
    return Start(command, environment, largest_file)

  def go(self, run: Path, **options: Any) -> Ending:
    """Starts the experiment as `start` does, and waits for its end."""
    with self.start(run, **options) as started:
      return started.wait()

  def difference(self, run: Path) -> str | None:
    """What is not as in the undisturbed run; None where all is."""
    for name in sorted(_results(self.undisturbed) | _results(run)):
      one, other = self.undisturbed / name, run / name
      if not (one.is_file() and other.is_file() and one.read_bytes() == other.read_bytes()):
        return f"{name} differs"
    if _metrics(run) != _metrics(self.undisturbed):
      return "metrics.json differs"
    try:
      checksums.verify(run)
    except RequestError as error:
      return str(error)
    return None

  def _orders(self, run, orders):
    return json.dumps({"watched": str(run), **orders})

  def _do_undisturbed(self, file):
    record = self.directory / "events.json"
    shutil.rmtree(self.undisturbed, ignore_errors=True)
    self.directory.mkdir(parents=True, exist_ok=True)
    # The first run compiles, which the others do not.
    for _ in range(2):
      shutil.rmtree(self.undisturbed, ignore_errors=True)
      start = time.monotonic()
      ending = self.go(self.undisturbed, orders={"record": str(record)})
      if ending.status != 0:
        raise RequestError(f"the experiment fails undisturbed, status {ending.status}: {ending.last_line}")
    known = {"arguments": self.arguments, "seconds": time.monotonic() - start}
    atomic_files.write_json(file, {**known, "events": json.loads(record.read_bytes())})
    record.unlink()


def digests(run: Path) -> dict[str, str]:
  """SHA-256 of every file of a work directory, but for what a killed process has left half done."""
  files = {path.relative_to(run).as_posix(): path for path in sorted(run.rglob("*")) if path.is_file()}
  return {
    name: hashlib.sha256(path.read_bytes()).hexdigest()
    for name, path in files.items()
    if not (name.startswith((".lock", "checkpoints/partial")) or name.endswith(".partial"))
  }


def _results(run):
  """Results that are equal byte for byte in equal runs."""
  files = [run / f"{name}.npz" for name in ("split", "predictions", "confidence")]
  return {path.relative_to(run).as_posix() for path in (*files, *run.glob("maps/*/*")) if path.is_file()}


def _metrics(run):
  metrics = json.loads((run / "metrics.json").read_bytes())
  return {key: value for key, value in metrics.items() if key not in _OWN}


def _limit(largest):
  """What a child does between its start and its program."""
  return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
