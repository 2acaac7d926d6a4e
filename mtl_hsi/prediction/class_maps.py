"""Class maps of any size, written window by window: GeoTIFF with confidence, ENVI, a quick look, areas.

All files of a set are made in a directory beside it, `.<name>.partial`, and get their names when all are
there; the digests come last, and say that the set is complete.
"""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rasterio.errors import RasterioError
from rasterio.windows import Window

from mtl_hsi.errors import RequestError
from mtl_hsi.evaluation.pixel_areas import pixel_areas
from mtl_hsi.report import colours, csv_cells, maps, pictures, rasters
from mtl_hsi.report.rasters import Legend
from mtl_hsi.scenes.scene import Georeference
from mtl_hsi.storage import checksums, directory_lock
from mtl_hsi.storage.atomic_files import sync

_SUMS = f"_{checksums.NAME}"
# What is added to the path of an output, in the order in which names are given.
ENDINGS = (
  *("_classes.tif", "_classes.tif.aux.xml", "_confidence.tif"),
  *("_classes.img", "_classes.hdr", "_classes.png", "_areas.csv", _SUMS),
)

# Longest side of the quick look.
_QUICK_LOOK = 1024

_UNCLASSIFIED = "Unclassified"


class ClassArea(NamedTuple):
  """What a map has of a class: its id and name, pixels, and hectares, None where they are not known."""

  class_id: int
  name: str
  pixels: int
  hectares: float | None


