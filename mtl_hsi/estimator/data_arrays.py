"""DataArrays of xarray: order of the axes, wavelengths, nodata value and georeference of an image."""

from typing import Any, NamedTuple

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.scene import Georeference

_BANDS = ("band", "bands", "wavelength", "wavelengths", "wl", "spectral")
_COLUMNS = ("x", "lon", "longitude", "column", "columns", "col", "sample", "samples", "easting")
_CENTRES, _WIDTHS = ("wavelength", "wavelengths", "wl"), ("fwhm", "width", "widths")
# The coordinate in which rioxarray and CF keep the coordinate reference system.
_PLACE = "spatial_ref"
# Steps between coordinates may differ by this fraction of a step.
_EVEN = 1e-3


class ArrayFacts(NamedTuple):
  """A DataArray of an image.

  Attributes:
    values: `[H, W, B]`, or `[H, W]` of an image of labels.
    origin: name, for messages.
    wavelengths: centres `[B]`, or None.
    widths: `[B]`, or None.
    nodata: value without a measurement, or None.
    georeference: or None.
  """

  values: np.ndarray
  origin: str
  wavelengths: np.ndarray | None
  widths: np.ndarray | None
  nodata: float | None
  georeference: Georeference | None


def is_data_array(image: Any) -> bool:
  """Returns whether this has the attributes of a DataArray of xarray."""
  return all(hasattr(image, name) for name in ("dims", "coords", "attrs", "values", "transpose"))


def read(image: Any) -> ArrayFacts:
  """Returns the values of a DataArray with the bands last, and its metadata.

  Raises:
    RequestError: it does not have two dimensions, or three of which one is the bands.
  """
  origin = f"the DataArray {image.name!r}" if image.name else "the DataArray"
  dimensions = list(image.dims)
  band = next((name for name in dimensions if str(name).lower() in _BANDS), None)
  if len(dimensions) == 3 and band is None:
    listed = ", ".join(map(str, dimensions))
    raise RequestError(f"{origin} has the dimensions {listed}; expected one named band or wavelength")
  if len(dimensions) not in (2, 3) or (len(dimensions) == 2 and band is not None):
    raise RequestError(f"{origin} has {len(dimensions)} dimensions; expected rows, columns and bands")
  places = spatial_dimensions(image)
  ordered = image.transpose(*places, *([] if band is None else [band]))
  nodata = image.attrs.get("_FillValue")
  return ArrayFacts(
    np.asarray(ordered.values),
    origin,
    _along(image, band, _CENTRES),
    _along(image, band, _WIDTHS),
    None if nodata is None else float(nodata),
    _georeference(image, *places),
  )


def spatial_dimensions(image: Any) -> tuple[Any, Any]:
  """Returns the dimensions of rows and of columns."""
  places = [name for name in image.dims if str(name).lower() not in _BANDS]
  first_is_columns, second_is_columns = (str(name).lower() in _COLUMNS for name in places)
  return (places[1], places[0]) if first_is_columns and not second_is_columns else (places[0], places[1])


def coordinates(image: Any) -> dict[str, np.ndarray | None] | None:
  """Returns the coordinates of rows and columns of a DataArray, None for those it lacks; None for others."""
  if not is_data_array(image):
    return None
  places = spatial_dimensions(image)
  return {name: image.coords[name].values if name in image.coords else None for name in places}


def _along(image: Any, band: Any, names: tuple[str, ...]) -> np.ndarray | None:
  """Returns the numbers of a coordinate of the bands."""
  for name in image.coords:
    coordinate = image.coords[name]
    if str(name).lower() in names and tuple(coordinate.dims) == (band,) and coordinate.dtype.kind in "iuf":
      return np.asarray(coordinate.values, float)
  return None


def _georeference(image: Any, rows: Any, columns: Any) -> Georeference | None:
  attributes = image.coords[_PLACE].attrs if _PLACE in image.coords else {}
  crs = attributes.get("crs_wkt") or attributes.get(_PLACE) or None
  transform = attributes.get("GeoTransform")
  if transform is not None:
    c, a, b, f, d, e = map(float, str(transform).split())
    return Georeference(crs, (a, b, c, d, e, f))
  if rows not in image.coords or columns not in image.coords:
    return None
  steps = [_start_and_step(image.coords[name].values) for name in (columns, rows)]
  if None in steps:
    return None
  (left, width), (top, height) = steps
  return Georeference(crs, (width, 0.0, left, 0.0, height, top))


def _start_and_step(centres: np.ndarray) -> tuple[float, float] | None:
  """Returns the outer edge of the first pixel and the signed pixel size; None if the spacing is uneven."""
  if centres.ndim != 1 or len(centres) < 2 or centres.dtype.kind not in "iuf":
    return None
  steps = np.diff(np.asarray(centres, float))
  step = float(steps.mean())
  if not step or np.abs(steps - step).max() > _EVEN * abs(step):
    return None
  return float(centres[0]) - step / 2, step
