"""Label images in rasters, on the grid of the scene or on another one of the same area."""

import json
import os
import re
from pathlib import Path

import numpy as np
import rasterio
from rasterio import warp

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import envi_header, rasters, xml_files
from mtl_hsi.scenes.images.arrays import format_shape
from mtl_hsi.scenes.labels.class_table import RGB
from mtl_hsi.scenes.labels.label_set import Grid, Labels, to_class_ids

# The largest difference between equal grids, in pixels.
_TOLERANCE = 0.01


def read_label_raster(path: Path, grid: Grid) -> Labels:
  """Reads a label raster with the names and colours of its classes.

  Names come from an ENVI header, from the band metadata `CLASS_<id>`, or from the side file
  `<raster>.aux.xml`; colours from the colour table. A raster on another grid, or in another coordinate
  reference system, is resampled to the grid of the scene by nearest neighbour.

  Raises:
    RequestError: the raster cannot be read, is not a label image, or covers another area.
  """
  with rasters.open_raster(path) as raster:
    if raster.count != 1:
      raise RequestError(f"{path.absolute()} has {raster.count} bands; expected a single band of class ids")
    values = rasters.read_window(path, raster, [1], ((0, raster.height), (0, raster.width)))[0]
    if raster.nodata is not None:
      missing = np.isnan(values) if np.isnan(raster.nodata) else values == raster.nodata
      values = np.where(missing, np.zeros((), values.dtype), values)
    image = to_class_ids(values, f"the label image {path.absolute()}")
    names, colours = _names(raster, path), _colours(raster)
    remark = _missing_crs_remark(raster, grid)
    if not _same_grid(raster, grid):
      image = _resample(raster, image, grid, path)
      size = format_shape(values.shape)
      remark = f"labels resampled from {size} pixels to the grid of the scene by nearest neighbour"
  if names:
    present = np.unique(image[image > 0]).tolist()
    names = {class_id: names.get(class_id, f"class {class_id}") for class_id in present}
  return Labels(image, names or None, colours or None, (remark,) if remark else ())


def _missing_crs_remark(raster: rasterio.DatasetReader, grid: Grid) -> str:
  """Returns a remark if only the labels or only the scene have a coordinate reference system, or ""."""
  if (raster.crs is None) == (grid.georeference is None):
    return ""
  lacking = "labels have" if raster.crs is None else "the scene, unlike its labels, has"
  return f"{lacking} no coordinate reference system; labels are matched pixel by pixel"


def _same_grid(raster: rasterio.DatasetReader, grid: Grid) -> bool:
  georeference = rasters.georeference(raster)
  if georeference is None or grid.georeference is None:
    # Only the sizes can be compared, which the caller does.
    return True
  if raster.crs != rasterio.CRS.from_user_input(grid.georeference.crs) or raster.shape != grid.shape:
    return False
  raster_to_scene = np.linalg.inv(grid.georeference.matrix) @ georeference.matrix
  corners = np.array([[0, 0, 1], [0, grid.shape[0], 1], [grid.shape[1], 0, 1]]).T
  return bool(np.abs((raster_to_scene @ corners - corners)[:2]).max() < _TOLERANCE)


def _resample(raster: rasterio.DatasetReader, image: np.ndarray, grid: Grid, path: Path) -> np.ndarray:
  target = np.zeros(grid.shape, np.int32)
  with rasters.gdal_errors_as_requests(path):
    warp.reproject(
      image,
      target,
      src_transform=raster.transform,
      src_crs=raster.crs,
      dst_transform=rasterio.Affine(*grid.georeference.transform),
      dst_crs=grid.georeference.crs,
      resampling=warp.Resampling.nearest,
      # Transform every pixel exactly.
      tolerance=0,
    )
  if not target.any():
    scene_crs = rasterio.CRS.from_user_input(grid.georeference.crs)
    raise RequestError(
      f"{path.absolute()} has no labelled pixel within the scene; its coordinate reference system is "
      f"{_short(raster.crs)}, that of the scene is {_short(scene_crs)}: do both cover the same area?"
    )
  return target


def _short(crs: rasterio.CRS) -> str:
  return crs.to_string() if crs.to_epsg() else json.dumps(crs.to_wkt()[:40])


def _names(raster: rasterio.DatasetReader, path: Path) -> dict[int, str]:
  listed = envi_header.split_list(envi_header.fields(raster).get("class_names", ""))
  tags = {re.fullmatch(r"CLASS_(\d{1,9})", key): name for key, name in raster.tags(1).items()}
  tagged = {int(found[1]): name for found, name in tags.items() if found}
  names = tagged or dict(enumerate(listed or _read_categories(path)))
  return {class_id: name for class_id, name in names.items() if name.strip() and class_id > 0}


def _read_categories(path: Path) -> list[str]:
  """Returns the names, from id 0, in the side file of a raster, which rasterio has no function for."""
  side = rasters.side_file(envi_header.find_data_file(path))
  if not os.path.isfile(side):
    return []
  try:
    found = xml_files.read_xml(side).findall("./PAMRasterBand[@band='1']/CategoryNames/Category")
  except (OSError, ValueError) as error:
    raise RequestError(f"cannot read {side.absolute()} ({error}); delete it or download it again") from error
  return [item.text or "" for item in found]


def _colours(raster: rasterio.DatasetReader) -> dict[int, RGB]:
  try:
    table = raster.colormap(1)
  except ValueError:
    return {}
  colours = {class_id: tuple(colour[:3]) for class_id, colour in table.items() if class_id > 0}
  # GDAL pads a palette with black, the colour of unlabelled pixels.
  return {class_id: colour for class_id, colour in colours.items() if any(colour)}
