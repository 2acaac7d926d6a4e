"""Reads configs/assess_draw.py and configs/assess_estimate.py: from keys to checked, typed values."""

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtl_hsi.errors import RequestError
from mtl_hsi.settings.config_checks import one_of, require

DESIGNS = ("stratified", "simple", "systematic")
ALLOCATIONS = ("floor", "proportional", "equal")
TRAINING = ("exclude", "stratum")

_LARGEST = 10_000_000


@dataclasses.dataclass(frozen=True)
class DrawSettings:
  """The settings of a sample.

  Attributes:
    map: class map.
    run: work directory of the run whose training pixels are not drawn, or None.
    scene: the scene of the run that the map shows, or None for the target.
    strata: raster of strata, or None for the classes of the map.
    design: one of `DESIGNS`.
    size: number of units, or None to derive it from `standard_error`.
    standard_error: wanted standard error of overall accuracy.
    accuracies: expected accuracy of strata by id; that of all others has the id None.
    allocation: one of `ALLOCATIONS`.
    floor: smallest sample of a stratum.
    unit_side: side of a unit in pixels.
    keeps_training: whether units that trained are a stratum; if not, they are left out.
    seed: seed of the draw.
    image: the image shown on a page to fill in the sample, or None for no page.
    image_key: name of its array, or None.
    image_bands: its bands shown as red, green and blue, or None.
    further_classes: names of classes that the page offers besides those of the map.
    output: prefix of the output files, or None.
  """

  map: Path
  run: Path | None
  scene: str | None
  strata: Path | None
  design: str
  size: int | None
  standard_error: float
  accuracies: Mapping[int | None, float]
  allocation: str
  floor: int
  unit_side: int
  keeps_training: bool
  seed: int
  image: Path | None
  image_key: str | None
  image_bands: tuple[int, int, int] | None
  further_classes: tuple[str, ...]
  output: str | None


@dataclasses.dataclass(frozen=True)
class EstimateSettings:
  """The settings of an estimate.

  Attributes:
    map: class map to assess.
    sample: the sample, filled in.
    design: its design, or None for the file beside the sample.
    new_map: whether the map is another one than that of the sample.
    further_classes: names of classes on the ground that the map lacks.
    output: prefix of the output files, or None.
  """

  map: Path
  sample: Path
  design: Path | None
  new_map: bool
  further_classes: tuple[str, ...]
  output: str | None


def read_draw(config: Any) -> DrawSettings:
  """Reads and checks a config of configs/assess_draw.py; opens nothing.

  Raises:
    RequestError: names the key, its value and what was expected.
  """
  if not config.map:
    raise RequestError("nothing to sample: give a class map, --config.map=<path>")
  design = one_of(DESIGNS, "design", config.design)
  stratified = design == DESIGNS[0]
  require(0 <= config.size <= _LARGEST, "size", config.size, f"0 to derive it, or up to {_LARGEST}")
  require(0 < config.standard_error < 0.5, "standard_error", config.standard_error, "more than 0, below 0.5")
  require(1 <= config.floor <= _LARGEST, "floor", config.floor, "1 or more")
  require(1 <= config.unit_side <= 1000, "unit_side", config.unit_side, "1 to 1000 pixels")
  require(0 <= config.seed < 2**32, "seed", config.seed, "0 or more, below 2^32")
  keeps_training = one_of(TRAINING, "training", config.training) == TRAINING[1]
  require(stratified or not config.strata, "strata", config.strata, "nothing, or design=stratified")
  require(stratified or not keeps_training, "training", config.training, "'exclude', or design=stratified")
  for key in ("image_key", "image_bands", "further_classes"):
    require(config.image or not config[key], key, config[key], "nothing, or an image for the page (image)")
  return DrawSettings(
    map=Path(config.map),
    run=Path(config.run) if config.run else None,
    scene=config.scene or None,
    strata=Path(config.strata) if config.strata else None,
    design=design,
    size=config.size or None,
    standard_error=config.standard_error,
    accuracies=_accuracies(config.expected_accuracy),
    allocation=one_of(ALLOCATIONS, "allocation", config.allocation),
    floor=config.floor,
    unit_side=config.unit_side,
    keeps_training=keeps_training,
    seed=config.seed,
    image=Path(config.image) if config.image else None,
    image_key=config.image_key or None,
    image_bands=_bands(config.image_bands),
    further_classes=_further_classes(config.further_classes),
    output=config.output or None,
  )


def read_estimate(config: Any) -> EstimateSettings:
  """Reads and checks a config of configs/assess_estimate.py; opens nothing.

  Raises:
    RequestError: names the key, its value and what was expected.
  """
  for key, what in (("map", "the class map"), ("sample", "the sample that was filled in")):
    if not config[key]:
      raise RequestError(f"nothing to estimate: give {what}, --config.{key}=<path>")
  return EstimateSettings(
    map=Path(config.map),
    sample=Path(config.sample),
    design=Path(config.design) if config.design else None,
    new_map=config.new_map,
    further_classes=_further_classes(config.further_classes),
    output=config.output or None,
  )


def _further_classes(text: str) -> tuple[str, ...]:
  names = tuple(name.strip() for name in text.split(",") if name.strip())
  fine = len({name.casefold() for name in names}) == len(names) and all(map(str.isprintable, names))
  require(fine, "further_classes", text, "different names, separated by commas")
  return names


def _bands(text: str) -> tuple[int, int, int] | None:
  """Reads "29,19,9"."""
  if not text:
    return None
  fine = re.fullmatch(r"\s*\d{1,6}\s*(,\s*\d{1,6}\s*){2}", text)
  require(fine, "image_bands", text, "three bands from 0 for red, green and blue, as in '29,19,9'")
  return tuple(map(int, text.split(",")))


def _accuracies(text: str) -> dict[int | None, float]:
  """Reads "0.8" or "0.8, 3:0.6", where 3 is a stratum."""
  found = {}
  for part in text.split(","):
    match = re.fullmatch(r"\s*(?:(\d{1,5})\s*:)?\s*(0?\.\d{1,9}|0|1(?:\.0*)?)\s*", part)
    if match:
      found[int(match[1]) if match[1] else None] = float(match[2])
  fine = len(found) == len(text.split(",")) and None in found
  expected = "a fraction of 1 and, for single strata, <id>:<fraction>, as in '0.8, 3:0.6'"
  require(fine, "expected_accuracy", text, expected)
  return found
