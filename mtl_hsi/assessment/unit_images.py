"""What a person sees of an image around the units of a sample: false colour, overview, spectrum."""

import dataclasses
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image as Picture
from pyproj.exceptions import CRSError, ProjError

from mtl_hsi.assessment import sample_files
from mtl_hsi.assessment.design import Design
from mtl_hsi.assessment.grids import positions_in
from mtl_hsi.errors import RequestError
from mtl_hsi.report import colours, pictures
from mtl_hsi.report.false_colour import spread_bands, true_colour_bands
from mtl_hsi.scenes.images.file_cube import FileCube
from mtl_hsi.scenes.images.image import Image

# Side of the surroundings in pixels of the image, unless units are so large that they need more.
_SIDE = 41
# Surroundings of a unit, in its sides.
_TIMES_UNIT = 3
# Larger surroundings are reduced to so many pixels when they are stored.
_MOST_STORED = 96
# Largest side of the surroundings that is read, in pixels.
_MOST_READ = 3000
# Longer side of the overview.
_OVERVIEW = 480
# Percentiles of a band's values that become black and full colour.
_CONTRAST = (2, 98)
# Images of at most so many bands have no spectra; without wavelengths, their first bands are shown.
_FEW = 4
# Most values of a spectrum that are stored.
_MOST_VALUES = 150


class UnitImage(NamedTuple):
  """The surroundings of a unit.

  Attributes:
    png: false colour, encoded.
    outline: x and y of the corners of the unit `[4, 2]`, from 0 at the left and upper edge of the picture
      to 1.
    place: x and y of its centre in the overview `[2]`, likewise.
    spectrum: the values of the pixel at its centre `[b]`, or None where nothing was measured.
  """

  png: bytes
  outline: np.ndarray
  place: np.ndarray
  spectrum: np.ndarray | None


@dataclasses.dataclass(frozen=True, eq=False)
class UnitImages:
  """An image with the places of the units in it; made by `open_image` and `locate`.

  Attributes:
    image: the image.
    bands: numbers of the bands shown as red, green and blue.
    spectrum_bands: numbers of the bands of stored spectra; none for images of few bands.
    limits: the values that become black and full colour `[2, 3]`.
    overview: the image reduced, uint8 `[h, w, 3]`.
    corners: rows and columns of the corners of every unit, as fractions of pixels `[n, 4, 2]`.
    side: side of the surroundings in pixels.
  """

  image: Image
  bands: tuple[int, int, int]
  spectrum_bands: np.ndarray
  limits: np.ndarray
  overview: np.ndarray
  corners: np.ndarray
  side: int

  @property
  def most_bytes(self) -> int:
    """Bound on the bytes of a unit in a page: base64 of an incompressible picture, and text of numbers."""
    return 4 * min(self.side, _MOST_STORED) ** 2 + 14 * len(self.spectrum_bands) + 1000

  def read(self, index: int) -> UnitImage:
    """Reads the surroundings of a unit.

    Raises:
      RequestError: the image is damaged.
    """
    corners = self.corners[index]
    centre = corners.mean(axis=0)
    start = np.floor(centre).astype(int) - self.side // 2
    size = np.array([self.image.height, self.image.width])
    first, last = np.clip([start, start + self.side], 0, size)
    picture = np.full((self.side, self.side, 3), colours.NO_DATA, np.uint8)
    if (first < last).all():
      window = tuple(map(slice, first.tolist(), last.tolist()))
      top, left = first - start
      height, width = last - first
      picture[top : top + height, left : left + width] = _coloured(
        *_read_shown(self.image, self.bands, *window), self.limits
      )
    return UnitImage(
      _encoded(picture),
      ((corners - start) / self.side)[:, ::-1],
      (centre / size)[::-1],
      self._spectrum(*np.floor(centre).astype(int).tolist()),
    )

  def _spectrum(self, row: int, column: int) -> np.ndarray | None:
    inside = 0 <= row < self.image.height and 0 <= column < self.image.width
    if not inside or not self.spectrum_bands.size:
      return None
    values, missing = self.image.read(slice(row, row + 1), slice(column, column + 1))
    found = values[0, 0, self.spectrum_bands].astype(float)
    return None if (missing is not None and missing.any()) or not np.isfinite(found).all() else found


