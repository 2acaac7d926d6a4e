"""Position of a raster on the ground, from its geotransform or its ground control points."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import rasterio
from rasterio.control import GroundControlPoint

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import raster_tags, rasters
from mtl_hsi.scenes.scene import Georeference

# The largest distance of a control point from its fitted position, in pixels.
_TOLERANCE = 0.5


class Place(NamedTuple):
  """Georeference, or None, and remarks that users should know."""

  georeference: Georeference | None
  remarks: tuple[str, ...] = ()


def read_place(raster: rasterio.DatasetReader, where: str) -> Place:
  """Returns the position of a raster; its coordinate reference system may be unknown.

  Ground control points give a position if an affine transform fits all of them to half a pixel.

  Args:
    raster: the open raster.
    where: its file, for messages.

  Raises:
    RequestError: its geotransform is not finite or not invertible.
  """
  if raster.transform.is_identity:
    return _from_points(raster)
  transform = tuple(raster.transform)[:6]
  if not _is_invertible(transform):
    raise RequestError(
      f"{where}: the geotransform {transform} gives its pixels no extent on the ground; correct it"
    )
  if raster.crs:
    return Place(Georeference(raster.crs.to_wkt(), transform))
  remark = "the file has a geotransform without a coordinate reference system; areas are in pixels"
  return Place(Georeference(None, transform), (remark,))


def _from_points(raster: rasterio.DatasetReader) -> Place:
  with rasters.gdal_errors_as_requests(Path(raster.name)):
    points, crs = raster.gcps
  if not points:
    return _without_transform(raster)
  fitted = _fit(points)
  found = f"the file has {len(points)} ground control points"
  if fitted is None:
    return Place(
      None,
      (
        f"{found} that no geotransform fits to {_TOLERANCE:g} pixels, so maps have no position; for maps "
        "with one, warp the image first: gdalwarp -tps <image> <warped>.tif",
      ),
    )
  remark = f"{found}; its geotransform is fitted to them"
  return Place(Georeference(crs.to_wkt() if crs else None, fitted), (remark,))


def _without_transform(raster: rasterio.DatasetReader) -> Place:
  other = ""
  if raster_tags.tags(raster, namespace="RPC"):
    other = "rational polynomial coefficients; warp the image first: gdalwarp -rpc <image> <warped>.tif"
  elif raster_tags.tags(raster, namespace="GEOLOCATION"):
    other = "coordinates of every pixel; warp the image first: gdalwarp -geoloc <image> <warped>.tif"
  elif raster.crs:
    other = "a coordinate reference system but no geotransform"
  return Place(None, (f"maps have no position: the file has {other}",) if other else ())


def _fit(points: Sequence[GroundControlPoint]) -> tuple[float, ...] | None:
  """Returns the affine transform that fits all points to `_TOLERANCE`, or None."""
  pixels = np.array([[point.col, point.row, 1] for point in points], float)
  ground = np.array([[point.x, point.y] for point in points], float)
  if not np.isfinite(pixels).all() or not np.isfinite(ground).all():
    return None
  # Relative to their centre, as coordinates have seven digits before the point.
  centre = ground.mean(axis=0)
  solution, _, rank, _ = np.linalg.lstsq(pixels, ground - centre, rcond=None)
  (a, d), (b, e), (c, f) = solution.tolist()
  transform = (a, b, c + centre[0].item(), d, e, f + centre[1].item())
  if rank < 3 or not _is_invertible(transform):
    return None
  errors = (pixels @ solution + centre - ground) @ np.linalg.inv([[a, d], [b, e]])
  return transform if np.abs(errors).max() <= _TOLERANCE else None


def _is_invertible(transform: tuple[float, ...]) -> bool:
  a, b, _, d, e, _ = transform
  return bool(np.isfinite(transform).all() and a * e - b * d)
