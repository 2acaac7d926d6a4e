"""Reads the labels of a scene from all its files."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mtl_hsi.scenes.labels import combine
from mtl_hsi.scenes.labels.arrays import has_labels
from mtl_hsi.scenes.labels.class_codes import describe
from mtl_hsi.scenes.labels.class_names import resolve_classes
from mtl_hsi.scenes.labels.class_table import ClassTable, read_class_table
from mtl_hsi.scenes.labels.label_file import Cube, read_label_file, share_columns
from mtl_hsi.scenes.labels.label_kinds import Kind, find_kind
from mtl_hsi.scenes.labels.label_set import Labels, Reading


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
    more_labels: file with labels of further pixels, all for training, or None. Its classes are those of
      `labels`, by id or name; `classes` may list further ones.
    test: file with the labels of the test pixels, in which case `labels` are the training pixels, or None.
    test_key: like `labels_key`, for the file `test`.
    labels_nodata: values that mean unlabelled in all these files. If there are none, the nodata value of a
      raster does, or else 0 in label images; 0 is a class in features and tables.
    labels_crs: coordinate reference system of the features or points in `labels`, which replaces that in the
      file, or None. It also applies to the other files with the same ending.
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
  labels_nodata: tuple[float, ...] = ()
  labels_crs: str | None = None


def read_labels(name: str, options: LabelOptions, cube: Cube, spectra: Sequence[str] | None = None) -> Labels:
  """Reads the labels of the scene `name` from all its files.

  Args:
    name: of the scene.
    options: the files.
    cube: the cube of the scene.
    spectra: classes of the spectra of a library, as ids or names; those that the labels lack are new classes.
      With a library, there may be no labels. None: no library.

  Raises:
    RequestError: a file cannot be read, or the files do not fit the cube or one another.
  """
  table = None if options.classes is None else read_class_table(options.classes)
  path = options.labels or cube.path
  reading = Reading(
    options.label_column, options.split_column, table, options.labels_nodata, options.labels_crs
  )

  def read(path: Path, key: str | None, chosen: Reading) -> Labels:
    return read_label_file(path, key, cube, chosen, options.class_names)

  if spectra and not (options.labels or options.labels_key or has_labels(cube.path)):
    labels = Labels(np.zeros(cube.grid.shape, np.int32), {}, origin="no file")
  else:
    labels = read(path, options.labels_key, reading)
  if spectra:
    labels = _with_spectra(labels, spectra, reading, options.class_names or {})
  if options.more_labels is not None:
    # A table of proposals names its column "class", whatever the column of the labels is.
    columns = find_kind(options.more_labels) is Kind.FEATURES
    chosen = _for_other(reading, path, options.more_labels, labels, columns=columns)
    more = read(options.more_labels, None, chosen)
    if table is None:
      combine.check_known_classes(name, labels, more, options.class_names or {})
    labels = combine.add_training_labels(name, labels, more)
  if options.test is not None:
    columns = share_columns(options.test, path)
    chosen = _for_other(reading, path, options.test, labels, columns=columns)
    test = read(options.test, options.test_key, chosen)
    labels = combine.add_test_labels(name, labels, test)
  return _with_codes_described(labels)


def _for_other(reading: Reading, path: Path, other: Path, labels: Labels, *, columns: bool) -> Reading:
  """Returns how to read a further file, which is for training or testing and has no column for the split.

  Args:
    reading: how the first file was read.
    path: the first file.
    other: the further file.
    labels: the labels that were read before.
    columns: whether the column of the classes is that of the first file.
  """
  known = ClassTable(labels.names, labels.colours or {}, labels.codes, extensible=True)
  return reading._replace(
    classes=reading.classes if columns else None,
    split=None,
    table=reading.table or known,
    crs=reading.crs if path.suffix.lower() == other.suffix.lower() else None,
  )


def _with_codes_described(labels: Labels) -> Labels:
  """Adds a remark on the classes whose id is not their number in the labels."""
  codes = {class_id: code for class_id, code in labels.codes.items() if class_id in labels.names}
  remarks = (describe(codes, labels.names),) if codes else ()
  return labels._replace(codes=codes, remarks=(*labels.remarks, *remarks))


def _with_spectra(
  labels: Labels, spectra: Sequence[str], reading: Reading, given: Mapping[int, str]
) -> Labels:
  """Adds the class ids of the spectra of a library, and the names of their classes."""
  known = ClassTable(labels.names, labels.colours or {}, labels.codes, extensible=True)
  reading = reading._replace(table=reading.table or known)
  found = resolve_classes(spectra, reading, ("spectrum", "spectra"), "the library (library)")
  ids, codes = np.zeros(len(spectra), np.int32), {**labels.codes, **found.codes}
  ids[found.kept] = found.ids
  titles = {**labels.names, **(found.names or {}), **reading.table.names, **given}
  of_spectra = {i: titles.get(i, f"class {codes.get(i, i)}") for i in np.unique(found.ids).tolist()}
  return labels._replace(
    names=dict(sorted({**of_spectra, **labels.names}.items())),
    codes=codes,
    spectra=ids,
    remarks=(*labels.remarks, *(f"library: {remark}" for remark in found.remarks)),
  )
