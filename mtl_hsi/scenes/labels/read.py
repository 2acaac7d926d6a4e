"""Reads the labels of a scene from all its files."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from mtl_hsi.scenes.labels import combine
from mtl_hsi.scenes.labels.class_table import ClassTable, read_class_table
from mtl_hsi.scenes.labels.label_file import Cube, is_vector, read_label_file, share_columns
from mtl_hsi.scenes.labels.label_set import Columns, Labels

_NO_COLUMNS = Columns(None, None)


class LabelOptions(NamedTuple):
  """Files with the labels of a scene, and how to read them.

  Attributes:
    labels: file with the class ids `[H, W]` as an array or a raster, or with features or a table of labelled
      pixels; None if they are in the cube's file.
    labels_key: name of the label image in an .npz or .mat file, or of the layer of features. None selects one
      of `arrays.LABEL_KEYS` or the only image of the cube's size, or the only layer.
    label_column: column with the classes in a table or in features, or None. It also applies to the other
      files of the same kind.
    split_column: column of a table or of features with "train" or "test" (instead of `test`), or None.
    classes: CSV file of id, name and colour (see `class_table`) that replaces those in the files, or None.
    class_names: names by class id, which may include further ids. None uses those in the files, or "class 1"
      and so on.
    more_labels: file with labels of further pixels, all for training, or None. Its classes are matched to
      those of `labels` by id or name; it may have further ones.
    test: file with the labels of the test pixels, in which case `labels` are the training pixels, or None.
    test_key: like `labels_key`, for the file `test`.
  """

  labels: Path | None = None
  labels_key: str | None = None
  label_column: str | None = None
  split_column: str | None = None
  classes: Path | None = None
  class_names: Mapping[int, str] | None = None
  more_labels: Path | None = None
  test: Path | None = None
  test_key: str | None = None


def read_labels(name: str, options: LabelOptions, cube: Cube) -> Labels:
  """Reads the labels of the scene `name` from all its files.

  Raises:
    RequestError: a file cannot be read, or the files do not fit the cube or one another.
  """

  def read(path: Path, key: str | None, columns: Columns, table: ClassTable | None) -> Labels:
    return read_label_file(path, key, cube, columns, table, options.class_names)

  table = None if options.classes is None else read_class_table(options.classes)
  path = options.labels or cube.path
  labels = read(path, options.labels_key, Columns(options.label_column, options.split_column), table)
  # Each further file is for either training or testing and has no column for the split.
  columns = Columns(options.label_column, None)
  if options.more_labels is not None:
    # A table of proposals names its column "class", whatever the column of the labels is.
    more_columns = columns if is_vector(options.more_labels) else _NO_COLUMNS
    more = read(options.more_labels, None, more_columns, table or _extensible(labels))
    labels = combine.add_training_labels(name, labels, more)
  if options.test is not None:
    test_columns = columns if share_columns(options.test, path) else _NO_COLUMNS
    test = read(options.test, options.test_key, test_columns, table or _extensible(labels))
    labels = combine.add_test_labels(name, labels, test)
  return labels


def _extensible(labels: Labels) -> ClassTable:
  return ClassTable(labels.names, labels.colours or {}, extensible=True)
