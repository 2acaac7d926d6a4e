"""Maps of a scene as images: false colour, ground truth, prediction and errors."""

import dataclasses
import math
from collections.abc import Iterator, Sequence

import numpy as np

from mtl_hsi.report import colours
from mtl_hsi.report.map_classes import classes_of
from mtl_hsi.report.run_report import SceneReport
from mtl_hsi.scenes.cube import ENOUGH_PIXELS, every_nth
from mtl_hsi.scenes.scene import Scene

# Percentiles of a band's values that become black and full colour.
_CONTRAST = (2, 98)
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


def scene_maps(report: SceneReport) -> Iterator[Map]:
  """Yields the scene's `false_colour`, `ground_truth`, `prediction` and, if pixels were tested, `errors`."""
  scene = report.scene
  no_data = [] if scene.nodata is None else [(colours.NO_DATA, "no data")]
  classes = class_legend(scene)

  def of(name, image, legend):
    return Map(name, f"{scene.title}: {name.replace('_', ' ')}", image, legend + no_data)

  yield of("false_colour", _false_colour(scene, report.false_colour_bands), _band_legend(report))
  unlabelled = [(colours.UNLABELLED, "unlabelled")]
  yield of("ground_truth", class_image(scene, scene.labels), classes + unlabelled)
  yield of("prediction", *_prediction(report))
  if len(report.test):
    yield of("errors", _errors(report), ERROR_LEGEND)


def _prediction(report: SceneReport) -> tuple[np.ndarray, list[tuple[colours.RGB, str]]]:
  scene, unknown = report.scene, report.unknown_id
  return class_image(scene, report.measured_prediction, unknown), class_legend(scene, unknown)


def class_legend(scene: Scene, unknown_id: int | None = None) -> list[tuple[colours.RGB, str]]:
  """Returns colour, id and name of each class of a map of a scene; see `classes_of`."""
  return [(colour, class_label(class_id, name)) for class_id, name, colour in classes_of(scene, unknown_id)]


def class_label(class_id: int, name: str) -> str:
  """Returns id and name, or only the name if it is the default, "class <id>"."""
  return name if name == f"class {class_id}" else f"{class_id}  {name}"


def class_image(scene: Scene, ids: np.ndarray, unknown_id: int | None = None) -> np.ndarray:
  """Returns class ids `[H, W]`, 0 is unlabelled, in the classes' colours: uint8 `[H, W, 3]`."""
  classes = classes_of(scene, unknown_id)
  table = np.array([colours.UNLABELLED, *(one.colour for one in classes)], np.uint8)
  known = np.array([one.class_id for one in classes])
  image = np.empty((*ids.shape, 3), np.uint8)
  # Row by row, so that no large map is copied as positions of 8 bytes.
  for target, row in zip(image, ids, strict=True):
    target[:] = table[np.where(row > 0, 1 + np.searchsorted(known, row), 0)]
  return _hide_no_data(scene, image)


def _false_colour(scene: Scene, bands: Sequence[int]) -> np.ndarray:
  planes, measured = every_nth(scene.cube, 1, bands), scene.measured
  image = np.empty(planes.shape, np.uint8)
  step = max(1, math.isqrt(measured.size // ENOUGH_PIXELS))
  sample = planes[::step, ::step][measured[::step, ::step]]
  # If few pixels are measured, the sample may contain none of them.
  sample = sample if len(sample) else planes[measured]
  for channel in range(len(bands)):
    low, high = np.percentile(sample[:, channel].astype(np.float32), _CONTRAST)
    # Row by row, so that no large image is copied as numbers of 8 bytes.
    for target, plane, valid in zip(image, planes, measured, strict=True):
      values = np.where(valid, plane[:, channel].astype(np.float32), 0)
      shares = (values - low) / (high - low if high > low else 1)
      target[:, channel] = (255 * shares.clip(0, 1)).round()
  return _hide_no_data(scene, image)


def _errors(report: SceneReport) -> np.ndarray:
  image = np.full((*report.scene.labels.shape, 3), colours.UNLABELLED, np.uint8)
  test = tuple(report.test.T)
  correct = report.prediction[test] == report.scene.labels[test]
  image[test] = np.where(correct[:, None], colours.CORRECT, colours.WRONG)
  image[tuple(report.train.T)] = colours.TRAINING
  return _hide_no_data(report.scene, image)


def _hide_no_data(scene: Scene, image: np.ndarray) -> np.ndarray:
  image[~scene.measured] = colours.NO_DATA
  return image


def _band_legend(report: SceneReport) -> list[tuple[colours.RGB, str]]:
  wavelengths = report.scene.wavelengths
  legend = []
  for channel, (name, band) in enumerate(
    zip(("red", "green", "blue"), report.false_colour_bands, strict=True)
  ):
    centre = "" if wavelengths is None else f", {wavelengths[band]:.0f} nm"
    primary = tuple(255 * (channel == other) for other in range(3))
    legend.append((primary, f"{name}: band {band} (from 0){centre}"))
  return legend
