"""The design of a sample, as it is kept beside the sample in `<output>_design.json`."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mtl_hsi.assessment.class_map import ClassMap, same_grid
from mtl_hsi.assessment.drawing import Drawn
from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.scene import Georeference
from mtl_hsi.settings.assessment_settings import DESIGNS
from mtl_hsi.storage.json_files import read_json, well_formed

# docs/schemas/design.json has the JSON Schema.
SCHEMA = 1
ENDING = "_design.json"
STRATIFIED, SIMPLE, SYSTEMATIC = DESIGNS
HECTARES, PIXELS = "hectares", "pixels"


@dataclasses.dataclass(frozen=True)
class Stratum:
  """Units among which a part of the sample was drawn; also the units of one class of the map.

  Attributes:
    id: id of the class, or 0 for the stratum of training pixels and the one of designs without strata.
    name: its name.
    units: number of units.
    pixels: their pixels with a class.
    area: their area, in the unit of the design.
    sample: number of units that were drawn.
  """

  id: int
  name: str
  units: int
  pixels: int
  area: float
  sample: int


@dataclasses.dataclass(frozen=True, eq=False)
class Design:
  """How a sample was drawn, with every unit of it.

  Attributes:
    map_sha256: checksum of the map.
    map_name: name of its file.
    shape: rows and columns of the map.
    georeference: of the map, or None.
    design: one of `DESIGNS`.
    unit_side: side of a unit in pixels.
    seed: seed of the draw.
    area_unit: `HECTARES` or `PIXELS`.
    strata: the strata, of which all weights and inclusion probabilities follow.
    classes: the units of the target area by their class in the map.
    left_out: pixels with a class that are not in the target area, by the reason.
    drawn: the units, in the order in which to label them.
  """

  map_sha256: str
  map_name: str
  shape: tuple[int, int]
  georeference: Georeference | None
  design: str
  unit_side: int
  seed: int
  area_unit: str
  strata: tuple[Stratum, ...]
  classes: tuple[Stratum, ...]
  left_out: Mapping[str, int]
  drawn: Drawn

  @property
  def area(self) -> float:
    """Size of the target area."""
    return sum(stratum.area for stratum in self.strata)

  def as_json(self) -> dict[str, Any]:
    """Returns the content of the file."""
    place = self.georeference
    return {
      "schema": SCHEMA,
      "map": {
        "file": self.map_name,
        "sha256": self.map_sha256,
        "shape": list(self.shape),
        "crs": place and place.crs,
        "transform": place and list(place.transform),
      },
      "design": self.design,
      "unit_side": self.unit_side,
      "seed": self.seed,
      "area_unit": self.area_unit,
      "target_area": self.area,
      "left_out_pixels": dict(self.left_out),
      "strata": [
        {
          **dataclasses.asdict(stratum),
          "weight": stratum.area / self.area,
          "inclusion_probability": stratum.sample / stratum.units,
        }
        for stratum in self.strata
      ],
      "classes": [dataclasses.asdict(of_class) for of_class in self.classes],
      "unit_columns": ["id", "row", "column", "stratum", "class", "area"],
      "units": [
        [number, *row]
        for number, row in enumerate(zip(*(c.tolist() for c in self.drawn), strict=True), start=1)
      ],
    }

  def check_map(self, class_map: ClassMap, sha256: str, *, is_new: bool) -> None:
    """Checks that the sample was drawn from a map or, for a new one, on its grid.

    Raises:
      RequestError: neither is the case.
    """
    where = class_map.path.absolute()
    if is_new and not same_grid(class_map, self.shape, self.georeference):
      raise RequestError(
        f"{where} has another grid than the map of the sample ({self.map_name}, {self.shape[0]} x "
        f"{self.shape[1]} pixels); a new map must have the same size, transform and coordinate reference "
        "system"
      )
    if not is_new and sha256 != self.map_sha256:
      raise RequestError(
        f"{where} is not the map from which the sample was drawn ({self.map_name}, SHA-256 "
        f"{self.map_sha256[:12]}...); give that map or, for a later map on the same grid, add "
        "--config.new_map=True"
      )


def read_design(path: Path) -> Design:
  """Reads a design.

  Raises:
    RequestError: the file is missing, damaged or of another version.
  """
  try:
    record = read_json(path, schema=SCHEMA)
  except (FileNotFoundError, NotADirectoryError) as error:
    raise RequestError(
      f"no design {path.absolute()}; give the file *{ENDING} that configs/assess_draw.py wrote with the "
      "sample, --config.design=<path>"
    ) from error
  with well_formed(path):
    design = _parse(record)
    _check(design)
    return design


def _parse(record: Mapping[str, Any]) -> Design:
  of_map = record["map"]
  place = None
  if of_map["crs"] is not None:
    place = Georeference(str(of_map["crs"]), tuple(float(number) for number in of_map["transform"]))
  table = np.array(record["units"], float)
  if table.ndim != 2 or table.shape[1] != 6 or (table[:, 0] != np.arange(1, len(table) + 1)).any():
    raise ValueError("units are not rows of id, row, column, stratum, class and area")
  rows, columns, strata, classes = table[:, 1:5].astype(np.int64).T
  height, width = (int(number) for number in of_map["shape"])
  return Design(
    map_sha256=str(of_map["sha256"]),
    map_name=str(of_map["file"]),
    shape=(height, width),
    georeference=place,
    design=record["design"],
    unit_side=int(record["unit_side"]),
    seed=int(record["seed"]),
    area_unit=record["area_unit"],
    strata=_strata(record["strata"]),
    classes=_strata(record["classes"]),
    left_out={str(key): int(number) for key, number in record["left_out_pixels"].items()},
    drawn=Drawn(rows, columns, strata, classes, table[:, 5]),
  )


def _strata(entries) -> tuple[Stratum, ...]:
  kinds = {field.name: field.type for field in dataclasses.fields(Stratum)}
  return tuple(Stratum(**{key: kind(entry[key]) for key, kind in kinds.items()}) for entry in entries)


def _check(design: Design) -> None:
  """Raises a ValueError for a design that was not written by `as_json`."""

  def require(condition, problem):
    if not condition:
      raise ValueError(problem)

  drawn, (height, width) = design.drawn, design.shape
  require(design.design in DESIGNS and design.area_unit in (HECTARES, PIXELS), "unknown design or unit")
  require(design.unit_side >= 1, "unit_side is less than 1")
  inside = (drawn.rows >= 0) & (drawn.rows < height) & (drawn.columns >= 0) & (drawn.columns < width)
  require(inside.all() and len(inside), "units are outside the map")
  require(np.isfinite(drawn.areas).all() and (drawn.areas > 0).all(), "areas of units are not positive")
  for groups, ids in ((design.strata, drawn.strata), (design.classes, drawn.classes)):
    known = {group.id: group for group in groups}
    require(len(known) == len(groups) and set(ids.tolist()) <= known.keys(), "units are in unknown strata")
    for group in groups:
      require(group.name.isprintable(), "a name is not printable")
      require(group.units >= 1 and 0 < group.area < np.inf, "a stratum is empty")
      require(int((ids == group.id).sum()) == group.sample <= group.units, "sizes do not match the units")
