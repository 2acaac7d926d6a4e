"""A class map of any size, read by windows: class ids, names, place on the ground, checksum."""

import contextlib
import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import rasterio

from mtl_hsi.errors import RequestError
from mtl_hsi.evaluation.areas import PixelAreas, pixel_areas
from mtl_hsi.scenes.images import raster_place, rasters
from mtl_hsi.scenes.labels.class_table import LARGEST_ID
from mtl_hsi.scenes.labels.rasters import class_names
from mtl_hsi.scenes.scene import Georeference
from mtl_hsi.storage import checksums
from mtl_hsi.storage.atomic_files import reason


@dataclasses.dataclass(frozen=True, eq=False)
class ClassMap:
  """An open raster of class ids.

  Attributes:
    path: its file.
    raster: the open file.
    names: names of the classes that have one, by id.
    georeference: its place on the ground in a known system, or None.
  """

  path: Path
  raster: rasterio.DatasetReader
  names: Mapping[int, str]
  georeference: Georeference | None

  @property
  def shape(self) -> tuple[int, int]:
    """Rows and columns."""
    return self.raster.shape

  def read(self, rows: slice, columns: slice) -> np.ndarray:
    """Returns class ids of a window, int32 `[h, w]`; 0 where the map has none.

    Raises:
      RequestError: the file is damaged or contains values that are not class ids.
    """
    window = (rows.start, rows.stop), (columns.start, columns.stop)
    values = rasters.read_window(self.path, self.raster, [1], window)[0]
    if self.raster.nodata is not None:
      values = np.where(values == self.raster.nodata, np.zeros((), values.dtype), values)
    if values.size and (values.min() < 0 or values.max() > LARGEST_ID):
      raise RequestError(
        f"{self.path.absolute()} has values from {values.min()} to {values.max()}; expected class ids from 0 "
        f"(no class) to {LARGEST_ID}"
      )
    return values.astype(np.int32)

  def name(self, class_id: int) -> str:
    """Returns the name of a class."""
    return self.names.get(class_id, f"class {class_id}")

  def all_names(self, ids: Collection[int], further: Sequence[str]) -> dict[int, str]:
    """Returns names of all classes that a unit can have, by id: in the map, in its legend, and further ones.

    Raises:
      RequestError: a further class is one of the map.
    """
    ids = sorted(set(ids) | self.names.keys())
    names = {class_id: self.name(class_id) for class_id in ids}
    known = {name.casefold() for name in names.values()}
    for name in further:
      if name.casefold() in known or name.isdecimal():
        raise RequestError(
          f"config key further_classes has {name!r}, which is a class of the map or a number; expected names "
          "of classes that the map lacks"
        )
    return names | dict(enumerate(further, start=max(ids) + 1))

  def pixel_areas(self) -> PixelAreas | None:
    """Returns the hectares of the pixels; None without a place on Earth."""
    return pixel_areas(self.georeference, *self.shape)

  def sha256(self) -> str:
    """Returns the checksum of the file."""
    try:
      return checksums.sha256(self.path)
    except OSError as error:
      raise RequestError(f"cannot read {self.path}: {reason(error)}") from error


@contextlib.contextmanager
def open_class_map(path: Path) -> Iterator[ClassMap]:
  """Opens a raster of class ids.

  Raises:
    RequestError: it cannot be read, or is not a single band of whole numbers.
  """
  with rasters.open_raster(path) as raster:
    if raster.count != 1 or np.dtype(raster.dtypes[0]).kind not in "iu":
      raise RequestError(
        f"{path.absolute()} has {raster.count} bands of type {raster.dtypes[0]}; expected a class map, a "
        "single band of class ids, such as <output>_classes.tif of configs/predict.py"
      )
    # Names from a file end up in tables and on the terminal.
    names = {i: name for i, name in class_names(raster, path).items() if i > 0 and name.isprintable()}
    place = raster_place.read_place(raster, str(path.absolute())).georeference
    # Coordinates in an unknown system are of no use to whoever looks for a unit.
    yield ClassMap(path, raster, names, None if place is None or place.crs is None else place)


def same_grid(one: ClassMap, shape: tuple[int, int], georeference: Georeference | None) -> bool:
  """Returns whether a map has this shape and this place on the ground."""
  if one.shape != tuple(shape) or (one.georeference is None) != (georeference is None):
    return False
  if georeference is None:
    return True
  same_crs = rasterio.CRS.from_user_input(one.georeference.crs) == rasterio.CRS.from_user_input(
    georeference.crs
  )
  return same_crs and np.allclose(one.georeference.transform, georeference.transform, rtol=1e-9, atol=1e-9)
