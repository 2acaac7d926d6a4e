"""Regions of interest that ENVI exported as text (ASCII).

A header of lines with ";" has the size of the image ("File Dimension", columns x rows) and name, colour and
number of points of each region; below it, or below each region, a line names the columns (ID, X, Y and, with
a georeference, Map X, Map Y, Lat, Lon, and then bands), and every point has a line. X and Y count from 1.
"""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.arrays import format_shape
from mtl_hsi.scenes.labels.class_names import resolve_classes
from mtl_hsi.scenes.labels.class_table import RGB
from mtl_hsi.scenes.labels.label_set import Grid, Labels, Reading
from mtl_hsi.storage import memory

_FIELD = re.compile(r";\s*(File Dimension|ROI name|ROI rgb value|ROI npts)\s*:\s*(.*)", re.IGNORECASE)
_COLUMNS = re.compile(r"map [xy]|[^\s,]+")
_NOUNS = "region", "regions"
# The most memory, in bytes, for a byte of text: that of lines with one character.
MEMORY_RATIO = 160
# Bytes at the beginning of a file that show its format.
_HEAD = 4096


class _Region(NamedTuple):
  """Name, colour, and declared number of points."""

  name: str
  colour: RGB | None
  count: int


def is_roi_text(path: Path) -> bool:
  """Returns whether a file is an export of regions as text, by its beginning."""
  with path.open("rb") as file:
    head = file.read(_HEAD)
  return head.lstrip(b"\xef\xbb\xbf").startswith(b";") and b"ROI" in head


def read_roi_text(path: Path, grid: Grid, reading: Reading) -> Labels:
  """Labels the pixels of all regions; a region is a class, and regions of one name are the same class.

  Pixels are those of the file if it was made for an image of the scene's size. Otherwise they are found by
  their map coordinates, in the coordinate reference system of the scene. Pixels of several classes stay
  unlabelled. There are no units: what was drawn as one is a connected region.

  Raises:
    RequestError: the file is incomplete, or its points cannot be located in the scene.
  """
  where = str(path.absolute())
  size, regions, heads, points = _parse(path, where)
  places = _places(size, heads, points, grid, where)
  names = [region.name for region in regions]
  classes = resolve_classes(names, reading, _NOUNS, where)
  ids = np.zeros(len(names), int)
  ids[classes.kept] = classes.ids
  of_points = np.repeat(ids, [region.count for region in regions])
  inside = ((places >= 0) & (places < grid.shape)).all(axis=1)
  if not inside.any():
    raise RequestError(f"{where}: all {len(places)} points are outside the scene; is it for another image?")
  image, overlap = _paint(places[inside], of_points[inside], grid.shape)
  remarks = list(classes.remarks)
  if not inside.all():
    remarks.append(f"{np.count_nonzero(~inside)} of {len(inside)} points outside the scene left out")
  if overlap:
    remarks.append(f"{overlap} pixels in regions of several classes left unlabelled")
  colours = {int(i): region.colour for i, region in zip(ids, regions) if i and region.colour is not None}
  return Labels(image, classes.names, colours or None, tuple(remarks), codes=classes.codes)


def _paint(places: np.ndarray, ids: np.ndarray, shape: tuple[int, int]) -> tuple[np.ndarray, int]:
  """Returns the label image, and the number of pixels with several classes, which stay unlabelled."""
  low, high = np.full(shape, np.iinfo(np.int32).max, np.int32), np.zeros(shape, np.int32)
  rows, columns = places[ids > 0].T
  np.minimum.at(low, (rows, columns), ids[ids > 0])
  np.maximum.at(high, (rows, columns), ids[ids > 0])
  several = (high > 0) & (low != high)
  return np.where(several, 0, high).astype(np.int32), int(np.count_nonzero(several))


def _parse(path: Path, where: str) -> tuple[tuple[int, int] | None, list[_Region], list[str], np.ndarray]:
  """Returns rows and columns of the image, the regions, the columns, and all points `[n, c]`."""
  size, regions, heads, lines = None, [], [], []
  for line in _lines(path, where):
    field = _FIELD.match(line)
    if field:
      key, text = field[1].lower(), field[2].strip()
      if key == "file dimension":
        found = re.fullmatch(r"(\d{1,9})\s*x\s*(\d{1,9})", text)
        size = (int(found[2]), int(found[1])) if found else None
      elif key == "roi name":
        regions.append(_Region(text, None, 0))
      elif regions and key == "roi rgb value":
        regions[-1] = regions[-1]._replace(colour=_colour(text))
      elif regions and re.fullmatch(r"\d{1,9}", text):
        regions[-1] = regions[-1]._replace(count=int(text))
    elif line.startswith(";"):
      columns = _COLUMNS.findall(line[1:].lower())
      heads = columns if "x" in columns and "y" in columns else heads
    elif line.strip():
      lines.append(line)
  expected = sum(region.count for region in regions)
  if not regions or len(lines) != expected:
    raise RequestError(
      f"{where} has {len(regions)} regions with {expected} points in its header, and {len(lines)} lines of "
      "points; export the regions again"
    )
  if not heads:
    raise RequestError(
      f"{where} has no columns X and Y; export the regions again, with the locations of pixels (ID, X, Y)"
    )
  return size, regions, heads, _numbers(lines, len(heads), where)


def _lines(path: Path, where: str) -> list[str]:
  try:
    memory.check_file(path, MEMORY_RATIO)
    data = path.read_bytes()
  except OSError as error:
    raise RequestError(f"cannot read {where}: {error}") from error
  try:
    text = data.decode("utf-8-sig")
  except UnicodeDecodeError:
    text = data.decode("cp1252", "replace")
  return text.splitlines()


def _numbers(lines: list[str], count: int, where: str) -> np.ndarray:
  """Returns the first numbers of every line, float64 `[n, count]`; missing bands are NaN."""
  found = np.full((len(lines), count), np.nan)
  for place, line in enumerate(lines):
    cells = re.split(r"[\s,]+", line.strip(" ,\t"), maxsplit=count)[:count]
    try:
      found[place, : len(cells)] = cells
    except ValueError as error:
      raise RequestError(f"{where}: {line.strip()[:60]!r} is no point; export the regions again") from error
  return found


def _places(size, heads: list[str], points: np.ndarray, grid: Grid, where: str) -> np.ndarray:
  """Returns row and column of every point, from 0, int `[n, 2]`; outside of the scene, -1."""
  if size is None or size == grid.shape:
    places = points[:, [heads.index("y"), heads.index("x")]] - 1
  elif grid.georeference is not None and "map x" in heads and "map y" in heads:
    to_pixels = np.linalg.inv(grid.georeference.matrix)
    on_map = points[:, [heads.index("map x"), heads.index("map y")]]
    places = (on_map @ to_pixels[:2, :2].T + to_pixels[:2, 2])[:, ::-1]
  else:
    raise RequestError(
      f"{where} is for an image of {format_shape(size)} pixels (rows x columns), and the scene is "
      f"{format_shape(grid.shape)}; both must have the same size, or the points map coordinates"
    )
  # NaN and numbers beyond the range of integers are outside.
  fine = (np.abs(places) < 2**31).all(axis=1)
  return np.where(fine[:, None], np.floor(np.where(fine[:, None], places, 0)), -1).astype(int)


def _colour(text: str) -> RGB | None:
  found = re.fullmatch(r"\{\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\}", text)
  colour = tuple(map(int, found.groups())) if found else None
  return colour if colour is not None and max(colour) < 256 else None
