"""The classes of the maps of a scene: those of its labels, and "unknown" where a map has it."""

from collections.abc import Collection
from typing import NamedTuple

from mtl_hsi.report import colours
from mtl_hsi.scenes.scene import Scene

# Name of the class of pixels that are unlike every class.
UNKNOWN_NAME, UNKNOWN_COLOUR = "unknown", (120, 120, 120)
_LARGEST_ID = 2**16 - 1


class MapClass(NamedTuple):
  """A class of a map."""

  class_id: int
  name: str
  colour: colours.RGB


def classes_of(scene: Scene, unknown_id: int | None = None) -> list[MapClass]:
  """Returns the classes of a map in ascending order of ids.

  Args:
    scene: whose labels have the other classes.
    unknown_id: that of unknown pixels, or None if the map has no such class.
  """
  found = [
    MapClass(class_id, scene.class_names[class_id], colour)
    for class_id, colour in zip(scene.class_ids.tolist(), colours.scene_colours(scene), strict=True)
  ]
  if unknown_id is not None:
    found.append(MapClass(unknown_id, UNKNOWN_NAME, UNKNOWN_COLOUR))
  return sorted(found)


def free_id(class_ids: Collection[int]) -> int:
  """Returns an id for unknown pixels: the first after the largest one, else the smallest free one."""
  largest = max(class_ids)
  return largest + 1 if largest < _LARGEST_ID else next(i for i in range(1, largest) if i not in class_ids)
