"""Class maps of several runs as images of equal scale, small enough for one page."""

import dataclasses
import warnings
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from mtl_hsi.errors import RequestError
from mtl_hsi.report import colours, pictures

# Total number of pixels of the maps on a page.
_MOST_PIXELS = 12_000_000


@dataclasses.dataclass(frozen=True, eq=False)
class MapImage:
  """The map of one run.

  Attributes:
    shape: rows and columns of the map.
    ids: class ids of the pixels shown, 0 without a measurement, `[h, w]`.
    colours: colour of every class by its id.
  """

  shape: tuple[int, int]
  ids: np.ndarray
  colours: Mapping[int, colours.RGB]

  def png(self) -> bytes:
    """Returns the map in the colours of the classes."""
    table = np.full((int(self.ids.max(initial=0)) + 1, 3), colours.NO_DATA, np.uint8)
    for class_id, colour in self.colours.items():
      if class_id < len(table):
        table[class_id] = colour
    return pictures.encode_png(table[self.ids])

  def agreement(self, other: "MapImage") -> float | None:
    """Returns the share of the shown pixels that have the same class; None if the maps differ in size."""
    if self.shape != other.shape:
      return None
    mapped = (self.ids > 0) & (other.ids > 0)
    return float(np.mean(self.ids[mapped] == other.ids[mapped])) if mapped.any() else None


def read(path: Path, maps: int) -> MapImage:
  """Reads the raster of a class map, subsampled so that many maps fit on a page.

  Args:
    path: `prediction.tif` of a run.
    maps: number of maps on the page.

  Raises:
    RequestError: it cannot be read.
  """
  try:
    with warnings.catch_warnings():
      warnings.simplefilter("ignore", NotGeoreferencedWarning)
      with rasterio.open(path) as raster:
        shape = raster.height, raster.width
        stride = max(1, int(np.ceil((shape[0] * shape[1] * maps / _MOST_PIXELS) ** 0.5)))
        ids = raster.read(1, out_shape=tuple(-(-side // stride) for side in shape))
        return MapImage(shape, ids, _colours(raster, ids))
  except RasterioError as error:
    raise RequestError(f"cannot read {path}: {error}") from error


def _colours(raster, ids) -> dict[int, colours.RGB]:
  """Returns the colours in the file; rasters of more than 255 classes have none."""
  present = np.unique(ids[ids > 0]).tolist()
  try:
    table = raster.colormap(1)
  except ValueError:
    return {class_id: colours.class_colour(position) for position, class_id in enumerate(present)}
  return {class_id: table[class_id][:3] for class_id in present if class_id in table}
