"""Class maps and their confidence as cloud-optimised GeoTIFFs for geographic information systems.

Rasters are filled window by window. GDAL's COG driver then copies them, because it cannot write windows.
"""

import contextlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
import rasterio
import rasterio.shutil
from rasterio.errors import NotGeoreferencedWarning, RasterioError, RasterioIOError
from rasterio.io import DatasetWriter
from rasterio.windows import Window

from mtl_hsi.errors import RequestError
from mtl_hsi.report import colours
from mtl_hsi.report.map_classes import classes_of
from mtl_hsi.report.run_report import SceneReport
from mtl_hsi.scenes import windows
from mtl_hsi.scenes.scene import Georeference
from mtl_hsi.storage import atomic_files

# Side of the blocks of a GeoTIFF. A window whose sides are multiples of it compresses every block once.
BLOCK = windows.BLOCK
# How overviews are computed: classes have no mean.
OF_CLASSES, OF_VALUES = "mode", "average"

_CONFIDENCE_BANDS = ("share of votes for the predicted class", "mean probability of the predicted class")

# BigTIFF only if needed: the size of a compressed file is not known in advance.
_GEOTIFF = {
  **{"driver": "GTiff", "compress": "deflate", "bigtiff": "IF_SAFER"},
  **{"tiled": True, "blockxsize": BLOCK, "blockysize": BLOCK},
}
_COG = {"driver": "COG", "compress": "deflate", "bigtiff": "if_safer", "blocksize": BLOCK}


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


@contextlib.contextmanager
def cloud_optimised(
  path: Path, height: int, width: int, georeference: Georeference | None, overviews: str, **profile
) -> Iterator[DatasetWriter]:
  """Opens a GeoTIFF for writing; at the end of the block it becomes a cloud-optimised one, with overviews.

  If the block raises, no file remains. While the raster is filled, it is `<path>.filling`.

  Args:
    path: the file.
    height: H.
    width: W.
    georeference: of the raster, or None.
    overviews: `OF_CLASSES` or `OF_VALUES`.
    **profile: number and type of the bands, as for `rasterio.open`.

  Raises:
    RasterioError: the file cannot be written.
  """
  filling = path.with_name(f"{path.name}.filling")
  try:
    with create(filling, height, width, georeference, **{**_GEOTIFF, **profile}) as raster:
      yield raster
    _copy(filling, path, overviews)
  except BaseException:
    path.unlink(missing_ok=True)
    raise
  finally:
    filling.unlink(missing_ok=True)


def _copy(filled: Path, path: Path, overviews: str) -> None:
  # Differences of neighbours compress values, but not class ids.
  predictor = "yes" if overviews == OF_VALUES else "no"
  try:
    with warnings.catch_warnings():
      warnings.simplefilter("ignore", NotGeoreferencedWarning)
      rasterio.shutil.copy(filled, path, **_COG, overview_resampling=overviews, predictor=predictor)
      # On a full disk GDAL may close an incomplete file without an error; this was written last.
      with rasterio.open(path) as raster:
        raster.read(window=Window(raster.width - 1, raster.height - 1, 1, 1))
  # The errors of GDAL are of many types.
  except Exception as error:
    raise RasterioIOError(f"GDAL cannot write the whole raster; the disk may be full ({error})") from error


@contextlib.contextmanager
def create_class_map(
  path: Path, legend: Legend, height: int, width: int, georeference: Georeference | None
) -> Iterator[DatasetWriter]:
  """Opens a GeoTIFF of class ids for writing; see `cloud_optimised`.

  It has one band, uint8 or uint16, with a colour table and, as band metadata, the class names (`CLASS_<id>`)
  and the numbers of classes in the labels where these are not the ids (`CODE_<id>`). 0 is nodata.
  """
  profile = {"count": 1, "dtype": legend.dtype, "nodata": 0}
  with cloud_optimised(path, height, width, georeference, OF_CLASSES, **profile) as raster:
    # The colour table comes first: GDAL writes the header with the first pixels and cannot add it later.
    table = {0: colours.NO_DATA, **legend.colours}
    raster.write_colormap(1, {class_id: (*colour, 255) for class_id, colour in table.items()})
    raster.set_band_description(1, "predicted class")
    raster.update_tags(TIFFTAG_IMAGEDESCRIPTION=legend.title)
    raster.update_tags(1, **{f"CLASS_{class_id}": name for class_id, name in legend.names.items()})
    raster.update_tags(1, **{f"CODE_{class_id}": code for class_id, code in legend.codes.items()})
    yield raster


