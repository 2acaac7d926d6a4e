"""Label images in rasters, on the grid of the scene or on another one of the same area."""

import json
import os
import re
from pathlib import Path

import numpy as np
import rasterio
from rasterio import warp
from rasterio.enums import Compression

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import envi_header, raster_masks, raster_place, raster_tags, rasters, xml_files
from mtl_hsi.scenes.images.arrays import format_shape
from mtl_hsi.scenes.labels.class_codes import number_image, renumbered
from mtl_hsi.scenes.labels.class_table import RGB, is_unlabelled_name
from mtl_hsi.scenes.labels.label_set import Grid, Labels, Reading
from mtl_hsi.scenes.scene import Georeference

# The largest difference between equal grids, in pixels.
_TOLERANCE = 0.01


def read_label_raster(path: Path, grid: Grid, reading: Reading) -> Labels:
  """Reads a label raster with the names and colours of its classes.

  Names come from an ENVI header, from the band metadata `CLASS_<id>`, or from the side file
  `<raster>.aux.xml`; colours from the colour table. A raster on another grid, or in another coordinate
  reference system, is resampled to the grid of the scene by nearest neighbour. A raster or scene without a
  system, but with a geotransform, is in that of the other one. Transparent and masked pixels are unlabelled.

  Raises:
    RequestError: the raster cannot be read, is not a label image, or covers another area.
  """
  with rasters.open_raster(path) as raster:
    bands = raster_masks.data_bands(raster)
    if len(bands) != 1:
      raise RequestError(f"{path.absolute()} has {len(bands)} bands; expected a single band of class ids")
    _check_lossless(raster, path)
    values = rasters.read_window(path, raster, bands, ((0, raster.height), (0, raster.width)))[0]
    read_missing, _ = raster_masks.mask_reader(path, raster)
    masked = None if read_missing is None else read_missing(slice(None), slice(None))
    names, colours = class_names(raster, path), _colours(raster)
    where = f"the label image {path.absolute()}"
    image, ids, remarks = number_image(values, _unlabelled(raster, names), reading, where, masked)
    place = raster_place.read_place(raster, str(path.absolute())).georeference
    remarks = [*remarks, *_missing_place_remarks(place, grid)]
    if not _same_grid(place, raster.shape, grid):
      image = _resample(place, image, grid, path)
      size = format_shape(values.shape)
      remarks.append(f"labels resampled from {size} pixels to the grid of the scene by nearest neighbour")
  named = {class_id: names.get(code, f"class {code}") for code, class_id in ids.items()} if names else None
  coloured = {class_id: colours[code] for code, class_id in ids.items() if code in colours}
  return Labels(image, named, coloured or None, tuple(remarks), codes=renumbered(ids))


def _unlabelled(raster: rasterio.DatasetReader, names: dict[int, str]) -> tuple[float, ...]:
  """Returns the values of unlabelled pixels: the nodata value of the raster, or else 0."""
  if raster.nodata is None:
    return (0,)
  return (raster.nodata, 0) if is_unlabelled_name(names.get(0, "")) else (raster.nodata,)


def _check_lossless(raster: rasterio.DatasetReader, path: Path) -> None:
  """Refuses compression that changes values: between two classes it makes up others."""
  if raster.driver == "JPEG" or raster.compression == Compression.jpeg:
    raise RequestError(
      f"{path.absolute()} is compressed as JPEG, which changes class ids; save the labels as GeoTIFF or PNG "
      "from their source"
    )


def _missing_place_remarks(place: Georeference | None, grid: Grid) -> list[str]:
  """Returns what is assumed if only one of labels and scene has a position, or a coordinate system."""
  if (place is None) != (grid.georeference is None):
    lacking = "labels have" if place is None else "the scene, unlike its labels, has"
    return [f"{lacking} no geotransform; labels are matched pixel by pixel"]
  if place is None or (place.crs is None) == (grid.georeference.crs is None):
    return []
  lacking, other = ("labels have", "scene") if place.crs is None else ("the scene has", "labels")
  return [f"{lacking} no coordinate reference system; that of the {other} is assumed"]


