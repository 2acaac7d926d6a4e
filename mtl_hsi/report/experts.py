"""The experts of a mixture: their names, and their figures as means over the replicas."""

import collections
import dataclasses
from collections.abc import Iterable, Mapping

_NAMES = {
  "network": "network (context)",
  "local": "network (small patches)",
  "regression": "regression on single spectra",
}


@dataclasses.dataclass(frozen=True)
class Expert:
  """One row of the table of experts; None where a figure is undefined in every replica.

  Attributes:
    name: what it is, in words.
    accuracy: on left-out labels, without smoothing, a fraction of 1.
    log_likelihood: mean log probability of the true class on left-out labels.
    weight: in the mixture, 0 to 1.
  """

  name: str
  accuracy: float | None
  log_likelihood: float | None
  weight: float


@dataclasses.dataclass(frozen=True)
class Experts:
  """The experts of a scene and what was chosen for their mixture.

  Attributes:
    rows: one expert each, in the order of the mixture.
    accuracy: of the smoothed mixture on left-out labels, or None.
    pixels: number of left-out pixels.
    mixture: name of the whole mixture.
    smoothing: the smoothing and its radius, in words.
    temperature: by which log probabilities are divided.
    replicas: number of replicas.
  """

  rows: list[Expert]
  accuracy: float | None
  pixels: int
  mixture: str
  smoothing: str
  temperature: float
  replicas: int


def summarise(mixture: Mapping) -> Experts:
  """Returns the means over the replicas of a `mixture` as in `metrics.json`."""
  replicas = mixture["replicas"]

  def of_members(key):
    return [_mean(values) for values in zip(*(replica[key] for replica in replicas), strict=True)]

  def overall(key):
    return _mean(replica[key] for replica in replicas)

  names = [_NAMES.get(name, name) for name in mixture["members"]]
  columns = [of_members(key) for key in ("accuracy", "log_likelihood", "weights")]
  return Experts(
    rows=[Expert(*values) for values in zip(names, *columns, strict=True)],
    accuracy=overall("left_out_accuracy"),
    pixels=round(overall("left_out_pixels")),
    mixture="mixture, smoothed" if any(r["smoothing_radius"] for r in replicas) else "mixture",
    smoothing=_smoothing(replicas),
    temperature=overall("temperature"),
    replicas=len(replicas),
  )


def _smoothing(replicas: list[Mapping]) -> str:
  """Returns the smoothing, with the number of replicas that chose it where they differ, commonest first."""
  chosen = collections.Counter(_reach(replica) for replica in replicas).most_common()
  if len(chosen) == 1:
    return chosen[0][0]
  return ", ".join(f"{text} in {count}" for text, count in chosen) + f" of {len(replicas)} replicas"


def _reach(replica: Mapping) -> str:
  radius = replica["smoothing_radius"]
  unit = "pixel" if radius == 1 else "pixels"
  return f"{replica['smoothing']} ({radius:g} {unit})" if radius else replica["smoothing"]


def _mean(values: Iterable[float | None]) -> float | None:
  """Returns the mean of the defined values, or None."""
  known = [value for value in values if value is not None]
  return sum(known) / len(known) if known else None
