"""The text of a scenes file, with comments on what its files contain."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import yaml

from mtl_hsi.errors import RequestError
from mtl_hsi.plurals import noun
from mtl_hsi.runtime.streams import one_line
from mtl_hsi.scenes.images.bad_bands import format_bands
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.scenes.labels.columns import Column, Columns
from mtl_hsi.scenes.labels.label_set import Labels
from mtl_hsi.scenes.summary import position

# Columns, classes and remarks that are listed, and characters of each.
_MOST, _LONGEST = 30, 100

_TEST = """\
  # test: visited.gpkg           labels for testing only; without them, polygons are left out in turn
"""
_FURTHER = """\
  # Further options; remove the # from those that you need. mtl-hsi new does not know them:
  # more_labels: proposals.csv   further labels, for training only
  # nodata: -9999                value of pixels without a measurement, if the image does not declare it
  # bad_bands: 0,103:108         bands to leave out, counted from 0
"""


def write_scene(
  name: str,
  options: Mapping[str, str | Path | None],
  path: Path,
  image: Image,
  labels: Labels,
  columns: Columns | None,
) -> str:
  """Returns the text of a scenes file with one scene.

  Args:
    name: of the scene.
    options: its options in their order; None where there is none.
    path: the scenes file. Paths are relative to its directory; absolute ones stay absolute.
    image: the image.
    labels: the labels.
    columns: the columns of the labels, or None.

  Raises:
    RequestError: the name of a file is no text.
  """
  comments = {
    "cube": _image_lines(image),
    "labels": _labels_lines(columns),
    "label_column": _class_lines(labels),
    "wavelengths": ["Band centres."],
    "classes": ["Ids, names and colours of the classes."],
    "test": ["Labels for testing only."],
  }
  if options.get("label_column") is None:
    comments["cube" if options.get("labels") is None else "labels"] += _class_lines(labels)
  lines = []
  for key, value in options.items():
    if value is not None:
      lines += [f"  # {_short(text)}" for text in comments.get(key, ())]
      lines.append(f"  {_entry(key, _relative(value, path.parent) if isinstance(value, Path) else value)}")
  if image.wavelengths is None:
    lines.append(
      "  # wavelengths: bands.csv       a row per band with its centre, and its width if you know it"
    )
  head = _HEAD.format(file=one_line(shlex.quote(str(path))), name=name)
  # YAML has quotes around a name such as null.
  title = yaml.safe_dump({name: ""}).partition(":")[0]
  further = _FURTHER if options.get("test") else _FURTHER + _TEST
  return f"{head}\n{title}:\n" + "\n".join(lines) + f"\n{further}"


_HEAD = """\
# A scenes file by mtl-hsi new. Paths are relative to the directory of this file. What you can do with it:
#   mtl-hsi check {file}                   reads and checks everything, and writes nothing
#   mtl-hsi train {file} -o runs/{name}    trains networks, and writes a map and a report
# To train several scenes together, add them below this one. docs/scenes.md explains all options.
"""


def _relative(path: Path, folder: Path) -> str:
  if path.is_absolute():
    return str(path)
  # Symbolic links to directories are resolved first, as they are when the path is read.
  return os.path.relpath(path.parent.resolve() / path.name, folder.resolve())


def _entry(key: str, value: str) -> str:
  try:
    value.encode()
  except UnicodeEncodeError:
    raise RequestError(f"the name {value!r} is not valid text; rename the file") from None
  return yaml.safe_dump({key: value}, allow_unicode=True, width=float("inf")).rstrip("\n")


def _image_lines(image: Image) -> list[str]:
  lines = [f"{image.height} rows x {image.width} columns{position(image.georeference)}", _bands(image)]
  if len(image.dropped):
    lines.append(f"Bad bands that are left out (from 0): {format_bands(image.dropped)}")
  if not image.knows_nodata:
    lines.append("The image declares no value for pixels without a measurement.")
  return [*lines, *image.remarks[:_MOST]]


def _bands(image: Image) -> str:
  text = f"{image.bands} {noun(image.bands, 'band')} of {image.dtype}"
  if image.wavelengths is None:
    return f"{text}; the wavelengths are unknown"
  return f"{text}, {image.wavelengths.min():g} to {image.wavelengths.max():g} nm"


def _labels_lines(columns: Columns | None) -> list[str]:
  if columns is None:
    return []
  place = f", in {columns.crs}" if columns.crs else ""
  lines = [f"{columns.count} {noun(columns.count, *columns.nouns)}{place}. Columns:"]
  return [*lines, *(f"  {_column(column)}" for column in columns.columns[:_MOST])]


def _column(column: Column) -> str:
  more = ", ..." if column.count > len(column.examples) else ""
  examples = ", ".join(text[:_LONGEST] for text in column.examples)
  return f"{column.name}: {column.count} {noun(column.count, 'value')} ({examples}{more})"


def _class_lines(labels: Labels) -> list[str]:
  counts = np.bincount(labels.image.ravel())
  ids = np.flatnonzero(counts[1:]) + 1
  lines = [f"{len(ids)} {noun(len(ids), 'class', 'classes')}, {counts[1:].sum()} labelled pixels:"]
  names = labels.names or {}
  lines += [
    f"  {class_id} {names.get(class_id, '')} ({counts[class_id]} {noun(int(counts[class_id]), 'pixel')})"
    for class_id in ids[:_MOST].tolist()
  ]
  more = [f"  and {len(ids) - _MOST} more"] if len(ids) > _MOST else []
  return [*lines, *more, *labels.remarks[:_MOST]]


def _short(text: str) -> str:
  """Returns a text in one line of bounded length; leading blanks stay."""
  line = one_line(text)
  line = line if len(line) <= 2 * _LONGEST else f"{line[: 2 * _LONGEST - 3]}..."
  return " " * (len(text) - len(text.lstrip(" "))) + line
