"""The rows of the default recipe; their `what` begins with "default/"."""

import dataclasses
import functools
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from benchmarks import default_whole, same_job
from benchmarks import rows as make
from benchmarks.job import MANY, Work
from benchmarks.timing import Contender, interleave
from benchmarks.workers import Workers
from mtl_hsi.errors import RequestError

Found = tuple[list[Contender], list[dict]]

# Largest difference of smoothed probabilities that rounding explains.
_ROUNDING = 1e-4


def in_turns(workers: Workers, repeats: int) -> Iterator[tuple[list[str], Callable[[], Found]]]:
  """Yields the rows and the function of every job that the processes of the sides run in turn."""
  jobs = {
    "default_train": [Work("default_train", replicas=1), Work("default_train", replicas=MANY)],
    "default_classify": [Work("default_classify")],
    "default_classify_smoothed": [Work("default_classify_smoothed")],
    "default_smooth": [Work("default_smooth")],
  }
  for works in jobs.values():
    yield [work.what for work in works], functools.partial(_in_turns, workers, works, repeats)


def whole_processes(
  workers: Workers, sides: Sequence[str], repeats: int, runs: int
) -> Iterator[tuple[list[str], Callable[[], Found]]]:
  """Yields the rows and the function of measurements in new processes; those of the sides end first."""

  def part(measure, count):
    workers.stop()
    return [], measure(sides, count)

  starts = [f"default/start/{kind}" for kind in ("import", "cold", "warm")]
  yield starts, functools.partial(part, default_whole.starts, repeats)
  ends = ["default/end_to_end", "default/end_to_end/memory"]
  yield ends, functools.partial(part, default_whole.end_to_end, runs)


def _in_turns(workers: Workers, works: Sequence[Work], repeats: int) -> Found:
  workers.get("ours").ask("default_prepare")
  workers.forget()
  contenders = []
  for work in works:
    for who in workers.sides:
      contenders += workers.get(who, work.replicas if who == "ours" else 1).contenders(work)
  interleave(contenders, repeats, works[0].what)
  check_results(contenders)
  peaks = [row for work in works for row in _peaks(workers, work)]
  workers.forget()
  rivals = contenders + _one_after_another(contenders, works)
  return contenders, [*(row for work in works for row in make.comparison(rivals, work.what)), *peaks]


def check_results(contenders: Sequence[Contender]) -> None:
  """Checks that all sides gave every pixel the same class and the same smoothed probabilities.

  Raises:
    RequestError: they differ beyond rounding.
  """
  # Trained networks differ, because every side draws its own samples.
  for what in {one.what for one in contenders if not one.what.startswith("default/train/")}:
    ours, *others = (one for one in contenders if one.what == what)
    for other in others:
      expected, found = ours.result(), other.result()
      if what == "default/smooth":
        difference = float(np.max(np.abs(expected - found)))
        if not difference <= _ROUNDING:
          raise RequestError(f"{other.who}: probabilities differ from ours by up to {difference:.2g}")
      else:
        print(same_job.check_labels(expected[0], found, other.who), flush=True)


def _peaks(workers, work):
  """Returns the peak memory of the process of every side that runs a job."""
  for who in workers.sides:
    worker = workers.get(who, work.replicas if who == "ours" else 1)
    peak = worker.ask("peak")
    if peak is not None:
      yield make.row(f"{work.what}/memory", who, "peak of its process", [peak / 1e9], "GB")


def _one_after_another(contenders, works):
  """Returns PyTorch's times for many networks, from those for one network: each needs the same time."""

  one, *many = (work.what for work in works)
  return [
    dataclasses.replace(contender, what=what, variant=f"{contender.variant}, one after another")
    for what in many
    for contender in contenders
    if contender.what == one and contender.who == "pytorch"
  ]
