"""The values of an image file as a cube that is read by windows."""

import dataclasses
import threading
from collections.abc import Iterator

import numpy as np

from mtl_hsi.scenes import windows
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.scenes.windows import Window


@dataclasses.dataclass(frozen=True, eq=False)
class FileCube:
  """A `WindowedCube` of an image.

  Attributes:
    image: the image.
  """

  image: Image
  # A raster must not be read by two threads at once.
  _lock: threading.Lock = dataclasses.field(default_factory=threading.Lock)

  ndim = 3

  @property
  def shape(self) -> tuple[int, int, int]:
    """H, W and B."""
    return self.image.height, self.image.width, self.image.bands

  @property
  def dtype(self) -> np.dtype:
    """The dtype of the values."""
    return self.image.dtype

  def __getitem__(self, place: tuple[slice, ...]) -> np.ndarray:
    """See `WindowedCube`."""
    rows, columns, *selected = place
    bands = np.arange(self.image.bands)[selected[0] if selected else slice(None)]
    # Formats read bands in ascending order.
    ascending, order = np.unique(bands, return_inverse=True)
    with self._lock:
      values = self.image.read_values(rows, columns, ascending)
    return values if np.array_equal(ascending, bands) else values[..., order]

  def windows(self) -> Iterator[Window]:
    """See `WindowedCube`."""
    if self.image.stored_by_rows:
      return windows.strips(*self.shape)
    return windows.image_windows(*self.shape, windows.BLOCK)

  def read_nodata(self) -> np.ndarray | None:
    """Reads which pixels have no measurement, bool `[H, W]`; None if that is unspecified.

    Raises:
      RequestError: the file is damaged.
    """
    mask = np.empty(self.shape[:2], bool)
    for rows, columns in self.windows():
      _, found = self.image.read(rows, columns)
      if found is None:
        return None
      mask[rows, columns] = found
    return mask
