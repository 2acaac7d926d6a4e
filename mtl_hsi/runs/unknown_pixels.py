"""Which pixels of an image are unlike every class of a run, and their raster."""

import contextlib
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rasterio.io import DatasetWriter
from rasterio.windows import Window as RasterWindow

from mtl_hsi.classification import unlike
from mtl_hsi.errors import RequestError
from mtl_hsi.plurals import noun
from mtl_hsi.report import rasters
from mtl_hsi.report.map_classes import UNKNOWN_COLOUR, UNKNOWN_NAME, free_id
from mtl_hsi.report.rasters import Legend
from mtl_hsi.runs.unlike_record import UnlikeRecord
from mtl_hsi.scenes.scene import Georeference
from mtl_hsi.scenes.windows import Window
from mtl_hsi.settings.unknown_settings import MARK, UnknownSettings

_BANDS = (
  "distance to the nearest training pixel, in units of the distances within its class",
  "share of left-out labels with at least this distance",
)


class Unknown(NamedTuple):
  """Finds unknown pixels.

  Attributes:
    record: of the scene in training.
    components: the channels that the score reads.
    margin: width of the border of a region, for patches.
    rate: share of pixels of known classes that may be called unknown.
    class_id: that of unknown pixels in the map, or None if they keep their class.
  """

  record: UnlikeRecord
  components: slice
  margin: int
  rate: float
  class_id: int | None

  def measure(self, padded: np.ndarray, window: Window) -> np.ndarray:
    """Returns the score of pixels, and the share of left-out labels with at least this score.

    Args:
      padded: channels of a region with its margin.
      window: rows and columns of the region without its margin.

    Returns:
      float32 `[h, w, 2]`.
    """
    around = tuple(slice(part.start + self.margin - 1, part.stop + self.margin + 1) for part in window)
    score = unlike.score(self.record.known, unlike.average(padded[around], self.components))
    left_out = self.record.left_out
    share = 1 - np.searchsorted(left_out, score.ravel(), "left").reshape(score.shape) / len(left_out)
    return np.stack([score, share], axis=-1).astype(np.float32)

  def found(self, measured: np.ndarray) -> np.ndarray:
    """Returns which pixels are unknown, bool `[h, w]`, from `measure`."""
    return measured[..., 1] <= self.rate

  def sentence(self, pixels: int) -> str:
    """Returns a sentence with the number of unknown pixels."""
    expected = f"if all land cover were known, about {100 * self.rate:.3g}% would be"
    return f"Unlike every class: {pixels:,} {noun(pixels, 'pixel')} ({expected})"

  def legend(self, legend: Legend) -> Legend:
    """Returns the legend of a map with unknown pixels: in grey, if they are a class."""
    if self.class_id is None:
      return legend
    names = dict(sorted([*legend.names.items(), (self.class_id, UNKNOWN_NAME)]))
    return legend._replace(names=names, colours={**legend.colours, self.class_id: UNKNOWN_COLOUR})


def read_unknown(
  settings: UnknownSettings, record: UnlikeRecord, components: slice, margin: int, class_ids: Collection[int]
) -> Unknown:
  """Returns what finds unknown pixels of a scene.

  Args:
    settings: what to do with them.
    record: of the scene.
    components: the channels that the score reads.
    margin: width of the border of a region, for patches.
    class_ids: of the map.
  """
  class_id = free_id(class_ids) if settings.action == MARK else None
  return Unknown(record, components, margin, settings.rate, class_id)


def check_rate(settings: UnknownSettings, count: int, name: str) -> None:
  """Rejects a rate for which a scene has too few left-out labels.

  Raises:
    RequestError: fewer than one of them would be rejected.
  """
  if count * settings.rate < 1:
    raise RequestError(
      f"config key unknown is {settings.action!r} with unknown_rate={settings.rate:g}, but only {count} "
      f"left-out {noun(count, 'label')} of {name!r} {'is' if count == 1 else 'are'} known; expected a rate "
      f"of {1 / count:.3g} or more"
    )


def create_raster(
  path: Path, title: str, height: int, width: int, georeference: Georeference | None
) -> contextlib.AbstractContextManager[DatasetWriter]:
  """Opens a GeoTIFF of two bands, float32, for `write_raster`; NaN is nodata."""
  return rasters.create_values(path, title, _BANDS, height, width, georeference)


def write_raster(raster: DatasetWriter, ids: np.ndarray, measured: np.ndarray, window: RasterWindow) -> None:
  """Writes what `Unknown.measure` returns, NaN where `ids` is 0 (no measurement)."""
  values = np.where((ids == 0)[..., None], np.nan, measured).astype(np.float32)
  raster.write(values.transpose(2, 0, 1), window=window)
