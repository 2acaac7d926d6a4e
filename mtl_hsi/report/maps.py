"""Maps of a scene as images: false colour, ground truth, prediction and errors."""

import dataclasses
import functools
import io
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mtl_hsi.report import colours
from mtl_hsi.report.contents import SceneReport
from mtl_hsi.scenes.scene import Scene

_SIDE = 600  # pixels; a smaller scene is magnified by the largest whole number that stays within
_LARGEST_ZOOM = 8
_MARGIN, _GAP, _ROW, _SWATCH = 16, 24, 22, 14
_TITLE = 36
_STRETCH = (2, 98)  # percentiles
ERROR_LEGEND = [
  (colours.WRONG, "test pixel, wrong"),
  (colours.CORRECT, "test pixel, correct"),
  (colours.TRAINING, "training pixel"),
  (colours.UNLABELLED, "neither"),
]


@dataclasses.dataclass(frozen=True, eq=False)
class Map:
  """One image of a scene.

  Attributes:
    name: what it shows, as in the name of its file.
    title: the scene's title and what is shown.
    image: uint8 `[H, W, 3]`.
    legend: colours with their meaning.
  """

  name: str
  title: str
  image: np.ndarray
  legend: Sequence[tuple[colours.RGB, str]]


def maps(report: SceneReport) -> list[Map]:
  """Returns the scene's `false_colour`, `ground_truth`, `prediction` and `errors`."""
  scene = report.scene
  no_data = [] if scene.nodata is None else [(colours.NO_DATA, "no data")]
  classes = class_legend(scene)
  unlabelled = [(colours.UNLABELLED, "unlabelled")]
  drawn = [
    ("false_colour", _false_colour(scene, report.false_colour_bands), _band_legend(report) + no_data),
    ("ground_truth", class_image(scene, scene.labels), classes + unlabelled + no_data),
    ("prediction", class_image(scene, report.visible), classes + no_data),
    ("errors", _errors(report), ERROR_LEGEND + no_data),
  ]
  return [
    Map(name, f"{scene.title}: {name.replace('_', ' ')}", image, legend) for name, image, legend in drawn
  ]


def class_legend(scene: Scene) -> list[tuple[colours.RGB, str]]:
  """Returns colour, id and name of each class of a scene."""
  return [
    (colour, class_label(class_id, scene.class_names[class_id]))
    for colour, class_id in zip(colours.of_scene(scene), scene.class_ids.tolist(), strict=True)
  ]


def class_label(class_id: int, name: str) -> str:
  """Id and name; a class that has no name of its own is called after its id."""
  return name if name == f"class {class_id}" else f"{class_id}  {name}"


def png(image: np.ndarray) -> bytes:
  """Encodes an image, uint8 `[H, W, 3]`, at its native size."""
  return _encode(Image.fromarray(image))


