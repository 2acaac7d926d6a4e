"""Class numbers in files, and the ids that stand for them: 1 to 65535, as 0 means unlabelled in outputs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.plurals import noun
from mtl_hsi.scenes.images.arrays import format_shape
from mtl_hsi.scenes.labels.class_table import LARGEST_ID, ClassTable, free_ids
from mtl_hsi.scenes.labels.label_set import Reading

# How many classes a message lists.
_SHOWN = 5
# The largest number that float64 and int64 both store exactly.
_LARGEST_CODE = 2**53


def assign_ids(codes: Iterable[int], table: ClassTable | None, where: str) -> dict[int, int]:
  """Returns the id of every class number.

  A number of the table has the id that it has there. Any other one is its own id if it can be; if not, as 0
  and numbers of many digits, it gets the next id after the largest one.

  Args:
    codes: class numbers, none negative.
    table: classes by id, or None.
    where: the source, for messages.

  Raises:
    RequestError: a number is that of no class in the table, but the id of one; or there are too many classes.
  """
  known, by_name, of_table = {}, {}, set()
  if table is not None:
    known = {code: class_id for class_id, code in table.codes.items()}
    by_name = {name: class_id for class_id, name in table.names.items()}
    of_table = set(table.names)
  ids, rest = {}, []
  for code in sorted(set(codes)):
    if code in known:
      ids[code] = known[code]
    elif code not in of_table and str(code) in by_name:
      ids[code] = by_name[str(code)]
    elif code in of_table and code in table.codes:
      raise RequestError(
        f"{where}: class {code} is not in the other labels, where {table.codes[code]} has {code} as its id; "
        f"write {table.codes[code]} if you mean that class, or list all classes in a table (classes)"
      )
    elif 0 < code <= LARGEST_ID:
      ids[code] = code
    else:
      rest.append(code)
  return ids | dict(zip(rest, free_ids(of_table | set(ids.values()), len(rest), where), strict=True))


def renumbered(ids: Mapping[int, int]) -> dict[int, int]:
  """Returns the class number by id of the classes whose number is not their id."""
  return {class_id: code for code, class_id in ids.items() if code != class_id}


def describe(codes: Mapping[int, int], names: Mapping[int, str]) -> str:
  """Returns a remark on the classes whose number in the labels is not their id.

  Args:
    codes: class number by id.
    names: name by id.
  """
  listed = [f"{code} is {class_id} ({names[class_id]})" for class_id, code in sorted(codes.items())]
  more = f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else ""
  hint = "; if 0 means unlabelled in the labels, set labels_nodata=0" if 0 in codes.values() else ""
  numbers = noun(len(codes), "class number", "class numbers")
  return (
    f"{numbers} of the labels with another id in all outputs, where ids are 1 to {LARGEST_ID}: "
    f"{', '.join(listed[:_SHOWN])}{more}{hint}"
  )


class NumberedImage(NamedTuple):
  """An image of ids.

  Attributes:
    image: ids int32 `[H, W]`, 0 where unlabelled.
    ids: the id of every class number.
    remarks: one sentence on zeros that are unlabelled though they may be a class.
  """

  image: np.ndarray
  ids: dict[int, int]
  remarks: tuple[str, ...]


def number_image(
  values: np.ndarray,
  unlabelled: Sequence[float],
  reading: Reading,
  where: str,
  masked: np.ndarray | None = None,
) -> NumberedImage:
  """Turns an image of class numbers into one of ids.

  Args:
    values: whole numbers of any dtype `[H, W]`; NaN is unlabelled.
    unlabelled: values of unlabelled pixels if `reading` has none.
    reading: the table of classes and the values of unlabelled pixels.
    where: the source, for messages.
    masked: further unlabelled pixels, bool `[H, W]`, or None.

  Raises:
    RequestError: the array is not an image of class numbers.
  """
  _check_image(values, where)
  table = reading.table
  labelled = ~_is_unlabelled(values, reading.unlabelled or unlabelled)
  if masked is not None:
    labelled &= ~masked
  kept = values[labelled]
  found = np.unique(kept)
  _check_numbers(found, where)
  ids = assign_ids(map(int, found.tolist()), table, where)
  image = np.zeros(values.shape, np.int32)
  if len(found):
    # `ids` has the order of its making, not that of the numbers.
    image[labelled] = np.array([ids[int(code)] for code in found.tolist()], np.int32)[
      np.searchsorted(found, kept)
    ]
  zeros = not reading.unlabelled and ((values == 0) & (image == 0)).any()
  return NumberedImage(image, ids, _zero_remarks(values, table) if zeros else ())


def _is_unlabelled(values: np.ndarray, unlabelled: Sequence[float]) -> np.ndarray:
  """Returns which pixels of a label image are NaN or have one of the values, bool `[H, W]`."""
  found = np.isnan(values) if values.dtype.kind == "f" else np.zeros(values.shape, bool)
  # The largest numbers of float64 exceed the range of float32.
  with np.errstate(over="ignore"):
    for value in unlabelled:
      found |= values == value
  return found


def _check_image(values: np.ndarray, where: str) -> None:
  if values.ndim != 2 or values.size == 0:
    raise RequestError(f"{where} is {format_shape(values.shape)}; expected rows x columns")
  if values.dtype.kind not in "iuf":
    raise RequestError(f"{where} has dtype {values.dtype}; expected integer class ids, with 0 for unlabelled")


def _check_numbers(found: np.ndarray, where: str) -> None:
  """Checks the different values of a label image, ascending."""
  fractions = found[found != np.floor(found)]
  if fractions.size:
    raise RequestError(f"{where} contains {fractions[0]}; expected integer class ids, with 0 for unlabelled")
  if len(found) and found[0] < 0:
    raise RequestError(
      f"{where} contains {found[0]:.15g}, and class ids must be positive; if it means unlabelled, set "
      f"labels_nodata={found[0]:.15g} (0 is then a class) or labels_nodata={found[0]:.15g},0"
    )
  if len(found) and found[-1] > _LARGEST_CODE:
    raise RequestError(
      f"{where} contains {found[-1]:.15g}, which is no class number; if it means unlabelled, set "
      f"labels_nodata={found[-1]:.15g}"
    )
  if len(found) > LARGEST_ID:
    raise RequestError(f"{where} contains {len(found)} different values; expected one for every class")


def _zero_remarks(values: np.ndarray, table: ClassTable | None) -> tuple[str, ...]:
  """Returns a remark on zeros that are unlabelled by default, though something says that they are a class."""
  hint = "if 0 is a class, say which other value is unlabelled, such as labels_nodata=255"
  if table is not None and 0 in table.codes.values():
    name = next(table.names[class_id] for class_id, code in table.codes.items() if code == 0)
    return (f"the table of classes names 0 ({name!r}), but 0 means unlabelled in the labels; {hint}",)
  if values.dtype.kind == "f" and np.isnan(values).any():
    return ("0 and NaN both mean unlabelled in the labels; if 0 is a class, set labels_nodata=nan",)
  return ()