class ClassMaps:
  """Open files of one class map; use it through `create`."""

  def __init__(
    self,
    stem: Path,
    legend: Legend,
    height: int,
    width: int,
    place: Georeference | None,
    stack: contextlib.ExitStack,
  ):
    self._stem, self._legend = stem, legend
    self._step = -(-max(height, width) // _QUICK_LOOK)
    self._preview = np.zeros((-(-height // self._step), -(-width // self._step)), np.int32)
    self._pixel_areas = pixel_areas(place, height, width)
    self._pixels, self._hectares = np.zeros((2, max(legend.names) + 1))
    size = height, width, place
    self._tiff = stack.enter_context(rasters.create_class_map(_path(stem, "_classes.tif"), legend, *size))
    self._confidence = stack.enter_context(
      rasters.create_confidence(_path(stem, "_confidence.tif"), legend.title, *size)
    )
    envi = {"driver": "ENVI", "count": 1, "dtype": legend.dtype, "nodata": 0}
    self._envi = stack.enter_context(rasters.create(_path(stem, "_classes.img"), *size, **envi))

  def write(
    self, rows: slice, columns: slice, ids: np.ndarray, share: np.ndarray, probability: np.ndarray
  ) -> None:
    """Writes one window: class ids, 0 for no measurement, and confidence, each `[h, w]`."""
    window = Window.from_slices(rows, columns)
    self._tiff.write(ids.astype(self._legend.dtype), 1, window=window)
    self._envi.write(ids.astype(self._legend.dtype), 1, window=window)
    rasters.write_confidence(self._confidence, ids, share, probability, window)
    self._pixels += np.bincount(ids.ravel(), minlength=len(self._pixels))
    if self._pixel_areas is not None:
      self._hectares += self._pixel_areas.by_id(ids, rows, columns, len(self._hectares))
    first_row, first_column = -rows.start % self._step, -columns.start % self._step
    seen = ids[first_row :: self._step, first_column :: self._step]
    top, left = -(-rows.start // self._step), -(-columns.start // self._step)
    self._preview[top : top + seen.shape[0], left : left + seen.shape[1]] = seen

  def areas(self) -> list[ClassArea]:
    """Of every class, as far as the map is written."""
    known = self._pixel_areas is not None
    return [
      ClassArea(i, name, int(self._pixels[i]), float(self._hectares[i]) if known else None)
      for i, name in self._legend.names.items()
    ]

  def finish(self) -> None:
    """Writes what stands beside the rasters, once they are closed."""
    legend = self._legend
    _path(self._stem, "_classes.tif.aux.xml").write_bytes(rasters.category_names(legend.names))
    _complete_envi_header(_path(self._stem, "_classes.hdr"), legend)
    _path(self._stem, "_classes.img.aux.xml").unlink(missing_ok=True)
    table = np.zeros((max(legend.names) + 1, 3), np.uint8)
    table[0] = colours.NO_DATA
    table[list(legend.colours)] = list(legend.colours.values())
    entries = [(legend.colours[i], maps.class_label(i, name)) for i, name in legend.names.items()]
    part = f", every {self._step}th pixel" if self._step > 1 else ""
    entries.append((colours.NO_DATA, "no data"))
    quick_look = pictures.draw_picture(legend.title + part, table[self._preview], entries)
    _path(self._stem, "_classes.png").write_bytes(quick_look)
    _path(self._stem, "_areas.csv").write_bytes(_table(self.areas()))
    names = [self._stem.name + ending for ending in ENDINGS if ending != _SUMS]
    _path(self._stem, _SUMS).write_bytes(checksums.listing(self._stem.parent, names))


def check_free(stem: Path) -> None:
  """Refuses to write over anything but what a killed process has left of a set that was not complete.

  Raises:
    RequestError: a file of that name is there, or another process is at it.
  """
  if _partial(stem).exists():
    with _made_here(stem):
      pass
  for ending in ENDINGS:
    if _path(stem, ending).exists():
      raise _taken(_path(stem, ending))


@contextlib.contextmanager
def create(
  stem: Path, legend: Legend, height: int, width: int, place: Georeference | None
) -> Iterator[ClassMaps]:
  """Files of a class map that get their names when the block ends well, and vanish when it does not.

  Args:
    stem: their common path without endings.
    legend: classes.
    height: H.
    width: W.
    place: on the ground, or None.

  Raises:
    RequestError: something of that name has come in between, or another process is at it (see `check_free`),
      or the files cannot be written.
  """
  made = not stem.parent.exists()
  try:
    with _made_here(stem) as partial:
      with contextlib.ExitStack() as stack:
        files = ClassMaps(partial, legend, height, width, place, stack)
        yield files
      files.finish()
      _publish(partial, stem)
  except (OSError, RasterioError) as error:
    reason = getattr(error, "strerror", None) or " ".join(str(error).split())
    raise RequestError(f"cannot write {stem.absolute()}.*: {reason.lower()}") from error
  finally:
    if made:
      # Succeeds where nothing was written.
      with contextlib.suppress(OSError):
        stem.parent.rmdir()


@contextlib.contextmanager
def _made_here(stem: Path) -> Iterator[Path]:
  """Stem of the files of a set while they are made, by this process alone; they go with the block.

  What a process that was killed has left of such a set goes before.
  """
  partial = _partial(stem)
  with directory_lock.held(partial, f"{stem.absolute()}.*", "--config.output"):
    _clear(partial / stem.name, stem)
    try:
      yield partial / stem.name
    finally:
      # The next process would do it.
      with contextlib.suppress(OSError):
        _clear(partial / stem.name, stem)


def _publish(partial: Path, stem: Path) -> None:
  """Gives all files of a set their names."""
  for ending in ENDINGS:
    sync(_path(partial, ending))
  for ending in ENDINGS:
    if ending == _SUMS:
      sync(stem.parent)
    _name(_path(partial, ending), _path(stem, ending))
  sync(stem.parent)


def _name(made: Path, path: Path) -> None:
  """Gives a file its name, unless another file has it."""
  try:
    os.link(made, path)
  except FileExistsError as error:
    raise _taken(path) from error
  # Some file systems have one name a file only; there, what comes between these two lines is written over.
  except OSError:
    if path.exists():
      raise _taken(path) from None
    os.rename(made, path)


def _clear(partial: Path, stem: Path) -> None:
  """Removes what was made of a set, and takes the names back that it has got, unless it has got all."""
  made = _path(partial, _SUMS)
  if made.exists() and not _is_one(made, _path(stem, _SUMS)):
    for ending in ENDINGS:
      own, path = _path(partial, ending), _path(stem, ending)
      # All were made before the first got its name: one that is not here was renamed.
      if path.exists() and (not own.exists() or _is_one(own, path)):
        path.unlink()
  # First, since without it no name is taken back.
  made.unlink(missing_ok=True)
  for path in partial.parent.iterdir():
    if path.name != directory_lock.LOCK:
      path.unlink()


def _is_one(path: Path, other: Path) -> bool:
  return other.exists() and path.samefile(other)


def _taken(path: Path) -> RequestError:
  return RequestError(
    f"{path.absolute()} exists and stays as it is; name another --config.output, or move it away"
  )


def _partial(stem: Path) -> Path:
  return stem.parent / f".{stem.name}.partial"


def _path(stem: Path, ending: str) -> Path:
  return stem.parent / (stem.name + ending)


def _table(areas: list[ClassArea]) -> bytes:
  """As CSV; hectares to the square metre."""
  rows = [
    [
      own.class_id,
      csv_cells.escape_formula(own.name),
      own.pixels,
      *([] if own.hectares is None else [f"{own.hectares:.4f}"]),
    ]
    for own in areas
  ]
  heads = ["class", "name", "pixels", "hectares"]
  return csv_cells.csv_text([heads[: len(rows[0])], *rows]).encode(errors="backslashreplace")


def _complete_envi_header(path: Path, legend: Legend) -> None:
  """Makes the header that GDAL wrote one of a classification; rasterio offers no way to."""
  # Its description is the name that the file has while it is written.
  kept = re.sub(
    r"^(description|band names) = \{.*?\}\n|^file type = [^\n]*\n",
    "",
    path.read_text("utf-8"),
    flags=re.S | re.M,
  )
  ids = range(max(legend.names) + 1)
  # Commas and braces would end a name.
  safe = str.maketrans(",{}", ";()")
  names = [legend.names.get(i, "").translate(safe) for i in ids]
  names[0] = _UNCLASSIFIED
  table = {0: colours.NO_DATA, **legend.colours}
  lookup = [str(part) for i in ids for part in table.get(i, colours.UNLABELLED)]
  lines = [
    f"description = {{{legend.title.translate(safe)}}}",
    "band names = {predicted class}",
    "file type = ENVI Classification",
    f"classes = {len(names)}",
    f"class lookup = {{{', '.join(lookup)}}}",
    f"class names = {{{', '.join(names)}}}",
  ]
  path.write_text(kept.rstrip("\n") + "\n" + "\n".join(lines) + "\n", "utf-8")
