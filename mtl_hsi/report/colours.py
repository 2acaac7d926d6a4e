"""Colours of classes and marks, the same in all maps, tables and rasters."""

from collections.abc import Sequence

from mtl_hsi.scenes.scene import Scene

RGB = tuple[int, int, int]

# The first seven are Okabe and Ito's for colour-blind readers. Each further one is the sRGB colour farthest
# from all previous ones, black and NO_DATA (in OKLab, also under simulated red and green blindness).
_TABLE = bytes.fromhex(
  "e69f00 56b4e9 009e73 f0e442 0072b2 d55e00 cc79a7 990066 "
  "665500 9955ff 22dd77 00ffff 7700bb cc22aa 886677 bb0000 "
  "ff88ff 0044dd ee1155 99aa88 664488 99ffaa 5588ee 007744 "
  "ff99aa eeeedd ff6666 eebbff 778811 ee55cc bb88ff ffbb88 "
  "bbcc00 6655cc 6699aa 55ccaa bb8855 aaaacc 9988cc 9955bb "
  "66ff66 aa5533 22ddee aaddaa aa9900 994477 006677 88bb44 "
  "bb5599 992299 557788 884433 887755 ffcccc 225599 cc0066 "
  "ddff00 bb55dd ff7722 99aaff aaffee 00bb66 998888 ffdd88"
)

UNLABELLED: RGB = (0, 0, 0)
NO_DATA: RGB = (200, 200, 200)
CORRECT: RGB = (86, 100, 120)
WRONG: RGB = (255, 140, 0)
TRAINING: RGB = (255, 255, 255)


def class_colour(position: int) -> RGB:
  """Returns the colour of the class at a position, from 0, in ascending order of ids; repeats after 64."""
  start = 3 * position % len(_TABLE)
  return tuple(_TABLE[start : start + 3])


def scene_colours(scene: Scene) -> list[RGB]:
  """Returns the colours of a scene's classes in ascending order of ids, its own colours if it has some."""
  given = scene.class_colours or {}
  return [
    tuple(map(int, given.get(class_id, class_colour(position))))
    for position, class_id in enumerate(scene.class_ids.tolist())
  ]


def colours_of(scene: Scene, class_ids: Sequence[int]) -> list[RGB]:
  """Returns the colours of classes, some of which the scene may lack; those come after its own."""
  known = dict(zip(scene.class_ids.tolist(), scene_colours(scene), strict=True))
  others = [class_id for class_id in class_ids if class_id not in known]
  more = {class_id: class_colour(len(known) + position) for position, class_id in enumerate(others)}
  return [(known | more)[class_id] for class_id in class_ids]


def hexadecimal(colour: RGB) -> str:
  """Returns a colour as in HTML, "#rrggbb"."""
  return "#" + bytes(colour).hex()
