"""Writes class maps of any size window by window: GeoTIFF with confidence, ENVI, quick look, class areas."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
from rasterio.errors import RasterioError
from rasterio.windows import Window

from mtl_hsi.errors import RequestError
from mtl_hsi.evaluation.areas import pixel_areas
from mtl_hsi.prediction import envi_header
from mtl_hsi.report import colours, csv_cells, maps, pictures, probability_rasters, rasters, styles
from mtl_hsi.report.probability_rasters import Classes
from mtl_hsi.report.rasters import Legend
from mtl_hsi.runs.unknown_pixels import Unknown, create_raster, write_raster
from mtl_hsi.scenes.scene import Georeference
from mtl_hsi.storage import checksums
from mtl_hsi.storage.file_set import FileSet
from mtl_hsi.storage.file_set import with_ending as _path

_CHECKSUMS = f"_{checksums.NAME}"
# Endings of the files of a set; the checksums come last and mark a complete set.
ENDINGS = (
  *("_classes.tif", "_classes.tif.aux.xml", "_classes.qml", "_classes.sld"),
  *("_confidence.tif", "_confidence.qml", "_confidence.sld"),
  *("_classes.img", "_classes.hdr", "_classes.png", "_areas.csv", _CHECKSUMS),
)
# Further files, if the probabilities of all classes are wanted.
PROBABILITY_ENDINGS = ("_probabilities.tif", "_uncertainty.tif")
# The raster of scores, if unknown pixels are requested.
UNKNOWN_ENDING = "_unknown.tif"

_NO_ENVI_PLACE = (
  "the map for ENVI has no position, as ENVI headers have none for mirrored, sheared or upturned images; the "
  "GeoTIFF has it"
)

# Bound on the longer side of the quick look in pixels.
_QUICK_LOOK = 1024


class ClassArea(NamedTuple):
  """The area of one class in a map; hectares are None if the map has no georeference in a known unit."""

  class_id: int
  name: str
  pixels: int
  hectares: float | None


class ClassMaps:
  """Open files of one class map; made by `create`.

  Attributes:
    notes: what users should know of the files.
    unknown_pixels: number of pixels written so far that are unlike every class.
  """

  def __init__(
    self,
    stem: Path,
    legend: Legend,
    size: tuple[int, int],
    georeference: Georeference | None,
    stack: contextlib.ExitStack,
    tables: Mapping[str, bytes],
    classes: Classes | None,
    unknown: Unknown | None,
  ):
    height, width = size
    self._tables, self._endings = tables, _endings(_further(tables, classes, unknown))
    self._unknown, self.unknown_pixels = unknown, 0
    self._stem, self._legend, self._georeference = stem, legend, georeference
    self.notes = ()
    self._step = -(-max(size) // _QUICK_LOOK)
    self._quick_look = np.zeros((-(-height // self._step), -(-width // self._step)), np.int32)
    self._pixel_areas = pixel_areas(georeference, height, width)
    self._pixels, self._hectares = np.zeros((2, max(legend.names) + 1))
    place = *size, georeference
    self._classes = stack.enter_context(rasters.create_class_map(_path(stem, "_classes.tif"), legend, *place))
    self._confidence = stack.enter_context(
      rasters.create_confidence(_path(stem, "_confidence.tif"), legend.title, *place)
    )
    envi = {"driver": "ENVI", "count": 1, "dtype": legend.dtype, "nodata": 0}
    place_of_envi = georeference
    if georeference is not None and not envi_header.can_place(georeference, *size):
      place_of_envi, self.notes = None, (_NO_ENVI_PLACE,)
    path = _path(stem, "_classes.img")
    self._envi = stack.enter_context(rasters.create(path, *size, place_of_envi, **envi))
    self._probabilities = None
    if classes is not None:
      paths = tuple(_path(stem, ending) for ending in PROBABILITY_ENDINGS)
      self._probabilities = stack.enter_context(
        probability_rasters.create(paths, classes, legend.title, size, georeference)
      )
    self._unlike = None
    if unknown is not None:
      path = _path(stem, UNKNOWN_ENDING)
      self._unlike = stack.enter_context(create_raster(path, legend.title, *size, georeference))

  def write(
    self,
    rows: slice,
    columns: slice,
    ids: np.ndarray,
    share: np.ndarray,
    probability: np.ndarray,
    probabilities: np.ndarray | None = None,
    unlike: np.ndarray | None = None,
  ) -> None:
    """Writes one window: class ids (0 = not measured), share of votes and probability, each `[h, w]`.

    Those of all outputs, float32 `[h, w, C]`, are needed if they were asked for, and so is how unlike every
    class the pixels are (`Unknown.measure`). Confidence and probabilities are those of the classes without
    the unknown one.
    """
    window = Window.from_slices(rows, columns)
    rasters.write_confidence(self._confidence, ids, share, probability, window)
    if self._probabilities is not None:
      self._probabilities.write((rows, columns), ids, probabilities)
    if self._unknown is not None:
      write_raster(self._unlike, ids, unlike, window)
      found = self._unknown.found(unlike) & (ids > 0)
      self.unknown_pixels += int(found.sum())
      if self._unknown.class_id is not None:
        ids = np.where(found, self._unknown.class_id, ids)
    self._classes.write(ids.astype(self._legend.dtype), 1, window=window)
    self._envi.write(ids.astype(self._legend.dtype), 1, window=window)
    self._pixels += np.bincount(ids.ravel(), minlength=len(self._pixels))
    if self._pixel_areas is not None:
      self._hectares += self._pixel_areas.by_id(ids, rows, columns, len(self._hectares))
    first_row, first_column = -rows.start % self._step, -columns.start % self._step
    sampled = ids[first_row :: self._step, first_column :: self._step]
    top, left = -(-rows.start // self._step), -(-columns.start // self._step)
    self._quick_look[top : top + sampled.shape[0], left : left + sampled.shape[1]] = sampled

  def areas(self) -> list[ClassArea]:
    """The area of each class in the windows written so far."""
    has_areas = self._pixel_areas is not None
    return [
      ClassArea(i, name, int(self._pixels[i]), float(self._hectares[i]) if has_areas else None)
      for i, name in self._legend.names.items()
    ]

  @property
  def outvoted(self) -> int:
    """Number of pixels in which another class is more probable; 0 if probabilities were not asked for."""
    return 0 if self._probabilities is None else self._probabilities.outvoted

  def finish(self) -> None:
    """Writes the files that go with the rasters, which must be closed."""
    legend = self._legend
    _path(self._stem, "_classes.tif.aux.xml").write_bytes(rasters.category_names(legend.names))
    style = {"_classes": styles.of_classes(legend), "_confidence": styles.of_confidence(legend.title)}
    for raster, files in style.items():
      for ending, content in files.items():
        _path(self._stem, f"{raster}{ending}").write_bytes(content)
    crs = None if self._georeference is None else self._georeference.crs
    envi_header.complete(_path(self._stem, "_classes.hdr"), legend, crs)
    _path(self._stem, "_classes.img.aux.xml").unlink(missing_ok=True)
    table = np.zeros((max(legend.names) + 1, 3), np.uint8)
    table[0] = colours.NO_DATA
    table[list(legend.colours)] = list(legend.colours.values())
    entries = [(legend.colours[i], maps.class_label(i, name)) for i, name in legend.names.items()]
    part = f", every {self._step}th pixel" if self._step > 1 else ""
    entries.append((colours.NO_DATA, "no data"))
    picture = pictures.draw_picture(legend.title + part, table[self._quick_look], entries)
    _path(self._stem, "_classes.png").write_bytes(picture)
    _path(self._stem, "_areas.csv").write_bytes(_table(self.areas(), legend.codes))
    for ending, content in self._tables.items():
      _path(self._stem, ending).write_bytes(content)
    names = [self._stem.name + ending for ending in self._endings if ending != _CHECKSUMS]
    _path(self._stem, _CHECKSUMS).write_bytes(checksums.listing(self._stem.parent, names))


def file_set(stem: Path, further: Iterable[str] = ()) -> FileSet:
  """The files of a class map.

  Args:
    stem: their common path without endings.
    further: endings of files that not every map has.
  """
  return FileSet(stem, _endings(further), "--config.output")


def _endings(further):
  return (*ENDINGS[:-1], *further, _CHECKSUMS)


def _further(tables, classes, unknown):
  return (
    *tables,
    *(() if classes is None else PROBABILITY_ENDINGS),
    *(() if unknown is None else (UNKNOWN_ENDING,)),
  )


@contextlib.contextmanager
def create(
  stem: Path,
  legend: Legend,
  size: tuple[int, int],
  georeference: Georeference | None,
  tables: Mapping[str, bytes] = MappingProxyType({}),
  classes: Classes | None = None,
  unknown: Unknown | None = None,
) -> Iterator[ClassMaps]:
  """Creates the files of a class map; they get their names when the block ends, and vanish if it raises.

  Args:
    stem: their common path without endings.
    legend: title, class names and colours.
    size: rows and columns `(H, W)`.
    georeference: of the map, or None.
    tables: contents of further files, by ending.
    classes: whose probabilities to write; None: only that of the class in the map.
    unknown: tells unknown pixels; None: every pixel has one of the classes.

  Raises:
    RequestError: one of the files exists, another process is writing them, or they cannot be written.
  """
  try:
    with file_set(stem, _further(tables, classes, unknown)).create() as written:
      with contextlib.ExitStack() as stack:
        class_maps = ClassMaps(written, legend, size, georeference, stack, tables, classes, unknown)
        yield class_maps
      class_maps.finish()
  except (OSError, RasterioError) as error:
    reason = getattr(error, "strerror", None) or " ".join(str(error).split())
    raise RequestError(f"cannot write {stem.absolute()}.*: {reason.lower()}") from error


def _table(areas: list[ClassArea], codes: Mapping[int, int]) -> bytes:
  """The areas as CSV, with hectares to the square metre and, if they differ, the numbers in the labels."""
  rows = [
    [
      area.class_id,
      *([codes.get(area.class_id, area.class_id)] if codes else []),
      csv_cells.escape_formula(area.name),
      area.pixels,
      *([] if area.hectares is None else [f"{area.hectares:.4f}"]),
    ]
    for area in areas
  ]
  heads = ["class", *(["code"] if codes else []), "name", "pixels", "hectares"]
  return csv_cells.csv_text([heads[: len(rows[0])], *rows]).encode(errors="backslashreplace")
