"""Figure 2: maps of Pavia University by networks of six trainings."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mtl_hsi.report import maps, pictures
from mtl_hsi.reproduction.compared_cell import column_title
from mtl_hsi.scenes.scene import Scene

TARGET = "PU"
SAMPLES_PER_CLASS = 10

# The caption lists single task, the partners PC, IN, SA and ALL, and training without spectral knowledge, but
# does not assign them to the maps. The order of the maps is inferred.
COLUMNS = (
  "hresnet/single",
  "hresnet/with/PC",
  "hresnet/with/IN",
  "hresnet/with/SA",
  "hresnet/with/ALL",
  "hresnet/without/PC",
)

_INDICES = dict(zip(COLUMNS, "abcdef", strict=True))

# Overall accuracies in % below the maps of the letter.
PAPER = {"a": 75.25, "b": 81.03, "c": 79.83, "d": 80.42, "e": 81.45, "f": 80.54}

_ACROSS = 3


class Panel(NamedTuple):
  """One map of the figure.

  Attributes:
    column: one of `COLUMNS`.
    ids: class ids `[H, W]`.
    accuracy: overall accuracy in %.
    comparable: whether scenes, network and training were those of the letter.
  """

  column: str
  ids: np.ndarray
  accuracy: float
  comparable: bool

  @property
  def title(self) -> str:
    """Index of the map, training and accuracy; if comparable, also the accuracy of that map in the letter."""
    index = _INDICES[self.column]
    paper = f" (in the letter: {PAPER[index]:.2f} %)" if self.comparable else ""
    return f"({index}) {column_title(self.column)}: {self.accuracy:.2f} %{paper}"


def draw(scene: Scene, panels: Sequence[Panel]) -> bytes:
  """Returns a PNG of the maps of the target scene, in two rows, with a legend of the classes."""
  titled = [(panel.title, maps.class_image(scene, panel.ids)) for panel in panels]
  return pictures.draw_sheet(
    f"{scene.title}, {SAMPLES_PER_CLASS} samples per class", titled, maps.class_legend(scene), _ACROSS
  )
