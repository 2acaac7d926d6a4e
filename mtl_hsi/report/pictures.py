"""PNG files: one map or several side by side, magnified, with title and legend."""

import functools
import importlib.util
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mtl_hsi.report.colours import RGB

Legend = Sequence[tuple[RGB, str]]

_SIDE = 600  # pixels; a smaller image is magnified by the largest whole number that stays within
_LARGEST_ZOOM = 8
_MARGIN, _GAP, _ROW, _SWATCH = 16, 24, 22, 14
_TITLE = 36
_LEAST_LEGEND_ROWS = 12


def encode_png(image: np.ndarray) -> bytes:
  """Returns an image, uint8 `[H, W, 3]`, as a PNG of the same size."""
  return _encode(Image.fromarray(image))


def draw_picture(title: str, image: np.ndarray, legend: Legend) -> bytes:
  """Draws an image, uint8 `[H, W, 3]`, magnified, below its title and beside its legend; returns a PNG."""
  magnified, entries, heading = _magnified(image), _draw_legend(legend, _zoom(image) * len(image)), _font(18)
  inner = max(magnified.width + _GAP + entries.width, int(heading.getlength(title)) + 1)
  canvas = _canvas(inner, _TITLE + max(magnified.height, entries.height))
  ImageDraw.Draw(canvas).text((_MARGIN, _MARGIN), title, "black", heading)
  canvas.paste(magnified, (_MARGIN, _MARGIN + _TITLE))
  canvas.paste(entries, (_MARGIN + magnified.width + _GAP, _MARGIN + _TITLE))
  return _encode(canvas)


def draw_sheet(
  title: str, titled_images: Sequence[tuple[str, np.ndarray]], legend: Legend, columns: int
) -> bytes:
  """Draws images of one size in rows of `columns`, each below its title, beside one legend; returns a PNG."""
  magnified = [(name, _magnified(image)) for name, image in titled_images]
  caption, first = _font(13), magnified[0][1]
  cell_width = max(first.width, *(int(caption.getlength(name)) + 1 for name, _ in magnified)) + _GAP
  cell_height = first.height + _TITLE
  height = -(-len(magnified) // columns) * cell_height
  entries = _draw_legend(legend, height)
  width = min(columns, len(magnified)) * cell_width
  canvas = _canvas(width + entries.width, _TITLE + max(height, entries.height) - _MARGIN)
  draw = ImageDraw.Draw(canvas)
  draw.text((_MARGIN, _MARGIN), title, "black", _font(18))
  top = _MARGIN + _TITLE
  for index, (name, image) in enumerate(magnified):
    x, y = _MARGIN + index % columns * cell_width, top + index // columns * cell_height
    draw.text((x, y), name, "black", caption)
    canvas.paste(image, (x, y + _ROW))
  canvas.paste(entries, (_MARGIN + width, top + _ROW))
  return _encode(canvas)


def _zoom(image: np.ndarray) -> int:
  return int(np.clip(_SIDE // max(image.shape[:2]), 1, _LARGEST_ZOOM))


def _magnified(image: np.ndarray) -> Image.Image:
  height, width = image.shape[:2]
  size = (_zoom(image) * width, _zoom(image) * height)
  return Image.fromarray(image).resize(size, Image.Resampling.NEAREST)


def _canvas(inner_width: int, inner_height: int) -> Image.Image:
  return Image.new("RGB", (inner_width + 2 * _MARGIN, inner_height + 2 * _MARGIN), "white")


def _draw_legend(entries: Legend, height: int) -> Image.Image:
  """Draws swatches with their meaning in columns that fit the height, or twelve rows if it is less."""
  text = _font(13)
  rows = min(max(height // _ROW, _LEAST_LEGEND_ROWS), len(entries))
  column_width = _SWATCH + 8 + max(int(text.getlength(label)) + 1 for _, label in entries)
  columns = -(-len(entries) // rows)
  strip = Image.new("RGB", (columns * (column_width + _GAP) - _GAP, rows * _ROW), "white")
  draw = ImageDraw.Draw(strip)
  for index, (colour, label) in enumerate(entries):
    x, y = index // rows * (column_width + _GAP), index % rows * _ROW
    draw.rectangle((x, y, x + _SWATCH, y + _SWATCH), colour, "#808080")
    draw.text((x + _SWATCH + 8, y + _SWATCH / 2), label, "black", text, anchor="lm")
  return strip


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont:
  """Returns DejaVu Sans as matplotlib ships it: Pillow's own font has only ASCII letters.

  Importing matplotlib would create a directory for its settings and fail on an unknown MPLBACKEND.
  """
  package = Path(importlib.util.find_spec("matplotlib").origin).parent
  return ImageFont.truetype(package / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf", size)


def _encode(image: Image.Image) -> bytes:
  buffer = io.BytesIO()
  image.save(buffer, "png")
  return buffer.getvalue()
