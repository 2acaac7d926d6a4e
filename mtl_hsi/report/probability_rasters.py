"""The probability of every class as a cloud-optimised GeoTIFF, and how it is spread: entropy and margin."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rasterio.io import DatasetWriter
from rasterio.windows import Window

from mtl_hsi.evaluation.probabilities import FLOAT16, SCALE, UINT8, entropy, margin, rounded
from mtl_hsi.plurals import noun
from mtl_hsi.report import rasters
from mtl_hsi.scenes import windows
from mtl_hsi.scenes.scene import Georeference

_NODATA = 255
_PROFILES = {
  UINT8: {"dtype": "uint8", "nodata": _NODATA},
  # Half precision in the file, float32 for those who read it.
  FLOAT16: {"dtype": "float32", "nbits": 16, "nodata": np.nan},
}
_UNCERTAINTY_BANDS = (
  "entropy, from 0 (one class) to 1 (all classes equally probable)",
  "margin: largest probability minus the second largest",
)
# Rows that are rounded at once.
_ROWS = 256


class Classes(NamedTuple):
  """Which probabilities to write, and how.

  Attributes:
    kind: `UINT8` or `FLOAT16`.
    names: name of every class by its id, ascending; each is a band.
    class_ids: class id of every output of the network, int `[outputs]`.
  """

  kind: str
  names: Mapping[int, str]
  class_ids: np.ndarray


def outvoted_note(pixels: int) -> str:
  """Returns what users should know of pixels in which the class of the map is not the most probable one."""
  return (
    f"in {pixels:,} {noun(pixels, 'pixel')}, the class of the map is not the most probable one: without "
    "folds, the map has the class of most networks"
  )


class ProbabilityRasters:
  """Open rasters of probabilities; made by `create`.

  Attributes:
    outvoted: number of pixels written so far in which the class of the map is not the most probable one.
  """

  def __init__(self, classes: Classes, probabilities: DatasetWriter, uncertainty: DatasetWriter):
    ids = np.array(list(classes.names))
    order = np.argsort(classes.class_ids)
    self._ids, self._outputs = ids, order[np.searchsorted(classes.class_ids, ids, sorter=order)]
    self._kind, self._probabilities, self._uncertainty = classes.kind, probabilities, uncertainty
    self.outvoted = 0

  def write(
    self,
    window: windows.Window,
    ids: np.ndarray,
    probabilities: np.ndarray,
    new: np.ndarray | None = None,
  ) -> None:
    """Writes one window.

    Args:
      window: rows and columns.
      ids: class ids of the map `[h, w]`, 0 = not measured.
      probabilities: of every output of the network, float32 `[h, w, C]`.
      new: where no earlier window was, bool `[h, w]`; None if windows do not overlap.
    """
    rows, columns = window
    for start in range(0, len(ids), _ROWS):
      strip = slice(start, start + _ROWS)
      measured, mapped = ids[strip] > 0, np.searchsorted(self._ids, ids[strip])
      p = probabilities[strip][measured][:, self._outputs].astype(np.float64)
      p /= p.sum(axis=-1, keepdims=True)
      mapped = mapped[measured]
      outvoted = p[np.arange(len(p)), mapped] < p.max(axis=-1)
      self.outvoted += int((outvoted if new is None else outvoted & new[strip][measured]).sum())
      top = rows.start + start
      place = Window.from_slices(slice(top, top + len(measured)), columns)
      self._write(self._probabilities, place, measured, rounded(p, mapped, self._kind))
      self._write(self._uncertainty, place, measured, np.stack([entropy(p), margin(p)], axis=-1))

  def _write(self, raster, place, measured, values):
    bands = np.full((raster.count, *measured.shape), raster.nodata, raster.dtypes[0])
    bands[:, measured] = values.T
    raster.write(bands, window=place)


@contextlib.contextmanager
def create(
  paths: tuple[Path, Path],
  classes: Classes,
  title: str,
  size: tuple[int, int],
  georeference: Georeference | None,
  **profile,
) -> Iterator[ProbabilityRasters]:
  """Opens the rasters of probabilities, and of entropy and margin, for writing; see `cloud_optimised`.

  Args:
    paths: of the two files.
    classes: of the map.
    title: what the rasters show.
    size: rows and columns `(H, W)`.
    georeference: of the map, or None.
    **profile: of both rasters while they are filled, as for `rasterio.open`.
  """
  shared = {"height": size[0], "width": size[1], "georeference": georeference, **profile}
  bands = tuple(classes.names.values())
  with (
    rasters.create_values(paths[0], title, bands, **shared, **_PROFILES[classes.kind]) as probabilities,
    rasters.create_values(paths[1], title, _UNCERTAINTY_BANDS, **shared) as uncertainty,
  ):
    if classes.kind == UINT8:
      probabilities.scales, probabilities.offsets = (1 / SCALE,) * len(bands), (0.0,) * len(bands)
    for band, class_id in enumerate(classes.names, start=1):
      probabilities.update_tags(band, CLASS_ID=class_id)
    yield ProbabilityRasters(classes, probabilities, uncertainty)
