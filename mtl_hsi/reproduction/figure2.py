"""Figure 2: maps of Pavia University by six trainings, side by side."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mtl_hsi.report import maps, pictures
from mtl_hsi.reproduction.compared_cell import column_title
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

# Overall accuracies in %, printed below the figure.
PAPER = {"a": 75.25, "b": 81.03, "c": 79.83, "d": 80.42, "e": 81.45, "f": 80.54}

_ACROSS = 3


class Panel(NamedTuple):
  """One map of the figure.

  Attributes:
    column: of `COLUMNS`.
    ids: class ids `[H, W]`.
    accuracy: overall, in %.
    comparable: whether scenes, network and training were the paper's.
  """

  column: str
  ids: np.ndarray
  accuracy: float
  comparable: bool

  @property
  def title(self) -> str:
    """Letter, training and accuracy, with that of the paper's map of this letter where it is comparable."""
    letter = _LETTERS[self.column]
    paper = f" (the paper's {letter}: {PAPER[letter]:.2f} %)" if self.comparable else ""
    return f"({letter}) {column_title(self.column)}: {self.accuracy:.2f} %{paper}"


def draw(scene: Scene, panels: Sequence[Panel]) -> bytes:
  """Draws the maps of the target scene in two rows with the classes' legend; returns a PNG."""
  titled = [(panel.title, maps.class_image(scene, panel.ids)) for panel in panels]
  return pictures.draw_sheet(
    f"{scene.title}, {SAMPLES_PER_CLASS} samples per class", titled, maps.class_legend(scene), _ACROSS
  )