@contextlib.contextmanager
def create_values(
  path: Path,
  title: str,
  bands: Sequence[str],
  height: int,
  width: int,
  georeference: Georeference | None,
  **profile,
) -> Iterator[DatasetWriter]:
  """Opens a GeoTIFF of one band for each description for writing; float32, NaN is nodata, if not given."""
  profile = {"dtype": "float32", "nodata": np.nan, **profile, "count": len(bands)}
  # Without this, GDAL takes three bands of bytes for red, green and blue, and a fourth for transparency.
  grey = {"photometric": "minisblack", "alpha": "unspecified"}
  with cloud_optimised(path, height, width, georeference, OF_VALUES, **grey, **profile) as raster:
    raster.update_tags(TIFFTAG_IMAGEDESCRIPTION=title)
    raster.descriptions = bands
    yield raster


def create_confidence(
  path: Path, title: str, height: int, width: int, georeference: Georeference | None
) -> contextlib.AbstractContextManager[DatasetWriter]:
  """Opens a GeoTIFF of two bands, float32, for `write_confidence`; NaN is nodata."""
  return create_values(path, title, _CONFIDENCE_BANDS, height, width, georeference)


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


def legend_of(report: SceneReport) -> Legend:
  """Returns the legend of the class map of a scene."""
  scene, classes = report.scene, classes_of(report.scene, report.unknown_id)
  names = {one.class_id: one.name for one in classes}
  table = {one.class_id: one.colour for one in classes}
  return Legend(f"{scene.title}: predicted classes", names, table, scene.class_codes or {})


def write_class_map_of(report: SceneReport, path: Path) -> None:
  """Writes the predicted class ids of a scene as a GeoTIFF (see `create_class_map`).

  Raises:
    RequestError: the file cannot be written.
  """
  scene, legend = report.scene, legend_of(report)
  with (
    replacing(path) as partial,
    create_class_map(partial, legend, *scene.labels.shape, scene.georeference) as raster,
  ):
    raster.write(report.measured_prediction.astype(legend.dtype), 1)


def write_confidence_of(report: SceneReport, path: Path) -> None:
  """Writes the share of votes and the mean probability of the predicted classes as a GeoTIFF.

  Raises:
    RequestError: the file cannot be written.
  """
  scene = report.scene
  title = f"{scene.title}: confidence of the predicted classes"
  with (
    replacing(path) as partial,
    create_confidence(partial, title, *scene.labels.shape, scene.georeference) as raster,
  ):
    write_confidence(raster, report.measured_prediction, report.vote_share, report.probability)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
  """Gives a path for a raster that replaces `path` at the end of the block; see `atomic_files.replacing`.

  Raises:
    RequestError: the file cannot be written.
  """
  with atomic_files.replacing(path) as partial:
    try:
      yield partial
    except RasterioError as error:
      reason = " ".join(str(error).split())
      raise RequestError(f"cannot write {path}: {reason}") from error


def category_names(class_names: Mapping[int, str]) -> bytes:
  """Returns the class names as GDAL's side file `<raster>.aux.xml`; a GIS shows them as the legend."""
  dataset = ElementTree.Element("PAMDataset")
  names = ElementTree.SubElement(ElementTree.SubElement(dataset, "PAMRasterBand", band="1"), "CategoryNames")
  for class_id in range(max(class_names) + 1):
    ElementTree.SubElement(names, "Category").text = class_names.get(class_id, "")
  ElementTree.indent(dataset)
  return ElementTree.tostring(dataset) + b"\n"