def picture(drawn: Map) -> bytes:
  """Draws a map magnified, below its title and beside its legend; returns a PNG."""
  height, width = drawn.image.shape[:2]
  zoom = int(np.clip(_SIDE // max(height, width), 1, _LARGEST_ZOOM))
  image = Image.fromarray(drawn.image).resize((zoom * width, zoom * height), Image.Resampling.NEAREST)
  legend = _legend(drawn.legend, image.height)
  title = _font(18)
  inner = max(image.width + _GAP + legend.width, int(title.getlength(drawn.title)) + 1)
  canvas = Image.new(
    "RGB", (inner + 2 * _MARGIN, max(image.height, legend.height) + _TITLE + 2 * _MARGIN), "white"
  )
  ImageDraw.Draw(canvas).text((_MARGIN, _MARGIN), drawn.title, "black", title)
  canvas.paste(image, (_MARGIN, _MARGIN + _TITLE))
  canvas.paste(legend, (_MARGIN + image.width + _GAP, _MARGIN + _TITLE))
  return _encode(canvas)


def sheet(
  title: str, titled: Sequence[tuple[str, np.ndarray]], legend: Sequence[tuple[colours.RGB, str]], across: int
) -> bytes:
  """Draws several images of one size, each below its title, so many across, beside their legend; a PNG."""
  heading, text = _font(18), _font(13)
  height, width = titled[0][1].shape[:2]
  zoom = int(np.clip(_SIDE // max(height, width), 1, _LARGEST_ZOOM))
  column = max(zoom * width, *(int(text.getlength(name)) + 1 for name, _ in titled)) + _GAP
  row = zoom * height + _TITLE
  rows = -(-len(titled) // across)
  entries = _legend(legend, rows * row)
  left, top = min(across, len(titled)) * column, _MARGIN + _TITLE
  canvas = Image.new(
    "RGB", (left + entries.width + 2 * _MARGIN, max(rows * row, entries.height) + top + _MARGIN), "white"
  )
  draw = ImageDraw.Draw(canvas)
  draw.text((_MARGIN, _MARGIN), title, "black", heading)
  for place, (name, image) in enumerate(titled):
    x, y = _MARGIN + place % across * column, top + place // across * row
    draw.text((x, y), name, "black", text)
    size = (zoom * width, zoom * height)
    canvas.paste(Image.fromarray(image).resize(size, Image.Resampling.NEAREST), (x, y + _ROW))
  canvas.paste(entries, (_MARGIN + left, top + _ROW))
  return _encode(canvas)


def _legend(entries: Sequence[tuple[colours.RGB, str]], height: int) -> Image.Image:
  """In as many columns as a height, of twelve rows at least, asks for."""
  text = _font(13)
  rows = min(max(height // _ROW, 12), len(entries))
  column = _SWATCH + 8 + max(int(text.getlength(label)) + 1 for _, label in entries)
  columns = -(-len(entries) // rows)
  strip = Image.new("RGB", (columns * (column + _GAP) - _GAP, rows * _ROW), "white")
  draw = ImageDraw.Draw(strip)
  for i, (colour, label) in enumerate(entries):
    x, y = i // rows * (column + _GAP), i % rows * _ROW
    draw.rectangle((x, y, x + _SWATCH, y + _SWATCH), colour, "#808080")
    draw.text((x + _SWATCH + 8, y + _SWATCH / 2), label, "black", text, anchor="lm")
  return strip


def _false_colour(scene: Scene, bands: Sequence[int]) -> np.ndarray:
  """Each band stretched between its 2nd and 98th percentile."""
  planes = scene.cube[:, :, list(bands)].astype(np.float32)
  measured = scene.measured
  if measured.any():
    low, high = np.percentile(planes[measured], _STRETCH, axis=0)
    planes = np.where(measured[..., None], planes, 0)
    planes = (planes - low) / np.where(high > low, high - low, 1)
  image = (255 * planes.clip(0, 1)).round().astype(np.uint8)
  image[~measured] = colours.NO_DATA
  return image


def class_image(scene: Scene, ids: np.ndarray) -> np.ndarray:
  """Class ids `[H, W]`, 0 is unlabelled, in the classes' colours: uint8 `[H, W, 3]`."""
  table = np.array([colours.UNLABELLED, *colours.of_scene(scene)], np.uint8)
  places = np.where(ids > 0, 1 + np.searchsorted(scene.class_ids, ids), 0)
  return _hide_no_data(scene, table[places])


def _errors(report: SceneReport) -> np.ndarray:
  scene = report.scene
  image = np.full((*scene.labels.shape, 3), colours.UNLABELLED, np.uint8)
  wrong = report.prediction != scene.labels
  rows, columns = report.test[report.test[:, 0] >= 0].T
  image[rows, columns] = np.where(wrong[rows, columns, None], colours.WRONG, colours.CORRECT)
  rows, columns = report.train[report.train[:, 0] >= 0].T
  image[rows, columns] = colours.TRAINING
  return _hide_no_data(scene, image)


def _hide_no_data(scene: Scene, image: np.ndarray) -> np.ndarray:
  if scene.nodata is not None:
    image[scene.nodata] = colours.NO_DATA
  return image


def _band_legend(report: SceneReport) -> list[tuple[colours.RGB, str]]:
  wavelengths = report.scene.wavelengths
  legend = []
  for i, (name, band) in enumerate(zip(("red", "green", "blue"), report.false_colour_bands, strict=True)):
    place = "" if wavelengths is None else f", {wavelengths[band]:.0f} nm"
    legend.append((tuple(255 * (i == j) for j in range(3)), f"{name}: band {band} (from 0){place}"))
  return legend


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont:
  """DejaVu Sans as matplotlib ships it: Pillow's own font has no letters beyond ASCII."""
  return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", size)


def _encode(image: Image.Image) -> bytes:
  buffer = io.BytesIO()
  image.save(buffer, "png")
  return buffer.getvalue()
