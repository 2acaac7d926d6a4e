"""Figure 2: maps of Pavia University by six trainings, side by side."""

from collections.abc import Sequence

import numpy as np

from mtl_hsi.report import maps
from mtl_hsi.report.compared_cell import column_title
from mtl_hsi.scenes.scene import Scene

TARGET = "PU"
SAMPLES_PER_CLASS = 10

# The caption names single task, partners PC, IN and SA, ALL, and training without spectral knowledge; which
# map is which it does not say [inferred].
COLUMNS = (
  "hresnet/single",
  "hresnet/with/PC",
  "hresnet/with/IN",
  "hresnet/with/SA",
  "hresnet/with/ALL",
  "hresnet/without/PC",
)

_LETTERS = dict(zip(COLUMNS, "abcdef", strict=True))
_ACROSS = 3


def draw(scene: Scene, panels: Sequence[tuple[str, np.ndarray, float]]) -> bytes:
  """Draws the maps in two rows with the classes' legend; returns a PNG.

  Args:
    scene: the target.
    panels: of every map its column, its class ids `[H, W]` and its overall accuracy in %.
  """
  titled = [
    (f"({_LETTERS[column]}) {column_title(column)}: {accuracy:.2f} %", maps.class_image(scene, ids))
    for column, ids, accuracy in panels
  ]
  return maps.sheet(
    f"{scene.title}, {SAMPLES_PER_CLASS} samples per class", titled, maps.class_legend(scene), _ACROSS
  )
