"""How a window of an image is cut into tiles of one shape."""

from collections.abc import Iterator

from mtl_hsi.scenes.windows import Window


def equal_tiles(height: int, width: int, pixels: int, *, devices: int, margin: int) -> Iterator[Window]:
  """Cuts a window into tiles of equal shape, so that one program serves all; the last ones overlap.

  The shape is the one with the least work, measured in pixels of tiles and their halos.

  Args:
    height: H of the window.
    width: W of the window.
    pixels: bound on the pixels of a tile.
    devices: how many tiles are classified at once.
    margin: rows and columns that the halo adds to a tile.
  """
  rows, columns = _tile_shape(height, width, pixels, devices, margin)
  for top in range(0, height, rows):
    for left in range(0, width, columns):
      row, column = min(top, height - rows), min(left, width - columns)
      yield slice(row, row + rows), slice(column, column + columns)


def _tile_shape(height, width, pixels, devices, margin):
  def work(shape):
    rows, columns = shape
    rounds = -(-(-(-height // rows) * -(-width // columns)) // devices)
    return rounds * (rows + margin) * (columns + margin)

  # Nearly equal parts of the height; for each, as few parts of the width as the bound allows.
  heights = {-(-height // count) for count in range(1, height + 1)}
  shapes = [
    (rows, -(-width // -(-width // min(width, pixels // rows)))) for rows in sorted(heights) if rows <= pixels
  ]
  return min(shapes, key=work)
