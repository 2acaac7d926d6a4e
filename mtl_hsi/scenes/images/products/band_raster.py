"""The rasters of a product: its image, with the bands in another order, and its quality layers."""

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes import windows
from mtl_hsi.scenes.images import rasters
from mtl_hsi.scenes.images.raster_place import read_place
from mtl_hsi.scenes.windows import Window

# Side of the windows in which measurements are looked for first, and their places in the image, from 0 to 1.
_SIDE = 16
_PLACES = (0.5, 0.3, 0.7, 0.4, 0.6)


class BandRaster:
  """An open raster of which some bands are read, in a given order.

  Args:
    path: the file.
    order: index in the file of each band, int `[B]`.

  Attributes:
    shape: H, W and B.
    dtype: dtype of the values.
    place: position on the ground, and remarks on it.
    by_rows: whether windows of whole rows are quicker to read than square ones.

  Raises:
    RequestError: it cannot be read.
  """

  def __init__(self, path: Path, order: Sequence[int]):
    self._path, self._order = path, np.asarray(order)
    self._raster = rasters.open_raster(path)
    self.shape = self._raster.height, self._raster.width, len(order)
    self.dtype = np.dtype(self._raster.dtypes[0])
    self.place = read_place(self._raster, str(path.absolute()))
    self.by_rows = all(width == self._raster.width for _, width in self._raster.block_shapes)

  @property
  def bands_in_file(self) -> int:
    """The number of bands of the file."""
    return self._raster.count

  def read(self, rows: slice, columns: slice, bands: np.ndarray) -> np.ndarray:
    """Reads a window of bands, by their indices in the given order, as `[h, w, b]`.

    Raises:
      RequestError: the file is damaged.
    """
    numbers = (self._order[bands] + 1).tolist()
    window = rasters.window_of(self._raster, rows, columns)
    planes = rasters.read_window(self._path, self._raster, numbers, window)
    return np.ascontiguousarray(np.moveaxis(planes, 0, -1))

  def find_empty(self, nodata: float, bands: np.ndarray) -> np.ndarray:
    """Returns which of the bands have the nodata value in every pixel, int, ascending.

    A few small windows show that most bands have measurements; only the others are read as a whole.

    Raises:
      RequestError: the file is damaged.
    """
    for rows, columns in itertools.chain(self._samples(), self._all_windows()):
      if not len(bands):
        break
      bands = bands[(self.read(rows, columns, bands) == nodata).all(axis=(0, 1))]
    return bands

  def _samples(self) -> Iterator[Window]:
    """Yields small windows, that in the middle first."""
    for part in _PLACES:
      starts = (int(part * max(size - _SIDE, 0)) for size in self.shape[:2])
      yield tuple(slice(start, start + _SIDE) for start in starts)

  def _all_windows(self) -> Iterator[Window]:
    if self.by_rows:
      return windows.strips(*self.shape)
    return windows.image_windows(*self.shape, windows.BLOCK)


def open_image(path: Path, order: np.ndarray) -> BandRaster:
  """Opens the image of a product.

  Raises:
    RequestError: it cannot be read, or has not one band for each of `order`.
  """
  image = BandRaster(path, order)
  if image.bands_in_file != len(order):
    raise RequestError(
      f"{path.absolute()} has {image.bands_in_file} bands, but its metadata describe {len(order)}; they "
      "belong to different products"
    )
  return image


def open_layer(path: Path, bands: Sequence[int], image: BandRaster) -> BandRaster:
  """Opens some bands of a quality layer, by their indices.

  Raises:
    RequestError: it cannot be read, has too few bands, or is not of the size of the image.
  """
  layer = BandRaster(path, bands)
  if layer.bands_in_file <= max(bands) or layer.shape[:2] != image.shape[:2]:
    raise RequestError(
      f"{path.absolute()} has {layer.shape[0]} x {layer.shape[1]} pixels and {layer.bands_in_file} bands; "
      f"expected {image.shape[0]} x {image.shape[1]} pixels, as the image has, and {max(bands) + 1} bands"
    )
  return layer


def read_flags(layers: Sequence[BandRaster], rows: slice, columns: slice) -> np.ndarray:
  """Returns which pixels have a value above 0 in any band of any layer, bool `[h, w]`.

  Raises:
    RequestError: a file is damaged.
  """
  flags = [layer.read(rows, columns, np.arange(layer.shape[2])) > 0 for layer in layers]
  return np.concatenate(flags, axis=-1).any(axis=-1)
