"""Times calls in turns, so that other load on the machine affects all of them equally."""

import dataclasses
import time
from collections.abc import Callable, Sequence

import numpy as np
from tqdm import tqdm


@dataclasses.dataclass
class Contender:
  """One way to do a job.

  Attributes:
    what: name of the job, such as "train/hresnet/replicas=10".
    who: "ours", "keras" or "pytorch".
    variant: name of the variant.
    run: does the job; returns the seconds per unit of the row.
    result: returns the result of the last call; None if there is none.
    first: seconds of the first call, including compilation.
    seconds: seconds of every later call.
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
    [contender.run() for contender in contenders]
    for _ in tqdm(range(1 + repeats), desc=title, unit="round", disable=not title)
  ]
  for contender, seconds in zip(contenders, np.array(rounds).T, strict=True):
    contender.first, contender.seconds = float(seconds[0]), seconds[1:]


def clocked(run: Callable[[], object], units: int) -> Callable[[], float]:
  """Returns a function that does the call and returns its seconds per unit."""

  def call():
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) / units

  return call
