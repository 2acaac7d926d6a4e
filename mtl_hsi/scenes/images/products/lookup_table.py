"""The lookup table of EMIT: the pixel of the sensor's image for every pixel of the map."""

from collections.abc import Callable, Iterator

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.products.hdf5_files import Hdf5File

_NAMES = "location/glt_x", "location/glt_y"
# A part of the map is divided if more pixels of the sensor's image are read for it, or if it shows less than
# this share of them; but parts for which few pixels are read are not divided.
_MOST_PIXELS = 192 * 192
_LEAST_SHOWN = 0.25
_FEW_PIXELS = 64 * 64
# No image has more rows or columns; bounds what a damaged table contains.
_LARGEST = 2**31 - 1


class LookupTable:
  """A lookup table, read window by window.

  Its values are the column (glt_x) and the row (glt_y) in the sensor's image, from 1. Where they are 0, the
  map shows nothing of it; negative ones are interpolated.

  Attributes:
    shape: rows and columns of the map.
  """

  def __init__(self, file: Hdf5File, sensor_shape: tuple[int, int]):
    """Opens the table of a file.

    Args:
      file: the file.
      sensor_shape: rows and columns of the sensor's image.

    Raises:
      RequestError: it is incomplete.
    """
    self._file, self._sensor_shape = file, sensor_shape
    self._x, self._y = (file.array(name, 2) for name in _NAMES)
    self._fills = [file.number(name, "_FillValue") for name in _NAMES]
    if self._x.shape != self._y.shape:
      raise RequestError(f"{file.where}: glt_x and glt_y differ in size; download it again")
    self.shape = self._x.shape

  def read(
    self, rows: slice, columns: slice, read: Callable[[slice, slice], np.ndarray], fill: float
  ) -> np.ndarray:
    """Reads a window of the map, `[h, w, b]`.

    Args:
      rows: rows of the map.
      columns: columns of the map.
      read: reads a window of the sensor's image, `[h, w, b]`.
      fill: value where the map shows nothing of it.

    Raises:
      RequestError: the table refers to a pixel that the image does not have.
    """
    x, y = self._indices(rows, columns)
    inside = (x >= 0) & (y >= 0)
    empty = read(slice(0, 0), slice(0, 0))
    out = np.full((*inside.shape, empty.shape[2]), fill, empty.dtype)
    for part in _parts(x, y, inside):
      shown = inside[part]
      source_rows, source_columns = y[part][shown], x[part][shown]
      top, left = source_rows.min(), source_columns.min()
      box = read(slice(top, source_rows.max() + 1), slice(left, source_columns.max() + 1))
      out[part][shown] = box[source_rows - top, source_columns - left]
    return out

  def _indices(self, rows: slice, columns: slice) -> tuple[np.ndarray, np.ndarray]:
    """Returns column and row in the sensor's image, from 0, int64 `[h, w]`; -1 where there is none."""
    found = []
    for array, fill in zip((self._x, self._y), self._fills, strict=True):
      stored = self._file.read(array, "rc", rows, columns)
      none = ~np.isfinite(stored) if stored.dtype.kind == "f" else np.zeros(stored.shape, bool)
      none |= stored == (0 if fill is None else fill)
      found.append(np.abs(np.clip(np.where(none, 0, stored), -_LARGEST, _LARGEST).astype(np.int64)) - 1)
    x, y = found
    none = (x < 0) | (y < 0)
    height, width = self._sensor_shape
    if (x >= width).any() or (y >= height).any():
      raise RequestError(
        f"{self._file.where}: the lookup table refers to pixels outside of the {height} x {width} pixels of "
        "the image; download it again"
      )
    return np.where(none, -1, x), np.where(none, -1, y)


def _parts(x: np.ndarray, y: np.ndarray, inside: np.ndarray) -> Iterator[tuple[slice, slice]]:
  """Divides a window so that little is read in vain; parts that show nothing are left out."""
  waiting = [(slice(0, inside.shape[0]), slice(0, inside.shape[1]))]
  while waiting:
    rows, columns = part = waiting.pop()
    shown = inside[part]
    if not shown.any():
      continue
    area = int(np.ptp(x[part][shown]) + 1) * int(np.ptp(y[part][shown]) + 1)
    if area <= max(_FEW_PIXELS, min(_MOST_PIXELS, np.count_nonzero(shown) / _LEAST_SHOWN)):
      yield part
    elif shown.shape[0] >= shown.shape[1]:
      middle = (rows.start + rows.stop) // 2
      waiting += [(slice(rows.start, middle), columns), (slice(middle, rows.stop), columns)]
    else:
      middle = (columns.start + columns.stop) // 2
      waiting += [(rows, slice(columns.start, middle)), (rows, slice(middle, columns.stop))]