def open_image(path: Path, key: str | None, bands: tuple[int, int, int] | None, design: Design) -> UnitImages:
  """Opens an image, and finds the units of a sample in it.

  Args:
    path: the image.
    key: name of its array, or None.
    bands: those to show as red, green and blue, or None for the ones closest to these colours.
    design: the sample.

  Raises:
    RequestError: it cannot be read, has no such bands, has no measurement, or does not show the units.
  """
  image = Image.open(path, key)
  if bands is not None and max(bands) >= image.bands:
    raise RequestError(
      f"config key image_bands is {','.join(map(str, bands))}; {image.origin} has the bands 0 to "
      f"{image.bands - 1}"
    )
  bands = bands or _choose_bands(image)
  corners = _locate(image, design)
  span = float(np.ptp(corners, axis=1).max())
  side = max(_SIDE, int(np.ceil(_TIMES_UNIT * span)))
  if side > _MOST_READ:
    raise RequestError(
      f"{image.origin}: a unit is {span:.0f} pixels wide in this image, expected at most "
      f"{_MOST_READ // _TIMES_UNIT}; give a coarser image, or smaller units (--config.unit_side)"
    )
  values, missing = _overview(image, bands)
  if missing.all():
    raise RequestError(f"{image.origin} has no measured pixel to show; give another image (--config.image)")
  limits = np.percentile(values[~missing].astype(float), _CONTRAST, axis=0)
  step = -(-image.bands // _MOST_VALUES)
  kept = np.arange(0, image.bands if image.bands > _FEW else 0, step)
  return UnitImages(image, bands, kept, limits, _coloured(values, missing, limits), corners, side)


def _choose_bands(image: Image) -> tuple[int, int, int]:
  if image.wavelengths is not None:
    return true_colour_bands(image.wavelengths)
  if image.bands <= _FEW:
    return tuple(min(channel, image.bands - 1) for channel in range(3))
  return spread_bands(image.bands)


def _locate(image: Image, design: Design) -> np.ndarray:
  """Returns the corners of all units in the image, of which it must show at least one."""
  corners = np.array(sample_files.corners(design)[:4], float)
  place = image.georeference
  if place is None or place.crs is None or design.georeference is None:
    if (image.height, image.width) != tuple(design.shape):
      raise RequestError(
        f"{image.origin} has {image.height} x {image.width} pixels, the map {design.shape[0]} x "
        f"{design.shape[1]}, and one of them has no coordinate reference system; give an image on the grid "
        "of the map, or georeference both"
      )
  else:
    try:
      corners = np.stack(positions_in(place, design.georeference, corners[:, 0], corners[:, 1]), axis=1)
    except (CRSError, ProjError) as error:
      raise RequestError(f"{design.map_name} cannot be projected onto {image.origin}: {error}") from error
  corners = np.moveaxis(corners, 2, 0)
  centres = corners.mean(axis=1)
  if not ((centres >= 0) & (centres < [image.height, image.width])).all(axis=1).any():
    raise RequestError(f"{image.origin} shows no unit of the sample; give an image of the area of the map")
  return corners


def _read_shown(image: Image, bands, rows: slice, columns: slice) -> tuple[np.ndarray, np.ndarray]:
  """Returns values `[h, w, 3]`, and where nothing was measured in one of these bands `[h, w]`."""
  ascending, order = np.unique(bands, return_inverse=True)
  values, missing = image.with_bands(ascending).read(rows, columns)
  missing = np.zeros(values.shape[:2], bool) if missing is None else missing
  return values[..., order], missing


def _overview(image: Image, bands) -> tuple[np.ndarray, np.ndarray]:
  """Returns every n-th row and column of the image: values, and where nothing was measured."""
  step = -(-max(image.height, image.width) // _OVERVIEW)
  shape = -(-image.height // step), -(-image.width // step)
  found, gaps = np.zeros((*shape, 3), image.dtype), np.ones(shape, bool)
  for rows, columns in FileCube(image).windows():
    values, missing = _read_shown(image, bands, rows, columns)
    part = slice(-rows.start % step, None, step), slice(-columns.start % step, None, step)
    top, left = -(-rows.start // step), -(-columns.start // step)
    height, width = values[part].shape[:2]
    place = slice(top, top + height), slice(left, left + width)
    found[place], gaps[place] = values[part], missing[part]
  return found, gaps


def _coloured(values: np.ndarray, missing: np.ndarray, limits: np.ndarray) -> np.ndarray:
  low, high = limits
  # Values that are not finite are missing, whatever they become.
  with np.errstate(invalid="ignore", over="ignore"):
    shares = (values.astype(np.float32) - low) / np.where(high > low, high - low, 1)
  image = (255 * np.nan_to_num(shares).clip(0, 1)).round().astype(np.uint8)
  image[missing] = colours.NO_DATA
  return image


def _encoded(picture: np.ndarray) -> bytes:
  if len(picture) > _MOST_STORED:
    reduced = Picture.fromarray(picture).resize((_MOST_STORED, _MOST_STORED), Picture.Resampling.BOX)
    picture = np.asarray(reduced)
  return pictures.encode_png(picture)
