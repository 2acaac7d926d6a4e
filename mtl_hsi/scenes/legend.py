"""Legends: which output of a network stands for which class of a scene.

Every scene has its own classes, or scenes share the classes that have the same name. This is the only place
that turns class ids into outputs and outputs into class ids.
"""

import dataclasses
import itertools
import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from mtl_hsi.errors import RequestError

# Class ids have 16 bits in maps.
_LARGEST_ID = 2**16 - 1
# The name of a class that a file does not name.
_UNNAMED = re.compile(r"class \d+")


@dataclasses.dataclass(frozen=True)
class Legend:
  """The classes of all scenes.

  Attributes:
    scenes: name of every class by its id, ascending, by scene.
    names: names of the outputs of the head that all scenes share, in their order; None: every scene has its
      own head, with an output for each of its classes in ascending order of their ids.
  """

  scenes: Mapping[str, Mapping[int, str]]
  names: tuple[str, ...] | None

  def outputs(self) -> tuple[tuple[int, ...], ...] | None:
    """Returns for every scene the outputs of its classes, see `Network.shared_outputs`."""
    if self.names is None:
      return None
    return tuple(tuple(map(self.names.index, names.values())) for names in self.scenes.values())

  def class_names(self, scene: str) -> dict[int, str]:
    """Returns id and name of the class of every output, in the order of the outputs.

    A class that the scene lacks has the id that it has in the first other scene, if that is free in this one,
    or else the number after the largest id of any scene.
    """
    own = self.scenes[scene]
    if self.names is None:
      return dict(own)
    ids = {title: class_id for class_id, title in own.items()}
    largest = max(map(max, self.scenes.values()))
    new = itertools.chain(range(largest + 1, _LARGEST_ID + 1), range(1, largest + 1))
    taken = set(own)
    for title in self.names:
      if title not in ids:
        found = (i for names in self.scenes.values() for i, other in names.items() if other == title)
        ids[title] = next(i for i in itertools.chain([next(found)], new) if i not in taken)
        taken.add(ids[title])
    return {ids[title]: title for title in self.names}

  def class_ids(self, scene: str) -> np.ndarray:
    """Returns the class id of every output, int32 `[outputs]`; see `class_names`."""
    return np.array(list(self.class_names(scene)), np.int32)

  def positions_in(self, other: "Legend") -> np.ndarray | None:
    """Returns the output of every class in another legend, int32 `[C]`, -1 where it lacks the class.

    None if one of the legends is not shared.
    """
    if self.names is None or other.names is None:
      return None
    found = [other.names.index(title) if title in other.names else -1 for title in self.names]
    return np.array(found, np.int32)


def outputs_of(class_ids: np.ndarray, labels: np.ndarray) -> np.ndarray:
  """Returns the outputs of class ids, int `[...]`.

  Args:
    class_ids: class id of every output `[C]`, see `Legend.class_ids`.
    labels: class ids of the scene `[...]`.
  """
  order = np.argsort(class_ids)
  return order[np.searchsorted(class_ids, labels, sorter=order)]


def make_legend(scenes: Mapping[str, Mapping[int, str]], *, shared: bool) -> Legend:
  """Returns the legend of some scenes.

  The outputs of a shared head are in the order in which their names first occur, over the scenes and their
  class ids.

  Args:
    scenes: name of every class by its id, by scene.
    shared: whether scenes share the classes that have the same name.

  Raises:
    RequestError: a scene that would share its legend has two classes of one name.
  """
  ordered = {name: dict(sorted(classes.items())) for name, classes in scenes.items()}
  if not shared:
    return Legend(ordered, None)
  for name, classes in ordered.items():
    _check_unique(name, classes)
  titles = itertools.chain.from_iterable(classes.values() for classes in ordered.values())
  return Legend(ordered, tuple(dict.fromkeys(titles)))


def _check_unique(scene, classes):
  first = {}
  for class_id, title in classes.items():
    if first.setdefault(title, class_id) != class_id:
      raise RequestError(
        f"scene {scene!r}: classes {first[title]} and {class_id} are both named {title!r}; with "
        "legend=shared a name stands for one class: rename one, for example by --config.files.<scene>.classes"
      )


def notes(legend: Legend) -> Iterator[str]:
  """Yields what is unusual about a shared legend, as sentences that begin with "warning: " or "note: "."""
  if legend.names is None:
    return
  scenes_of = {
    title: [name for name, classes in legend.scenes.items() if title in classes.values()]
    for title in legend.names
  }
  for one, other in itertools.combinations(legend.names, 2):
    # The summary of a scene points out those of the scene.
    if spelled(one) == spelled(other) and not set(scenes_of[one]) & set(scenes_of[other]):
      first, second = (f"{title!r} ({_listed(scenes_of[title])})" for title in (one, other))
      yield (
        f"warning: the classes {first} and {second} count as two, because their names are spelled "
        "differently; give them one name if they are the same"
      )
  common = [title for title in legend.names if len(scenes_of[title]) > 1]
  if len(legend.scenes) > 1 and not common:
    yield "warning: legend=shared, but no two scenes have a class of the same name"
  unnamed = [title for title in common if _UNNAMED.fullmatch(title)]
  if unnamed:
    yield (
      f"note: classes without names are shared by their ids ({_listed(unnamed)}); give them names if one id "
      "stands for different classes"
    )


def spelled(title: str) -> str:
  """Returns a name without what people spell in several ways: case, blanks, hyphens, leading zeros."""
  return re.sub(r"(?<!\d)0+(?=\d)", "", re.sub(r"[\s_-]+", "", title)).casefold()


def _listed(names: Sequence[str]) -> str:
  """Returns the first names of a list as text."""
  return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
