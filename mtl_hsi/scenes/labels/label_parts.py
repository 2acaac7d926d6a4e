"""Labels of training and of test pixels, told apart by a column or by a file of each."""

from collections.abc import Sequence

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.labels.label_set import Labels

# The values of a column that tells them apart, in small or capital letters.
_USES = ("train", "test")


def tested(uses: Sequence[str], titles: Sequence[str], column: str, where: str) -> np.ndarray:
  """Which entries of a column that says "train" or "test" are for testing, bool `[n]`.

  Args:
    uses: the column.
    titles: what has each of them, such as "line 3".
    column: its name.
    where: the source, for messages.

  Raises:
    RequestError: an entry says neither, or none is for training or none for testing.
  """
  texts = [use.strip().lower() for use in uses]
  for use, text, title in zip(uses, texts, titles, strict=True):
    if text not in _USES:
      raise RequestError(
        f"{where}: {title} has {use!r} in the column {column!r} (split_column); expected train or test"
      )
  for use in _USES:
    if use not in texts:
      raise RequestError(
        f"{where}: nothing has {use!r} in the column {column!r} (split_column); expected some for training "
        "and some for testing, or leave split_column out"
      )
  return np.array([text == "test" for text in texts])


def add(name: str, labels: Labels, more: Labels) -> Labels:
  """Labels with those of further pixels, which are for training whatever the split is.

  Raises:
    RequestError: a pixel has two classes.
  """
  known = labels.image if labels.test is None else np.maximum(labels.image, labels.test)
  both = np.argwhere((known > 0) & (more.image > 0) & (known != more.image))
  if len(both):
    row, column = both[0].tolist()
    new, old = more.names[int(more.image[row, column])], labels.names[int(known[row, column])]
    raise RequestError(
      f"scene {name!r}: {len(both)} pixels have another class in {more.origin} (more_labels) than in "
      f"{labels.origin}, the first at row {row}, column {column}: {new!r} and {old!r}; correct one of them"
    )
  image = np.where(known > 0, labels.image, more.image)
  # A pixel that is for testing stays so.
  trained = (image > 0) & (more.image > 0)
  return labels._replace(
    image=image,
    trained=trained,
    names=dict(sorted({**more.names, **labels.names}.items())),
    colours={**(more.colours or {}), **(labels.colours or {})} or None,
    remarks=(
      *labels.remarks,
      *(f"more labels: {remark}" for remark in more.remarks),
      f"{np.count_nonzero(trained)} pixels of more_labels, all for training",
    ),
    origin=f"{labels.origin} and {more.origin}",
  )


def combine(name: str, train: Labels, test: Labels) -> Labels:
  """Labels of a file for training with those of another one for testing.

  Raises:
    RequestError: one class has two names, or the two have no class in common.
  """
  for class_id, title in test.names.items():
    known = train.names.get(class_id, title)
    if known != title:
      raise RequestError(
        f"scene {name!r}: class {class_id} is called {known!r} among the training labels and {title!r} "
        "among the test labels; give both the same ids and names"
      )
  if not train.names.keys() & test.names.keys():
    raise RequestError(
      f"scene {name!r}: no class is in both the training labels ({', '.join(train.names.values())}) and the "
      f"test labels ({', '.join(test.names.values())}); give both the same ids or names"
    )
  names = {**test.names, **train.names}
  return train._replace(
    names=dict(sorted(names.items())),
    colours={**(test.colours or {}), **(train.colours or {})} or None,
    remarks=(*train.remarks, *(f"test labels: {remark}" for remark in test.remarks)),
    origin=f"{train.origin}, test labels from {test.origin}",
    test=test.image,
  )


def whole(name: str, labels: Labels) -> tuple[np.ndarray, np.ndarray | None]:
  """Labels of training and test pixels in one image, and which are for testing, bool `[H, W]`, or None.

  Raises:
    RequestError: a pixel is for both.
  """
  if labels.test is None:
    return labels.image, None
  both = np.argwhere((labels.image > 0) & (labels.test > 0))
  if len(both):
    row, column = both[0].tolist()
    raise RequestError(
      f"scene {name!r}: {len(both)} pixels are labelled for training and for testing, the first at row "
      f"{row}, column {column}; a test pixel must not be trained on"
    )
  return labels.image + labels.test, labels.test > 0
