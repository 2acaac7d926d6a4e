"""Processes of the sides, controlled through pipes.

No library shares threads or memory with another. Our side has separate processes for one network and for ten,
each configured as by `launch.py`.
"""

import functools
import multiprocessing
from pathlib import Path

from benchmarks.job import Work
from benchmarks.timing import Contender
from mtl_hsi.errors import RequestError


class Worker:
  """The process of a side.

  Args:
    who: name of the side.
    arguments: arguments of its class in `benchmarks.sides`.
  """

  def __init__(self, who: str, *arguments):
    context = multiprocessing.get_context("spawn")
    self.who = who
    self._pipe, inner = context.Pipe()
    self._process = context.Process(target=_serve, args=(inner, who, arguments), daemon=True)
    self._process.start()
    inner.close()

  def ask(self, method: str, *arguments) -> object:
    """Calls a method of the side and returns its result.

    Raises:
      RequestError: the method failed.
    """
    self._pipe.send((method, arguments))
    try:
      answer, value = self._pipe.recv()
    except EOFError:
      raise RequestError(f"the process of {self.who} has ended, possibly for lack of memory") from None
    if answer == "error":
      raise RequestError(value)
    return value

  def contenders(self, work: Work) -> list[Contender]:
    """Returns this side's variants of a job, ready to be timed."""
    return [
      Contender(
        work.what,
        self.who,
        variant,
        run=functools.partial(self.ask, "call", index),
        result=functools.partial(self.ask, "result", index),
      )
      for index, variant in self.ask("open", work)
    ]

  def stop(self) -> None:
    """Ends the process."""
    self._pipe.close()
    self._process.join()


class Workers:
  """The processes of all sides, each started when it is first used.

  Args:
    directory: directory of the files of the jobs.
    sides: names of the sides.
    cores: number of cores that a process may use.

  Attributes:
    sides: names of the sides that have a process; scikit-learn only has whole runs.
    device: "cpu" or "gpu", as found by our side; for processes started later.
  """

  def __init__(self, directory: Path, sides: tuple[str, ...], cores: int):
    self.sides, self.device = tuple(who for who in sides if who != "scikit-learn"), "cpu"
    self._directory, self._cores = directory, cores
    self._running = {}

  def __enter__(self):
    return self

  def __exit__(self, *_):
    self.stop()

  def get(self, who: str, networks: int = 1) -> Worker:
    """Returns the process of a side; our side has one for every number of networks."""
    key = who, networks
    if key not in self._running:
      self._running[key] = Worker(who, self._directory, networks, self._cores, self.device)
    return self._running[key]

  def stop(self) -> None:
    """Ends all processes; they start again when they are used again."""
    while self._running:
      self._running.popitem()[1].stop()

  def forget(self) -> None:
    """Frees the memory of the last jobs."""
    for worker in self._running.values():
      worker.ask("close")


def _serve(pipe, who, arguments):
  side = None
  while True:
    try:
      method, values = pipe.recv()
    except EOFError:
      return
    try:
      if side is None:
        from benchmarks.sides import SIDES

        side = SIDES[who](*arguments)
      pipe.send(("value", getattr(side, method)(*values)))
    except ImportError as error:
      hint = "`make bench` installs it, and --who=ours runs without it"
      pipe.send(("error", f"{who}: {error}; {hint}"))
    # Any error must reach the main process.
    except Exception as error:
      pipe.send(("error", f"{who}: {type(error).__name__}: {error}"))
