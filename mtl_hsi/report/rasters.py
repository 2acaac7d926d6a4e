"""The prediction as a raster for geographic information systems."""

import warnings
from collections.abc import Mapping
from xml.etree import ElementTree

import rasterio
from rasterio.errors import NotGeoreferencedWarning
from rasterio.io import MemoryFile

from mtl_hsi.report import colours
from mtl_hsi.report.contents import SceneReport
from mtl_hsi.scenes.scene import Scene


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
  profile = {"driver": "GTiff", "height": ids.shape[0], "width": ids.shape[1], "count": 1, "dtype": dtype}
  if scene.nodata is not None:
    profile["nodata"] = 0
  if scene.georeference is not None:
    profile["crs"] = scene.georeference.crs
    profile["transform"] = rasterio.Affine(*scene.georeference.transform)
  with MemoryFile() as memory:
    with warnings.catch_warnings():
      warnings.simplefilter("ignore", NotGeoreferencedWarning)
      with memory.open(compress="deflate", **profile) as raster:
        # GDAL writes the header with the first pixels, and can then no longer declare a colour table.
        raster.write_colormap(1, _colour_table(scene))
        raster.set_band_description(1, "predicted class")
        raster.update_tags(TIFFTAG_IMAGEDESCRIPTION=f"{scene.title}: predicted classes")
        raster.update_tags(1, **{f"CLASS_{i}": name for i, name in sorted(scene.class_names.items())})
        raster.write(ids.astype(dtype), 1)
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
