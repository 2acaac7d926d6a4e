"""How a window of an image is cut into tiles of one shape, and the halo that they need."""

from collections.abc import Iterator
from typing import NamedTuple

from mtl_hsi.scenes.windows import Pair, Window


class Margins(NamedTuple):
  """Rows and columns that surround a tile.

  Attributes:
    whole: of a tile that has all rows or columns of the window.
    part: of one that does not.
  """

  whole: Pair
  part: int

  def around(self, rows: int, columns: int, height: int, width: int) -> Pair:
    """Returns those of a tile of a window."""
    sizes = zip((rows, columns), (height, width), self.whole, strict=True)
    return tuple(whole if tile == size else self.part for tile, size, whole in sizes)


def halo_of(window: Window, shape: Pair, reach: int) -> Pair:
  """Returns the rows and columns of the halo of a tile: none where the tile extends from border to border.

  Args:
    window: rows and columns of the tile.
    shape: rows and columns that the image has.
    reach: how far pixels depend on each other.
  """
  return tuple(
    0 if (part.start, part.stop) == (0, size) else reach for part, size in zip(window, shape, strict=True)
  )


def equal_tiles(height: int, width: int, pixels: int, *, devices: int, margins: Margins) -> Iterator[Window]:
  """Cuts a window into tiles of equal shape, so that one program serves all; the last ones overlap.

  The shape is the one with the least work, measured in pixels of tiles and their surroundings.

  Args:
    height: H of the window.
    width: W of the window.
    pixels: bound on the pixels of a tile.
    devices: how many tiles are classified at once.
    margins: what surrounds a tile.
  """
  rows, columns = _tile_shape(height, width, pixels, devices, margins)
  for top in range(0, height, rows):
    for left in range(0, width, columns):
      row, column = min(top, height - rows), min(left, width - columns)
      yield slice(row, row + rows), slice(column, column + columns)


def _tile_shape(height, width, pixels, devices, margins):
  def work(shape):
    rows, columns = shape
    rounds = -(-(-(-height // rows) * -(-width // columns)) // devices)
    more_rows, more_columns = margins.around(rows, columns, height, width)
    return rounds * (rows + more_rows) * (columns + more_columns)

  # Nearly equal parts of the height; for each, as few parts of the width as the bound allows.
  heights = {-(-height // count) for count in range(1, height + 1)}
  shapes = [
    (rows, -(-width // -(-width // min(width, pixels // rows)))) for rows in sorted(heights) if rows <= pixels
  ]
  return min(shapes, key=work)
