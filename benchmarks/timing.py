"""Calls timed in turns, so that whatever else the machine does meets all of them alike."""

import dataclasses
import time
from collections.abc import Callable, Sequence

import numpy as np
from tqdm import tqdm


@dataclasses.dataclass
class Contender:
  """One way to do a job.

  Attributes:
    what: the job, such as "train/hresnet/replicas=10".
    who: "ours", "keras" or "pytorch".
    variant: which of several ways to do it.
    run: does the job; returns the seconds it took, per unit of the row.
    result: what the last call gave, where it can be had.
    first: seconds of the first call, compilation included.
    seconds: of every call that counts.
  """

  what: str
  who: str
  variant: str
  run: Callable[[], float]
  result: Callable[[], object] | None = None
  first: float = 0.0
  seconds: np.ndarray = dataclasses.field(default_factory=lambda: np.empty(0))


def interleave(contenders: Sequence[Contender], repeats: int, title: str) -> None:
  """Calls all contenders in turns; the first round is the warm-up and does not count."""
  rounds = [
    [own.run() for own in contenders]
    for _ in tqdm(range(1 + repeats), desc=title, unit="round", disable=not title)
  ]
  for own, seconds in zip(contenders, np.array(rounds).T, strict=True):
    own.first, own.seconds = float(seconds[0]), seconds[1:]


def clocked(run: Callable[[], object], units: int) -> Callable[[], float]:
  """The call as one that returns its seconds per unit."""

  def call():
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) / units

  return call