def _same_grid(place: Georeference | None, shape: tuple[int, int], grid: Grid) -> bool:
  if place is None or grid.georeference is None:
    # Only the sizes can be compared, which the caller does.
    return True
  if shape != grid.shape or not _same_system(place, grid.georeference):
    return False
  raster_to_scene = np.linalg.inv(grid.georeference.matrix) @ place.matrix
  corners = np.array([[0, 0, 1], [0, grid.shape[0], 1], [grid.shape[1], 0, 1]]).T
  return bool(np.abs((raster_to_scene @ corners - corners)[:2]).max() < _TOLERANCE)


def _same_system(one: Georeference, other: Georeference) -> bool:
  """Returns whether coordinates mean the same; an unknown system is taken to be the other one."""
  if one.crs is None or other.crs is None:
    return True
  return rasterio.CRS.from_user_input(one.crs) == rasterio.CRS.from_user_input(other.crs)


def _resample(place: Georeference, image: np.ndarray, grid: Grid, path: Path) -> np.ndarray:
  if place.crs is None or grid.georeference.crs is None:
    target = _nearest(place, image, grid)
  else:
    target = np.zeros(grid.shape, np.int32)
    with rasters.gdal_errors_as_requests(path):
      warp.reproject(
        image,
        target,
        src_transform=rasterio.Affine(*place.transform),
        src_crs=place.crs,
        dst_transform=rasterio.Affine(*grid.georeference.transform),
        dst_crs=grid.georeference.crs,
        resampling=warp.Resampling.nearest,
        # Transform every pixel exactly.
        tolerance=0,
      )
  if not target.any():
    raise RequestError(
      f"{path.absolute()} has no labelled pixel within the scene; its coordinate reference system is "
      f"{_short(place.crs)}, that of the scene is {_short(grid.georeference.crs)}: do both cover the same "
      "area?"
    )
  return target


def _nearest(place: Georeference, image: np.ndarray, grid: Grid) -> np.ndarray:
  """Returns the values of an image at the pixel centres of a grid in the same coordinates, 0 outside."""
  to_image = np.linalg.inv(place.matrix) @ grid.georeference.matrix
  target, columns = np.zeros(grid.shape, np.int32), np.arange(grid.shape[1]) + 0.5
  for row, line in enumerate(target):
    centres = np.stack([columns, np.full(len(columns), row + 0.5), np.ones(len(columns))])
    x, y = np.floor((to_image @ centres)[:2])
    inside = (x >= 0) & (x < image.shape[1]) & (y >= 0) & (y < image.shape[0])
    line[inside] = image[y[inside].astype(int), x[inside].astype(int)]
  return target


def _short(crs: str | None) -> str:
  if crs is None:
    return "unknown"
  crs = rasterio.CRS.from_user_input(crs)
  return crs.to_string() if crs.to_epsg() else json.dumps(crs.to_wkt()[:40])


def class_names(raster: rasterio.DatasetReader, path: Path) -> dict[int, str]:
  """Returns the names of the classes of a raster by id: from metadata, an ENVI header or the side file."""
  listed = envi_header.class_names(raster)
  tags = {re.fullmatch(r"CLASS_(\d{1,9})", key): name for key, name in raster_tags.tags(raster, 1).items()}
  tagged = {int(found[1]): name for found, name in tags.items() if found}
  names = tagged or dict(enumerate(listed or _read_categories(path)))
  return {code: name for code, name in names.items() if name.strip()}


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
  colours = {code: tuple(colour[:3]) for code, colour in table.items()}
  # GDAL pads a palette with black, the colour of unlabelled pixels.
  return {code: colour for code, colour in colours.items() if any(colour)}
