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
    who: "ours", "pytorch" or "machine".
    variant: which of several ways to do it.
    networks: how many networks one call serves.
    run: does the job and returns when it is done.
    first: seconds per network of the first call, compilation included.
    seconds: per network, of every call that counts.
  """

  what: str
  who: str
  variant: str
  networks: int
  run: Callable[[], object]
  first: float = 0.0
  seconds: np.ndarray = dataclasses.field(default_factory=lambda: np.empty(0))


def interleave(contenders: Sequence[Contender], repeats: int) -> None:
  """Calls all contenders in turns; the first round is the warm-up and does not count."""
  rounds = [
    [_seconds(own.run) / own.networks for own in contenders]
    for _ in tqdm(range(1 + repeats), desc=f"{contenders[0].what} and others", unit="round")
  ]
  for own, seconds in zip(contenders, np.array(rounds).T, strict=True):
    own.first, own.seconds = float(seconds[0]), seconds[1:]


def best(contenders: Sequence[Contender], who: str) -> Contender:
  """The fastest variant by its median."""
  return min((own for own in contenders if own.who == who), key=lambda own: np.median(own.seconds))


def row(what: str, who: str, variant: str, values: np.ndarray, unit: str) -> dict:
  """A measured quantity, summed up over the repeats."""
  return {
    "what": what,
    "who": who,
    "variant": variant,
    "median": float(np.median(values)),
    "min": float(np.min(values)),
    "max": float(np.max(values)),
    "unit": unit,
    "repeats": len(values),
  }


def _seconds(run):
  start = time.perf_counter()
  run()
  return time.perf_counter() - start
