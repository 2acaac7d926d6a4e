"""The results of an assessment, as values and as JSON."""

import dataclasses
from typing import Any

import numpy as np

from mtl_hsi.assessment.design import Design
from mtl_hsi.assessment.estimators import Estimate
from mtl_hsi.assessment.labelled import Labelled

# docs/schemas/estimates.json has the JSON Schema.
SCHEMA = 1

# Half of the 95% interval of a normal distribution, in standard errors.
_NORMAL = 1.96


@dataclasses.dataclass(frozen=True)
class ClassResult:
  """The estimates for one class.

  Attributes:
    id: id of the class.
    name: its name.
    mapped: its area by counting the map.
    users: user's accuracy, or None.
    producers: producer's accuracy, or None.
    share: share of the target area.
    area: that share as an area.
  """

  id: int
  name: str
  mapped: float
  users: Estimate | None
  producers: Estimate | None
  share: Estimate
  area: Estimate

  @property
  def bias(self) -> float:
    """By how much the counted area exceeds the estimated one."""
    return self.mapped - self.area.value


@dataclasses.dataclass(frozen=True, eq=False)
class Results:
  """All estimates for a map.

  Attributes:
    map_name: name of the file of the map.
    map_sha256: its checksum.
    is_new_map: whether it is another map than that of the design.
    design: design of the sample.
    sample: the sample with its strata.
    overall: overall accuracy.
    classes: results of every class that is in the map or in the sample, C of them.
    counts: error matrix in units of the sample, rows are the map's classes `[C, C]`.
    shares: the same in shares of the target area `[C, C]`.
    assumptions: what the estimates assume, in sentences.
  """

  map_name: str
  map_sha256: str
  is_new_map: bool
  design: Design
  sample: Labelled
  overall: Estimate
  classes: tuple[ClassResult, ...]
  counts: np.ndarray
  shares: np.ndarray
  assumptions: tuple[str, ...]


def area_of(share: Estimate, total: float) -> Estimate:
  """Returns a share of an area as an area."""
  return Estimate(*(total * value for value in share))


def plus_minus(estimate: Estimate) -> float:
  """Returns 1.96 standard errors."""
  return _NORMAL * estimate.standard_error


def as_json(results: Results) -> dict[str, Any]:
  """Returns the content of `<output>_estimates.json`."""
  return {
    "schema": SCHEMA,
    "map": {"file": results.map_name, "sha256": results.map_sha256, "is_new": results.is_new_map},
    "sampled_map_sha256": results.design.map_sha256,
    "design": results.design.design,
    "unit_side": results.design.unit_side,
    "area_unit": results.design.area_unit,
    "target_area": results.design.area,
    "left_out_pixels": dict(results.design.left_out),
    "overall_accuracy": _estimate(results.overall),
    "classes": [
      {
        "id": of_class.id,
        "name": of_class.name,
        "users_accuracy": _estimate(of_class.users),
        "producers_accuracy": _estimate(of_class.producers),
        "area_share": _estimate(of_class.share),
        "area": _estimate(of_class.area),
        "mapped_area": of_class.mapped,
        "bias": of_class.bias,
      }
      for of_class in results.classes
    ],
    "error_matrix": {"units": results.counts.tolist(), "shares": results.shares.tolist()},
    "strata": [
      {
        "id": response.stratum.id,
        "name": response.stratum.name,
        "units": response.stratum.units,
        "weight": response.stratum.area / results.design.area,
        "sample": response.stratum.sample,
        **{key: getattr(response, key) for key in ("labelled", "unsure", "missing", "not_reached")},
      }
      for response in results.sample.responses
    ],
    "assumptions": list(results.assumptions),
  }


def _estimate(estimate: Estimate | None) -> dict[str, float] | None:
  if estimate is None:
    return None
  return {
    "estimate": estimate.value,
    "standard_error": estimate.standard_error,
    "plus_minus": plus_minus(estimate),
    "lower": estimate.lower,
    "upper": estimate.upper,
  }
