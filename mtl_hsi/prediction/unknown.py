"""Which pixels of an image are unlike every class of the run."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rasterio.io import DatasetWriter
from rasterio.windows import Window as RasterWindow

from mtl_hsi.classification import unlike
from mtl_hsi.errors import RequestError
from mtl_hsi.plurals import noun
from mtl_hsi.report import rasters
from mtl_hsi.report.rasters import Legend
from mtl_hsi.runs import unlike_record
from mtl_hsi.runs.trained_run import TrainedRun
from mtl_hsi.runs.trained_scene import TrainedScene
from mtl_hsi.runs.unlike_record import UnlikeRecord
from mtl_hsi.scenes.scene import Georeference
from mtl_hsi.scenes.windows import Window
from mtl_hsi.settings.prediction_settings import MARK, NONE, PredictionSettings

# The end of the raster of scores.
ENDING = "_unknown.tif"
_BANDS = (
  "distance to the nearest training pixel, in units of the distances within its class",
  "share of left-out labels with at least this distance",
)
_NAME, _GREY = "unknown", (120, 120, 120)
_LARGEST_ID = 2**16 - 1


class Unknown(NamedTuple):
  """Tells unknown pixels.

  Attributes:
    record: of the scene in training.
    components: the channels that the score reads.
    margin: of regions, for patches.
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
    """Returns how many pixels were found, in words."""
    rate = f"of known classes {100 * self.rate:.3g}% would be"
    return f"Unlike every class: {pixels:,} {noun(pixels, 'pixel')} ({rate})"

  def legend(self, legend: Legend) -> Legend:
    """Returns the legend of a map with unknown pixels: in grey, if they are a class."""
    if self.class_id is None:
      return legend
    names = dict(sorted([*legend.names.items(), (self.class_id, _NAME)]))
    return legend._replace(names=names, colours={**legend.colours, self.class_id: _GREY})


def prepare(
  settings: PredictionSettings, trained: TrainedRun, scene: TrainedScene, names: Mapping[int, str]
) -> Unknown | None:
  """Returns what tells unknown pixels, or None if the settings do not ask for it.

  Args:
    settings: of the prediction.
    trained: the run.
    scene: its scene.
    names: the classes of the map by id.

  Raises:
    RequestError: the run does not know, or has too few left-out labels for the rate.
  """
  if settings.unknown == NONE:
    return None
  components = unlike.components_of(scene.inputs)
  record = unlike_record.read(trained.directory, scene.name, components.stop - components.start)
  asked = f"config key unknown is {settings.unknown!r}"
  if record is None:
    raise RequestError(
      f"{asked}, but the run in {trained.directory} does not know how unlike its classes left-out labels of "
      f"{scene.name!r} are; expected a run of version 0.3.0 or later with folds and MNF components, as "
      "configs/own.py has"
    )
  count, rate = len(record.left_out), settings.unknown_rate
  if count * rate < 1:
    raise RequestError(
      f"{asked} with unknown_rate={rate:g}, but only {count} left-out labels of {scene.name!r} are known; "
      f"expected a rate of {1 / count:.3g} or more"
    )
  class_id = _free_id(names) if settings.unknown == MARK else None
  return Unknown(record, components, trained.network.patch // 2, rate, class_id)


def _free_id(names):
  largest = max(names)
  return largest + 1 if largest < _LARGEST_ID else next(i for i in range(1, largest) if i not in names)


def create_raster(
  path: Path, title: str, height: int, width: int, georeference: Georeference | None
) -> contextlib.AbstractContextManager[DatasetWriter]:
  """Opens a GeoTIFF of two bands, float32, for `write_raster`; NaN is nodata."""
  return rasters.create_values(path, title, _BANDS, height, width, georeference)


def write_raster(raster: DatasetWriter, ids: np.ndarray, measured: np.ndarray, window: RasterWindow) -> None:
  """Writes what `Unknown.measure` returns, NaN where `ids` is 0 (no measurement)."""
  values = np.where((ids == 0)[..., None], np.nan, measured).astype(np.float32)
  raster.write(values.transpose(2, 0, 1), window=window)
