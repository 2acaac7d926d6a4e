"""Names and colours of classes, and classes given as numbers or names."""

import re
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.plurals import noun
from mtl_hsi.scenes.images.arrays import format_shape, location, npz_contains, read_array
from mtl_hsi.scenes.labels.class_codes import assign_ids, renumbered
from mtl_hsi.scenes.labels.class_table import LARGEST_ID, RGB, UNSURE, ClassTable, free_ids
from mtl_hsi.scenes.labels.label_set import Reading

_NUMBER = re.compile(r"([+-]?)(\d{1,15})(\.0*)?")
# Texts of a cell without a class.
_MISSING = ("", "nan", "null", "<null>")
# Breaks of lines and tabs within a name become blanks; other control characters are rejected by the scene.
_BREAKS = re.compile("[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+")
# How many names a message lists, and characters of each.
_SHOWN, _LONGEST = 5, 40


class Classes(NamedTuple):
  """The classes of features or of rows of a table.

  Attributes:
    kept: which of them have a class, bool `[n]`.
    ids: class ids of those int `[kept]`.
    names: names by id if the classes are given by name, or None.
    codes: class number by id, of the classes whose number is not their id.
    remarks: one sentence for each change that users should know.
  """

  kept: np.ndarray
  ids: np.ndarray
  names: dict[int, str] | None
  codes: dict[int, int]
  remarks: tuple[str, ...]


def resolve_classes(values: Sequence[Any], reading: Reading, nouns: tuple[str, str], where: str) -> Classes:
  """Returns the classes of features or rows, which are numbers or names.

  They are numbers if all of them are whole numbers, unless two differ by leading zeros only, as the texts '1'
  and '01'. Names get the ids of the table or, without a table, 1, 2, ... in sorted order. An extensible table
  gives the names that it lacks the ids after its last one. Blanks at the ends of names do not count.

  A `?`, or "unsure", is no class unless the table has it.

  Args:
    values: numbers or texts; those without a class are None, NaN or empty.
    reading: the table of classes, and the numbers that mean that there is no class.
    nouns: what has the classes, in singular and plural, for remarks.
    where: the source, for messages.

  Raises:
    RequestError: none has a class, or a name is not in the table.
  """
  table = reading.table
  raw = ["" if _is_missing(value) else str(value) for value in values]
  texts = [_BREAKS.sub(" ", text.strip()) for text in raw]
  unsure = set(UNSURE) - ({name.lower() for name in table.names.values()} if table else set())
  numbers = _numbers([text for text in texts if text.lower() not in {*_MISSING, *unsure}])
  states = np.array([_state(text, reading.unlabelled, unsure, numbers is not None) for text in texts], int)
  kept, remarks = states == 0, _left_out(states, nouns)
  chosen = [text for text, keep in zip(texts, kept) if keep]
  if not chosen:
    raise RequestError(f"{where}: no {nouns[0]} has a class")
  if numbers is not None:
    ids = assign_ids({numbers[text] for text in chosen}, table, where)
    found = np.array([ids[numbers[text]] for text in chosen])
    return Classes(kept, found, None, renumbered(ids), remarks)
  ids = _ids_of_names(chosen, table, where)
  names = {ids[text]: text for text in sorted(set(chosen))}
  remarks += _blanks([text for text, keep in zip(raw, kept) if keep])
  return Classes(kept, np.array([ids[text] for text in chosen]), names, {}, remarks)


def _is_missing(value: Any) -> bool:
  """Returns whether a value is None, pandas' NA, or not equal to itself, as NaN and NaT."""
  if value is None:
    return True
  try:
    return bool(value != value)
  # NA is neither equal nor unequal to itself.
  except (TypeError, ValueError):
    return True


def _numbers(texts: Sequence[str]) -> dict[str, int] | None:
  """Returns the numbers by their texts, or None if the texts are names."""
  found = {text: _NUMBER.fullmatch(text) for text in set(texts)}
  if not all(found.values()):
    return None
  numbers = {text: int(match[1] + match[2]) for text, match in found.items()}
  # Without leading zeros, different texts of one number, such as 1 and 1.0, are the same class.
  padded = [numbers[text] for text, match in found.items() if match[2] != str(abs(numbers[text]))]
  plain = {numbers[text] for text, match in found.items() if match[2] == str(abs(numbers[text]))}
  if plain & set(padded) or len(set(padded)) < len(padded):
    return None
  return numbers


def _state(text: str, unlabelled: Sequence[float], unsure: Collection[str], numeric: bool) -> int:
  """Returns 0 for a class, 1 for none, 2 for an unlabelled number, 3 for a negative one, and 4 for unsure."""
  if text.lower() in _MISSING:
    return 1
  if text.lower() in unsure:
    return 4
  match = _NUMBER.fullmatch(text)
  if match and float(match[0]) in unlabelled:
    return 2
  return 3 if numeric and text.startswith("-") and match[2].strip("0") else 0


