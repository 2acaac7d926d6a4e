"""Labels from rasters (see `raster_files`), on the scene's grid or on another one of the same place."""

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
from mtl_hsi.scenes.labels.label_set import Grid, Labels, whole_ids

# Differences of grids that are of no account, in pixels.
_TOLERANCE = 0.01


def read(path: Path, grid: Grid) -> Labels:
  """Reads a label raster with the class names and colours it carries.

  Names are those of an ENVI header, of band metadata `CLASS_<id>`, or of the side file `<raster>.aux.xml`;
  colours those of the colour table. A raster on another grid, or in another coordinate reference system, is
  brought onto the scene's by nearest neighbour.

  Args:
    path: the file.
    grid: of the scene.

  Raises:
    RequestError: the raster cannot be read, is no label image, or is not of the scene's place.
  """
  with rasters.open_raster(path) as raster:
    if raster.count != 1:
      raise RequestError(f"{path.absolute()} has {raster.count} bands; expected one of class ids")
    whole = (0, raster.height), (0, raster.width)
    values = rasters.read_window(path, raster, [1], whole)[0]
    if raster.nodata is not None:
      missing = np.isnan(values) if np.isnan(raster.nodata) else values == raster.nodata
      values = np.where(missing, np.zeros((), values.dtype), values)
    image = whole_ids(values, f"the label image {path.absolute()}")
    names, colours = _names(raster, path), _colours(raster)
    remark = _lack_of_place(raster, grid)
    if not _same_grid(raster, grid):
      image = _onto(raster, image, grid, path)
      remark = (
        f"labels brought onto the scene's grid by nearest neighbour from {format_shape(values.shape)} pixels"
      )
  if names:
    present = np.unique(image[image > 0]).tolist()
    names = {class_id: names.get(class_id, f"class {class_id}") for class_id in present}
  return Labels(image, names or None, colours or None, (remark,) if remark else ())


def _lack_of_place(raster: rasterio.DatasetReader, grid: Grid) -> str:
  """What to tell where only the labels or only the scene have a place on the ground."""
  if (raster.crs is None) == (grid.georeference is None):
    return ""
  lacking = "labels have" if raster.crs is None else "the scene, unlike its labels, has"
  return f"{lacking} no coordinate reference system; labels are taken pixel by pixel"


def _same_grid(raster: rasterio.DatasetReader, grid: Grid) -> bool:
  own, place = rasters.georeference(raster), grid.georeference
  if own is None or place is None:
    # Where one of them has no place, equal size is all that can be asked for; the caller checks it.
    return True
  if raster.crs != rasterio.CRS.from_user_input(place.crs) or raster.shape != grid.shape:
    return False
  # From pixels of the raster to those of the scene.
  to_scene = np.linalg.inv(place.matrix) @ own.matrix
  corners = np.array([[0, 0, 1], [0, grid.shape[0], 1], [grid.shape[1], 0, 1]]).T
  return bool(np.abs((to_scene @ corners - corners)[:2]).max() < _TOLERANCE)


def _onto(raster: rasterio.DatasetReader, image: np.ndarray, grid: Grid, path: Path) -> np.ndarray:
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
      # Every pixel is looked up exactly.
      tolerance=0,
    )
  if not target.any():
    raise RequestError(
      f"{path.absolute()} has no labelled pixel within the scene; its coordinate reference system is "
      f"{_short(raster.crs)}, the scene's {_short(rasterio.CRS.from_user_input(grid.georeference.crs))}: are "
      "they of the same place?"
    )
  return target


def _short(crs: rasterio.CRS) -> str:
  return crs.to_string() if crs.to_epsg() else json.dumps(crs.to_wkt()[:40])


def _names(raster: rasterio.DatasetReader, path: Path) -> dict[int, str]:
  listed = envi_header.split_list(envi_header.fields(raster).get("class_names", ""))
  tags = {re.fullmatch(r"CLASS_(\d{1,9})", key): name for key, name in raster.tags(1).items()}
  tagged = {int(found[1]): name for found, name in tags.items() if found}
  names = tagged or dict(enumerate(listed or _categories(path)))
  return {class_id: name for class_id, name in names.items() if name.strip() and class_id > 0}


def _categories(path: Path) -> list[str]:
  """Names, from id 0, in the side file that GDAL writes beside a raster; rasterio has no call for them."""
  side = rasters.side_file(envi_header.find_data_file(path))
  if not os.path.isfile(side):
    return []
  try:
    found = xml_files.read_xml(side).findall("./PAMRasterBand[@band='1']/CategoryNames/Category")
  except (OSError, ValueError) as error:
    raise RequestError(f"cannot read {side.absolute()} ({error}); remove it or get it again") from error
  return [item.text or "" for item in found]


def _colours(raster: rasterio.DatasetReader) -> dict[int, RGB]:
  try:
    table = raster.colormap(1)
  except ValueError:
    return {}
  own = {class_id: tuple(colour[:3]) for class_id, colour in table.items() if class_id > 0}
  # GDAL fills a palette up with black, which is that of unlabelled pixels.
  return {class_id: colour for class_id, colour in own.items() if any(colour)}
