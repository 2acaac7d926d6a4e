"""The experiment of a campaign: starting it, and comparing its results with those of an undisturbed run."""

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
# Metrics that differ between equal runs.
_NOT_REPRODUCIBLE = ("seconds", "compilations")
# Locks and checkpoints that were not finished.
_INCOMPLETE = (".lock", "checkpoints/partial", "checkpoints/local/partial")


class Ending(NamedTuple):
  """How a start ended: exit status (if negative, the signal) and standard error."""

  status: int
  err: str

  @property
  def last_line(self) -> str:
    """The last line of standard error, or an empty string."""
    return (self.err.strip().splitlines() or [""])[-1]

  @property
  def refused(self) -> bool:
    """Whether it ended with status 2 and a one-line error."""
    return (
      self.status == 2
      and self.last_line.startswith("error: ")
      and self.err.count("error: ") == 1
      and "Traceback" not in self.err
    )


class Start:
  """A process that runs the experiment; it is killed at the end of the block."""

  def __init__(self, command: Sequence[str], environment: Mapping[str, str], largest_file: int | None):
    # The process would block on a pipe that nobody reads.
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
    """Waits for the end of the process."""
    status = self._process.wait()
    self._err.seek(0)
    return Ending(status, self._err.read().decode("utf-8", "replace"))

  def send_after(self, seconds: float, number: int) -> None:
    """Sends a signal after some time, unless the process ends before."""
    try:
      self._process.wait(seconds)
    except subprocess.TimeoutExpired:
      self.send(number)

  def send(self, number: int) -> None:
    self._process.send_signal(number)


class Experiment:
  """One experiment and its undisturbed run.

  Attributes:
    arguments: arguments of launch.py without the directories.
    directory: directory of the campaign.
    undisturbed: work directory of the undisturbed run.
    events: accesses to files by the undisturbed run: time in seconds, part (see `launcher.part_of`), path.
    seconds: duration of the undisturbed run.
  """

  def __init__(self, arguments: Sequence[str], directory: Path):
    """Makes the undisturbed run, unless the directory has it already.

    Raises:
      RequestError: the run fails, or the directory has the campaign of another experiment.
    """
    self.arguments, self.directory = list(arguments), directory.absolute()
    self.undisturbed = self.directory / "undisturbed"
    file = self.directory / "undisturbed.json"
    if not file.exists():
      self._run_undisturbed(file)
    known = json.loads(file.read_bytes())
    if known["arguments"] != self.arguments:
      raise RequestError(
        f"{directory} has the campaign of another experiment ({' '.join(known['arguments'])}); choose "
        "another --directory"
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
      orders: orders for `faults.launcher`; None starts launch.py itself.
      more: additional arguments.
      environment: additional environment variables.
      largest_file: limit on the size of files, in bytes.
    """
    program = ["launch.py"] if orders is None else ["-m", "faults.launcher", self._orders(run, orders)]
    cache = self.directory / "compile_cache"
    command = [*program, *self.arguments, *more, f"--workdir={run}", f"--compile_cache={cache}"]
    return Start(command, environment, largest_file)

  def run_to_end(self, run: Path, **options: Any) -> Ending:
    """Starts the experiment as `start` does, and waits for its end."""
    with self.start(run, **options) as started:
      return started.wait()

  def difference(self, run: Path) -> str | None:
    """Describes the first difference from the undisturbed run; None if there is none."""
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

  def _run_undisturbed(self, file):
    record = self.directory / "events.json"
    shutil.rmtree(self.undisturbed, ignore_errors=True)
    self.directory.mkdir(parents=True, exist_ok=True)
    # Only the first run compiles; the second has the duration of those in trials.
    for _ in range(2):
      shutil.rmtree(self.undisturbed, ignore_errors=True)
      start = time.monotonic()
      ending = self.run_to_end(self.undisturbed, orders={"record": str(record)})
      if ending.status != 0:
        raise RequestError(f"the experiment fails undisturbed, status {ending.status}: {ending.last_line}")
    known = {"arguments": self.arguments, "seconds": time.monotonic() - start}
    atomic_files.write_json(file, {**known, "events": json.loads(record.read_bytes())})
    record.unlink()


def digests(run: Path) -> dict[str, str]:
  """Returns the SHA-256 of all files of a work directory, except for locks and incomplete files."""
  files = {path.relative_to(run).as_posix(): path for path in sorted(run.rglob("*")) if path.is_file()}
  return {
    name: hashlib.sha256(path.read_bytes()).hexdigest()
    for name, path in files.items()
    if not (name.startswith(_INCOMPLETE) or name.endswith(".partial"))
  }


def _results(run):
  """Returns the names of the results that are equal byte for byte in equal runs."""
  files = [run / f"{name}.npz" for name in ("split", "predictions", "confidence", "mixtures", "left_out")]
  return {path.relative_to(run).as_posix() for path in (*files, *run.glob("maps/*/*")) if path.is_file()}


def _metrics(run):
  metrics = json.loads((run / "metrics.json").read_bytes())
  return {key: value for key, value in metrics.items() if key not in _NOT_REPRODUCIBLE}


def _limit(largest):
  """Returns a function that limits the size of files, to be called in the child process."""
  return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
