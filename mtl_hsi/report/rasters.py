"""The prediction and its confidence as rasters for geographic information systems."""

import warnings
from collections.abc import Callable, Mapping
from xml.etree import ElementTree

import numpy as np
import rasterio
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import DatasetWriter, MemoryFile

from mtl_hsi.report import colours
from mtl_hsi.report.contents import SceneReport
from mtl_hsi.scenes.scene import Scene

# Of the rasters of confidence, here and of images that are predicted.
CONFIDENCE_BANDS = ("share of votes for the predicted class", "mean probability of the predicted class")


def geotiff(report: SceneReport) -> bytes:
  """Encodes the predicted class ids as a GeoTIFF.

  One band, uint8 or uint16, with colour table and, as band metadata
  `CLASS_<id>`, the class names. Pixels without measurement are 0, and 0 is
  declared as nodata only where there are such. A scene without georeference
  gives a plain TIFF.
  """
  scene = report.scene
  ids = report.visible
  dtype = "uint8" if max(ids.max(), scene.class_ids.max()) < 256 else "uint16"
  nodata = {} if scene.nodata is None else {"nodata": 0}

  def fill(raster):
    # GDAL writes the header with the first pixels, and can then no longer declare a colour table.
    raster.write_colormap(1, _colour_table(scene))
    raster.set_band_description(1, "predicted class")
    raster.update_tags(TIFFTAG_IMAGEDESCRIPTION=f"{scene.title}: predicted classes")
    raster.update_tags(1, **{f"CLASS_{i}": name for i, name in sorted(scene.class_names.items())})
    raster.write(ids.astype(dtype), 1)

  return _encoded(scene, fill, count=1, dtype=dtype, **nodata)


def confidence(report: SceneReport) -> bytes:
  """Encodes share of votes and mean probability of the predicted class as a GeoTIFF of two bands, float32.

  Pixels without measurement are NaN, its nodata.
  """
  scene = report.scene

  def fill(raster):
    raster.update_tags(TIFFTAG_IMAGEDESCRIPTION=f"{scene.title}: confidence of the predicted classes")
    raster.descriptions = CONFIDENCE_BANDS
    for band, values in enumerate((report.vote_share, report.probability), start=1):
      seen = values if scene.nodata is None else np.where(scene.nodata, np.nan, values)
      raster.write(seen.astype(np.float32), band)

  return _encoded(scene, fill, count=2, dtype="float32", nodata=np.nan)


def _encoded(scene: Scene, fill: Callable[[DatasetWriter], None], **profile) -> bytes:
  """A GeoTIFF where the scene lies, of what is filled in."""
  height, width = scene.labels.shape
  if scene.georeference is not None:
    profile |= {"crs": scene.georeference.crs, "transform": rasterio.Affine(*scene.georeference.transform)}
  with MemoryFile() as memory:
    with warnings.catch_warnings():
      warnings.simplefilter("ignore", NotGeoreferencedWarning)
      with memory.open(driver="GTiff", height=height, width=width, compress="deflate", **profile) as raster:
        fill(raster)
    return memory.read()


def category_names(class_names: Mapping[int, str]) -> bytes:
  """Encodes the class names as GDAL's side file `<raster>.aux.xml`; a GIS shows them as the legend."""
  dataset = ElementTree.Element("PAMDataset")
  names = ElementTree.SubElement(ElementTree.SubElement(dataset, "PAMRasterBand", band="1"), "CategoryNames")
  for class_id in range(max(class_names) + 1):
    ElementTree.SubElement(names, "Category").text = class_names.get(class_id, "")
  ElementTree.indent(dataset)
  return ElementTree.tostring(dataset) + b"\n"


def _colour_table(scene: Scene) -> dict[int, tuple[int, int, int, int]]:
  table = {0: (*(colours.UNLABELLED if scene.nodata is None else colours.NO_DATA), 255)}
  for colour, class_id in zip(colours.of_scene(scene), scene.class_ids.tolist(), strict=True):
    table[class_id] = (*colour, 255)
  return table