def _left_out(states: np.ndarray, nouns: tuple[str, str]) -> tuple[str, ...]:
  """Returns remarks on the features or rows that label nothing."""
  reasons = (
    "without a class",
    "of unlabelled classes (labels_nodata)",
    "of negative classes",
    "marked as unsure",
  )
  counts = [int(np.count_nonzero(states == state)) for state in (1, 2, 3, 4)]
  return tuple(
    f"{count} {noun(count, *nouns)} {reason} left out" for count, reason in zip(counts, reasons) if count
  )


def _ids_of_names(texts: Sequence[str], table: ClassTable | None, where: str) -> dict[str, int]:
  if table is None:
    different = sorted(set(texts))
    return dict(zip(different, free_ids((), len(different), where), strict=True))
  ids = {name: class_id for class_id, name in table.names.items()}
  unknown = sorted(set(texts) - set(ids))
  if unknown and table.extensible:
    ids |= dict(zip(unknown, free_ids(set(table.names), len(unknown), where), strict=True))
  elif unknown:
    raise RequestError(
      f"{where}: classes {', '.join(map(repr, unknown))} are not in the table of classes; it lists "
      f"{', '.join(map(repr, ids))}"
    )
  return ids


def _blanks(raw: Sequence[str]) -> tuple[str, ...]:
  """Returns a remark on names that are spelled with and without blanks at their ends."""
  spellings = {}
  for text in set(raw):
    spellings.setdefault(text.strip(), set()).add(text)
  found = sorted(name for name, texts in spellings.items() if len(texts) > 1)
  if not found:
    return ()
  more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
  listed = ", ".join(repr(name[:_LONGEST]) for name in found[:_SHOWN])
  return (f"names that differ only in blanks at their ends count as one class: {listed}{more}",)


def name_classes(
  image: np.ndarray,
  given: Mapping[int, str] | None,
  codes: Mapping[int, int],
  *paths: Path,
) -> dict[int, str]:
  """Returns a name for every class id in a label image.

  Names are those given, those in the first of the files with some, or "class" and the class number.

  Args:
    image: class ids `[H, W]`.
    given: names by id, or None.
    codes: class number by id, of the classes whose number is not their id.
    paths: files that may have names.

  Raises:
    RequestError: a class in the image has no name, or the names in a file are invalid.
  """
  present = np.unique(image[image > 0]).tolist()
  names, source = given, "the given class names (classes)"
  for path in paths:
    if names is None and npz_contains(path, "class_names"):
      names, source = _read_class_names(path), location(path, "class_names")
  if names is None:
    return {class_id: f"class {codes.get(class_id, class_id)}" for class_id in present}
  unnamed = [codes.get(class_id, class_id) for class_id in present if class_id not in names]
  if unnamed:
    known = [codes.get(class_id, class_id) for class_id in sorted(names)]
    hint = "; if 0 means unlabelled, set labels_nodata=0" if 0 in unnamed else ""
    raise RequestError(
      f"{source}: names for ids {known}, but the labels in {paths[0].absolute()} also contain {unnamed}{hint}"
    )
  return {class_id: names[class_id] for class_id in present}


def select_colours(image: np.ndarray, given: Mapping[int, RGB] | None) -> dict[int, RGB] | None:
  """Returns the given colours of the class ids in a label image; None if there are none."""
  present = np.unique(image[image > 0]).tolist()
  return {class_id: given[class_id] for class_id in present if class_id in (given or {})} or None


def _read_class_names(path: Path) -> dict[int, str]:
  names = read_array(path, "class_names")
  if names.ndim != 1 or names.dtype.kind != "U":
    raise RequestError(
      f"{location(path, 'class_names')} has dtype {names.dtype} and shape {format_shape(names.shape)}; "
      "expected one string per class, starting with class 1"
    )
  if len(names) > LARGEST_ID:
    raise RequestError(f"{location(path, 'class_names')} has {len(names)} names; at most {LARGEST_ID} fit")
  if _code_points(names).max(initial=0) > sys.maxunicode:
    raise RequestError(
      f"{location(path, 'class_names')} contains numbers that are no characters; save the names again, for "
      "example as numpy.array(['corn', 'soybean'])"
    )
  return dict(enumerate(names.tolist(), start=1))


def _code_points(texts: np.ndarray) -> np.ndarray:
  """Returns the numbers that NumPy stores for the characters of strings `[n]`, in one row."""
  return np.frombuffer(texts.tobytes(), texts.dtype.str[0] + "u4")
