"""Class maps and their confidence as GeoTIFFs for geographic information systems.

Rasters are opened for writing and filled window by window, on disk or in memory.
"""

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
import rasterio
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import DatasetWriter, MemoryFile
from rasterio.windows import Window

from mtl_hsi.report import colours
from mtl_hsi.report.run_report import SceneReport
from mtl_hsi.scenes import windows
from mtl_hsi.scenes.scene import Georeference

# Side of the blocks of a GeoTIFF. A window whose sides are multiples of it compresses every block once.
BLOCK = windows.BLOCK

_CONFIDENCE_BANDS = ("share of votes for the predicted class", "mean probability of the predicted class")

# BigTIFF only if needed: the size of a compressed file is not known in advance.
_GEOTIFF = {
  **{"driver": "GTiff", "compress": "deflate", "bigtiff": "IF_SAFER"},
  **{"tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK},
}


class Legend(NamedTuple):
  """The classes of a map.

  Attributes:
    title: what the map shows.
    names: name of each class by its id, in ascending order.
    colours: colour of each class by its id.
    codes: number in the labels of the classes whose id is another one, by id.
  """

  title: str
  names: Mapping[int, str]
  colours: Mapping[int, colours.RGB]
  codes: Mapping[int, int] = MappingProxyType({})

  @property
  def dtype(self) -> str:
    """The smallest data type that holds all class ids."""
    return "uint8" if max(self.names) < 256 else "uint16"


def create(
  path: Path | str, height: int, width: int, georeference: Georeference | None, **profile
) -> DatasetWriter:
  """Opens a raster for writing; without a georeference it is a plain image file."""
  if georeference is not None:
    profile |= {"crs": georeference.crs, "transform": rasterio.Affine(*georeference.transform)}
  with warnings.catch_warnings():
    warnings.simplefilter("ignore", NotGeoreferencedWarning)
    return rasterio.open(path, "w", height=height, width=width, **profile)


def create_class_map(
  path: Path | str, legend: Legend, height: int, width: int, georeference: Georeference | None
) -> DatasetWriter:
  """Opens a GeoTIFF of class ids for writing.

  It has one band, uint8 or uint16, with a colour table and, as band metadata, the class names (`CLASS_<id>`)
  and the numbers of classes in the labels where these are not the ids (`CODE_<id>`). 0 is nodata.
  """
  raster = create(path, height, width, georeference, count=1, dtype=legend.dtype, nodata=0, **_GEOTIFF)
  # The colour table comes first: GDAL writes the header with the first pixels and cannot add it later.
  table = {0: colours.NO_DATA, **legend.colours}
  raster.write_colormap(1, {class_id: (*colour, 255) for class_id, colour in table.items()})
  raster.set_band_description(1, "predicted class")
  raster.update_tags(TIFFTAG_IMAGEDESCRIPTION=legend.title)
  raster.update_tags(1, **{f"CLASS_{class_id}": name for class_id, name in legend.names.items()})
  raster.update_tags(1, **{f"CODE_{class_id}": code for class_id, code in legend.codes.items()})
  return raster


def create_confidence(
  path: Path | str, title: str, height: int, width: int, georeference: Georeference | None
) -> DatasetWriter:
  """Opens a GeoTIFF of two bands, float32, for `write_confidence`; NaN is nodata."""
  raster = create(path, height, width, georeference, count=2, dtype="float32", nodata=np.nan, **_GEOTIFF)
  raster.update_tags(TIFFTAG_IMAGEDESCRIPTION=title)
  raster.descriptions = _CONFIDENCE_BANDS
  return raster


def write_confidence(
  raster: DatasetWriter,
  ids: np.ndarray,
  vote_share: np.ndarray,
  probability: np.ndarray,
  window: Window | None = None,
) -> None:
  """Writes the confidence in the predicted class, NaN where `ids` is 0 (no measurement); arrays `[h, w]`."""
  for band, values in enumerate((vote_share, probability), start=1):
    raster.write(np.where(ids == 0, np.nan, values).astype(np.float32), band, window=window)


def encode_class_map(report: SceneReport) -> bytes:
  """Returns the predicted class ids of a scene as a GeoTIFF (see `create_class_map`)."""
  scene = report.scene
  scene_colours = dict(zip(scene.class_ids.tolist(), colours.scene_colours(scene), strict=True))
  names = dict(sorted(scene.class_names.items()))
  legend = Legend(f"{scene.title}: predicted classes", names, scene_colours, scene.class_codes or {})

  def write(path):
    with create_class_map(path, legend, *scene.labels.shape, scene.georeference) as raster:
      raster.write(report.measured_prediction.astype(legend.dtype), 1)

  return _in_memory(write)


def encode_confidence(report: SceneReport) -> bytes:
  """Returns the share of votes and the mean probability of the predicted classes as a GeoTIFF."""
  scene = report.scene
  title = f"{scene.title}: confidence of the predicted classes"

  def write(path):
    with create_confidence(path, title, *scene.labels.shape, scene.georeference) as raster:
      write_confidence(raster, report.measured_prediction, report.vote_share, report.probability)

  return _in_memory(write)


def _in_memory(write: Callable[[str], None]) -> bytes:
  with MemoryFile(ext=".tif") as memory:
    write(memory.name)
    return memory.read()


def category_names(class_names: Mapping[int, str]) -> bytes:
  """Returns the class names as GDAL's side file `<raster>.aux.xml`; a GIS shows them as the legend."""
  dataset = ElementTree.Element("PAMDataset")
  names = ElementTree.SubElement(ElementTree.SubElement(dataset, "PAMRasterBand", band="1"), "CategoryNames")
  for class_id in range(max(class_names) + 1):
    ElementTree.SubElement(names, "Category").text = class_names.get(class_id, "")
  ElementTree.indent(dataset)
  return ElementTree.tostring(dataset) + b"\n"
