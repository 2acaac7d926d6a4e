"""Combines the labels of several files, and splits those of one file into training and test labels."""

from collections.abc import Collection, Sequence

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.plurals import noun
from mtl_hsi.scenes.labels.label_set import Labels
from mtl_hsi.scenes.labels.regions import number_regions

_TRAIN, _TEST = "train", "test"


def parse_split(entries: Sequence[str], titles: Sequence[str], column: str, where: str) -> np.ndarray:
  """Returns which entries of a column are "test", and not "train", bool `[n]`.

  Args:
    entries: the column, in any case.
    titles: names of the rows, such as "line 3", for messages.
    column: its name.
    where: the source, for messages.

  Raises:
    RequestError: an entry is neither, or all entries are the same.
  """
  uses = [entry.strip().lower() for entry in entries]
  for entry, use, title in zip(entries, uses, titles, strict=True):
    if use not in (_TRAIN, _TEST):
      raise RequestError(
        f"{where}: {title} has {entry!r} in the column {column!r} (split_column); expected train or test"
      )
  for use in (_TRAIN, _TEST):
    if use not in uses:
      raise RequestError(
        f"{where}: no row has {use!r} in the column {column!r} (split_column); mark some rows as train and "
        "some as test, or remove split_column"
      )
  return np.array([use == _TEST for use in uses])


def check_known_classes(name: str, labels: Labels, more: Labels, given: Collection[int]) -> None:
  """Checks that further labels have no class that the labels lack, because it may be a typing mistake.

  Args:
    name: of the scene.
    labels: the labels.
    more: the further labels.
    given: ids of further classes that were named.

  Raises:
    RequestError: they have one.
  """
  new = sorted(more.names.keys() - labels.names.keys() - set(given))
  if new:
    listed, known = (
      ", ".join(map(repr, names)) for names in (map(more.names.get, new), labels.names.values())
    )
    raise RequestError(
      f"scene {name!r}: {more.origin} (more_labels) has {noun(len(new), 'the class', 'the classes')} "
      f"{listed}, but {labels.origin} has only {known}; correct the file or, for a new class, list all "
      "classes in a table (classes)"
    )


def add_training_labels(name: str, labels: Labels, more: Labels) -> Labels:
  """Adds pixels that train under every split; those that are for testing already stay so.

  Raises:
    RequestError: a pixel has two classes.
  """
  known = labels.image if labels.test is None else np.maximum(labels.image, labels.test)
  conflicts = np.argwhere((known > 0) & (more.image > 0) & (known != more.image))
  if len(conflicts):
    row, column = conflicts[0].tolist()
    new, old = more.names[int(more.image[row, column])], labels.names[int(known[row, column])]
    raise RequestError(
      f"scene {name!r}: {len(conflicts)} {noun(len(conflicts), 'pixel has', 'pixels have')} another class in "
      f"{more.origin} (more_labels) than in {labels.origin}, the first at row {row}, column {column}: "
      f"{new!r} and {old!r}; correct one of the files"
    )
  image = np.where(known > 0, labels.image, more.image)
  trained = (image > 0) & (more.image > 0)
  added = np.count_nonzero(trained)
  return labels._replace(
    image=image,
    trained=trained,
    units=_join_units(labels, more),
    names=dict(sorted({**more.names, **labels.names}.items())),
    colours={**(more.colours or {}), **(labels.colours or {})} or None,
    codes={**more.codes, **labels.codes},
    remarks=(
      *labels.remarks,
      *(f"more labels: {remark}" for remark in more.remarks),
      f"{added} {noun(added, 'pixel')} from more_labels, all used for training",
    ),
    origin=f"{labels.origin} and {more.origin}",
  )


def add_test_labels(name: str, train: Labels, test: Labels) -> Labels:
  """Combines the labels of one file for training with those of another file for testing.

  Raises:
    RequestError: a class has two names, or the files have no class in common.
  """
  for class_id, title in test.names.items():
    known = train.names.get(class_id, title)
    if known != title:
      raise RequestError(
        f"scene {name!r}: class {class_id} is named {known!r} in the training labels and {title!r} in the "
        "test labels; use the same ids and names in both"
      )
  if not train.names.keys() & test.names.keys():
    raise RequestError(
      f"scene {name!r}: the training labels ({', '.join(train.names.values())}) and the test labels "
      f"({', '.join(test.names.values())}) have no class in common; use the same ids or names in both"
    )
  return train._replace(
    names=dict(sorted({**test.names, **train.names}.items())),
    colours={**(test.colours or {}), **(train.colours or {})} or None,
    codes={**test.codes, **train.codes},
    remarks=(*train.remarks, *(f"test labels: {remark}" for remark in test.remarks)),
    origin=f"{train.origin}, test labels from {test.origin}",
    test=test.image,
    units=_join_units(train, test),
  )


def _join_units(labels: Labels, added: Labels) -> np.ndarray | None:
  """Returns the units of both, those of `added` numbered after the others and only where `labels` has none.

  If only one of the two has units, those of the other are its connected regions.
  """
  if labels.units is None and added.units is None:
    return None
  first, second = (
    number_regions(part.image) if part.units is None else part.units for part in (labels, added)
  )
  return np.where((first > 0) | (second == 0), first, second + first.max()).astype(np.int32)


def merge_split(name: str, labels: Labels) -> tuple[np.ndarray, np.ndarray | None]:
  """Returns training and test labels in one image, and which are for testing, bool `[H, W]` or None.

  Raises:
    RequestError: a pixel is for both.
  """
  if labels.test is None:
    return labels.image, None
  both = np.argwhere((labels.image > 0) & (labels.test > 0))
  if len(both):
    row, column = both[0].tolist()
    raise RequestError(
      f"scene {name!r}: {len(both)} {noun(len(both), 'pixel is', 'pixels are')} labelled for both training "
      f"and testing, the first at row {row}, column {column}; remove each from one of the two"
    )
  return labels.image + labels.test, labels.test > 0
