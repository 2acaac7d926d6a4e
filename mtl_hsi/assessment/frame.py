"""The sampling frame: the units of a map, pixels or squares of pixels, each in a stratum."""

import dataclasses
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from mtl_hsi.assessment.class_map import ClassMap

# Strata that are no classes: units with training pixels, and the only stratum of designs without strata.
TRAINING = EVERYTHING = 0
OUTSIDE = -1

# Rows that are read at once; the blocks of a GeoTIFF have as many.
_ROWS = 256


class Strip(NamedTuple):
  """Some rows of units, u of them, from the left to the right border of the map, v units.

  Attributes:
    row: first row of units.
    strata: stratum of every unit, `OUTSIDE` if it is not in the target area, int32 `[u, v]`.
    classes: prevailing class of every unit in the map, 0 if it has none, int32 `[u, v]`.
    pixels: number of pixels with a class in every unit `[u, v]`.
    areas: area of these pixels, in hectares if they are known, otherwise in pixels `[u, v]`.
    trained: whether the unit has training pixels, bool `[u, v]`.
  """

  row: int
  strata: np.ndarray
  classes: np.ndarray
  pixels: np.ndarray
  areas: np.ndarray
  trained: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class Frame:
  """The units of a map.

  Attributes:
    map: the map.
    side: side of a unit in pixels. At the right and lower border units can be smaller.
    strata: a raster of strata on the grid of the map; None if the map's classes are the strata.
    stratified: False to put all units into the stratum `EVERYTHING`.
    training: positions (row * W + column) of pixels that trained, ascending `[t]`.
    keeps_training: whether units with such pixels are the stratum `TRAINING`; if not, they are outside.
  """

  map: ClassMap
  side: int
  strata: ClassMap | None
  stratified: bool
  training: np.ndarray
  keeps_training: bool

  def strips(self) -> Iterator[Strip]:
    """Yields all units from top to bottom.

    Raises:
      RequestError: a raster cannot be read.
    """
    height, width = self.map.shape
    areas = self.map.pixel_areas()
    columns = slice(0, width)
    step = -(-_ROWS // self.side) * self.side
    for top in range(0, height, step):
      rows = slice(top, min(top + step, height))
      ids = self.map.read(rows, columns)
      pixels = self._sums(ids > 0)
      sizes = pixels if areas is None else self._sums(np.where(ids > 0, areas.of_window(rows, columns), 0.0))
      classes = self._prevailing(ids)
      trained = self._sums(self._is_training(rows)) > 0
      strata = self._strata_of(ids, classes, trained, rows, columns)
      yield Strip(top // self.side, strata, classes, pixels, sizes, trained)

  def _strata_of(self, ids, classes, trained, rows, columns) -> np.ndarray:
    if not self.stratified:
      strata = np.full_like(classes, EVERYTHING)
    elif self.strata is None:
      strata = classes.copy()
    else:
      strata = self._prevailing(np.where(ids > 0, self.strata.read(rows, columns), 0))
      strata[strata == 0] = OUTSIDE
    strata[trained] = TRAINING if self.keeps_training else OUTSIDE
    strata[classes == 0] = OUTSIDE
    return strata

  def _is_training(self, rows: slice) -> np.ndarray:
    width = self.map.shape[1]
    first, last = np.searchsorted(self.training, [rows.start * width, rows.stop * width])
    mask = np.zeros((rows.stop - rows.start) * width, bool)
    mask[self.training[first:last] - rows.start * width] = True
    return mask.reshape(-1, width)

  def _sums(self, values: np.ndarray) -> np.ndarray:
    """Returns the sum over the pixels of every unit."""
    if self.side == 1:
      return values.astype(float) if values.dtype == bool else values
    starts = [np.arange(0, size, self.side) for size in values.shape]
    return np.add.reduceat(np.add.reduceat(values.astype(float), starts[0], axis=0), starts[1], axis=1)

  def _prevailing(self, ids: np.ndarray) -> np.ndarray:
    """Returns the most frequent id above 0 in every unit, the smallest of several, or 0."""
    if self.side == 1:
      return ids
    best = most = np.zeros(1, np.int32)
    for class_id in np.unique(ids[ids > 0]):
      count = self._sums(ids == class_id)
      best, most = np.where(count > most, class_id, best), np.maximum(count, most)
    shape = [-(-size // self.side) for size in ids.shape]
    return np.broadcast_to(best, shape).astype(np.int32)


class Group(NamedTuple):
  """Units of a frame together: their number, their pixels with a class, and the area of these."""

  units: int
  pixels: int
  area: float


@dataclasses.dataclass(frozen=True)
class Count:
  """The units of a frame counted.

  Attributes:
    strata: units of the target area by stratum.
    classes: units of the target area by prevailing class in the map.
    trained_pixels: pixels outside the target area because their unit trained.
    other_pixels: pixels outside the target area because their unit is in no stratum.
  """

  strata: dict[int, Group]
  classes: dict[int, Group]
  trained_pixels: int
  other_pixels: int


def count(frame: Frame) -> Count:
  """Counts the units of a frame."""
  strata, classes, left = {}, {}, np.zeros(2)
  for strip in frame.strips():
    target = strip.strata != OUTSIDE
    for found, ids in ((strata, strip.strata), (classes, strip.classes)):
      _add(found, ids[target], strip.pixels[target], strip.areas[target])
    left += [strip.pixels[~target & where].sum() for where in (strip.trained, ~strip.trained)]
  return Count(dict(sorted(strata.items())), dict(sorted(classes.items())), *(int(n) for n in left))


def _add(found, ids, pixels, areas) -> None:
  if not ids.size:
    return
  number = np.bincount(ids)
  pixels, areas = (np.bincount(ids, values) for values in (pixels, areas))
  for index in np.flatnonzero(number):
    old = found.get(int(index), Group(0, 0, 0.0))
    more = int(number[index]), int(pixels[index]), float(areas[index])
    found[int(index)] = Group(*(a + b for a, b in zip(old, more, strict=True)))
