"""Measures how often the 95% intervals of an assessment contain the truth.

  .venv/bin/python experiments/assessment_coverage.py

Makes a map of five classes, the rarest on 2% of the area, with errors of which some are scattered and some
form patches. Draws 1,000 samples by each design, labels them with the truth, and estimates accuracies and
areas. Writes results/assessment_coverage.json: for every design and measure the share of samples whose
interval contains the truth, and the same for the estimate ± 1.96 standard errors. Takes a minute.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

_ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(_ROOT))

from mtl_hsi.assessment import drawing, estimators, sizes  # noqa: E402
from mtl_hsi.assessment.class_map import ClassMap, open_class_map  # noqa: E402
from mtl_hsi.assessment.design import SIMPLE, STRATIFIED, SYSTEMATIC, Design, Stratum  # noqa: E402
from mtl_hsi.assessment.frame import Frame, count  # noqa: E402
from mtl_hsi.assessment.labelled import combine  # noqa: E402
from mtl_hsi.assessment.results import plus_minus  # noqa: E402
from mtl_hsi.assessment.sample_files import Answers  # noqa: E402
from mtl_hsi.report import rasters  # noqa: E402
from mtl_hsi.storage.atomic_files import write_json  # noqa: E402

SAMPLES = 1000
RESULT = _ROOT / "results" / "assessment_coverage.json"

_SIDE, _PATCH = 300, 5
_SHARES = (0.45, 0.30, 0.17, 0.06, 0.02)
_CLASSES = len(_SHARES)
_NONE = np.zeros(0, np.int64)


class Case(NamedTuple):
  """A design to measure, and whether the map that is assessed is another one than that of the sample."""

  design: str
  size: int
  new_map: bool = False


CASES = {
  "stratified": Case(STRATIFIED, sizes.size_for(0.015, [0.85] * _CLASSES, [_SIDE**2] * _CLASSES)),
  "stratified, later map": Case(STRATIFIED, 600, new_map=True),
  "simple": Case(SIMPLE, 1000),
  "systematic": Case(SYSTEMATIC, 1000),
}


def truth_and_map(seed: int) -> tuple[np.ndarray, np.ndarray]:
  """Returns the class on the ground and in the map of every pixel, 1 to 5, `[H, W]`."""
  generator = np.random.default_rng(seed)
  fields = generator.choice(_CLASSES, (_SIDE // _PATCH,) * 2, p=_SHARES) + 1
  truth = np.kron(fields, np.ones((_PATCH, _PATCH), int))
  scattered = generator.random(truth.shape) < 0.08
  patches = np.kron(generator.random(fields.shape) < 0.05, np.ones((_PATCH, _PATCH), int)) > 0
  # Errors are mostly confusions with the common classes.
  other = generator.choice(_CLASSES, truth.shape, p=_SHARES) + 1
  others = generator.choice(_CLASSES, fields.shape, p=_SHARES) + 1
  wrong = np.kron(others, np.ones((_PATCH, _PATCH), int))
  return truth, np.where(patches, wrong, np.where(scattered, other, truth))


def measure(case: Case, samples: int, directory: Path) -> dict[str, dict[str, float]]:
  """Returns the coverage of intervals, and of 1.96 standard errors, by measure."""
  truth, drawn_map = truth_and_map(1)
  assessed = _later(truth, drawn_map) if case.new_map else drawn_map
  known = dict(_known(truth, assessed))
  inside = {name: np.zeros(2) for name in known}
  path = directory / "map.tif"
  names = {class_id: f"class {class_id}" for class_id in range(1, _CLASSES + 1)}
  legend = rasters.Legend("map", names, dict.fromkeys(names, (0, 0, 0)))
  with rasters.create_class_map(path, legend, _SIDE, _SIDE, None) as raster:
    raster.write(drawn_map.astype(np.uint8), 1)
  with open_class_map(path) as class_map:
    for seed in range(samples):
      for name, found in _estimates(_sample(case, class_map, seed), truth, assessed):
        near = abs(found.value - known[name]) <= plus_minus(found)
        inside[name] += found.lower <= known[name] <= found.upper, near
  return {
    name: {"truth": known[name], "interval": hits[0] / samples, "plus_minus": hits[1] / samples}
    for name, hits in inside.items()
  }


def _later(truth: np.ndarray, drawn_map: np.ndarray) -> np.ndarray:
  """Returns a better map: half of the errors are corrected."""
  corrected = np.random.default_rng(2).random(truth.shape) < 0.5
  return np.where(corrected, truth, drawn_map)


def _sample(case: Case, class_map: ClassMap, seed: int) -> Design:
  frame = Frame(class_map, 1, None, case.design == STRATIFIED, _NONE, False)
  counted = count(frame)
  units = {stratum: group.units for stratum, group in counted.strata.items()}
  plan = dict(zip(units, sizes.allocate(case.size, list(units.values()), "floor", 50), strict=True))
  if case.design == SYSTEMATIC:
    drawn, _ = drawing.draw_systematic(frame, units[0], plan[0], seed)
  else:
    drawn = drawing.draw_random(frame, units, plan, seed)
  groups = (
    tuple(Stratum(i, str(i), *group, int((ids == i).sum())) for i, group in found.items())
    for found, ids in ((counted.strata, drawn.strata), (counted.classes, drawn.classes))
  )
  return Design("", "", class_map.shape, None, case.design, 1, seed, "pixels", *groups, {}, drawn)


def _estimates(
  design: Design, truth: np.ndarray, assessed: np.ndarray
) -> Iterator[tuple[str, estimators.Estimate]]:
  at = design.drawn.rows, design.drawn.columns
  number = len(at[0])
  answers = Answers(truth[at] - 1, np.zeros(number, bool), number)
  sample = combine(design, answers, assessed[at] - 1)
  found = estimators.estimate(sample.labels, sample.strata, _CLASSES)
  yield "overall accuracy", found.overall
  for kind, estimates in (("user's", found.users), ("producer's", found.producers), ("area", found.areas)):
    for class_id, estimate in enumerate(estimates, start=1):
      # Without a unit of the class nothing is claimed about it.
      yield f"{kind} {class_id}", estimate or estimators.Estimate(0.5, 1, 0, 1)


def _known(truth: np.ndarray, assessed: np.ndarray) -> Iterator[tuple[str, float]]:
  right = truth == assessed
  yield "overall accuracy", float(right.mean())
  for class_id in range(1, _CLASSES + 1):
    yield f"user's {class_id}", float(right[assessed == class_id].mean())
    yield f"producer's {class_id}", float(right[truth == class_id].mean())
    yield f"area {class_id}", float((truth == class_id).mean())


def main() -> None:
  formatter = argparse.RawDescriptionHelpFormatter
  argparse.ArgumentParser(description=__doc__, formatter_class=formatter).parse_args()
  with tempfile.TemporaryDirectory() as directory:
    cases = {name: measure(case, SAMPLES, Path(directory)) for name, case in CASES.items()}
  write_json(RESULT, {"samples": SAMPLES, "sizes": {n: c.size for n, c in CASES.items()}, "cases": cases})
  print(RESULT)


if __name__ == "__main__":
  main()
