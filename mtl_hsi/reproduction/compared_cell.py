"""One cell of the paper's tables beside what we measured for it."""

import dataclasses
import functools

import numpy as np

from mtl_hsi.evaluation import significance
from mtl_hsi.paper.protocol import SHORT_NAMES
from mtl_hsi.paper.published import PaperFigure
from mtl_hsi.scenes.public.catalogue import PUBLIC_SCENES

_PAPER_RUNS = 10  # [author]; the letter does not say
_MODELS = {"svm": "SVM", "hresnet": "HResNet", "ccnn": "CCNN"}
_SCENES = {SHORT_NAMES[name]: facts.title for name, facts in PUBLIC_SCENES.items()}


@dataclasses.dataclass(frozen=True)
class ComparedCell:
  """One cell of the paper's tables and what we measured for it; accuracies in %.

  Attributes:
    table: the table's name, such as "Table III".
    target: short name of its scene, "IN", "SA", "PU" or "PC".
    scene: name of the scene that was used as the target.
    column: as in `mtl_hsi/paper/published.csv`, such as "hresnet/with/SA".
    samples_per_class: the row.
    ours: overall accuracy of every replica `[R]`, in the order of seeds, or None
      where the cell was not run.
    paper: the paper's figure, or None where the source text does not contain it.
    alone: overall accuracy of the same network trained on the target alone with
      the same seeds `[R]`; None for single-task columns or where it was not run.
    discordant: test pixels of all replicas that only this cell, and only the
      single task, gets right, or None.
    stand_ins: titles of the scenes that stand in for public ones; empty where
      all scenes are the paper's own.
    by_the_letter: whether network and training were the letter's.
  """

  table: str
  target: str
  scene: str
  column: str
  samples_per_class: int
  ours: tuple[float, ...] | None
  paper: PaperFigure | None
  alone: tuple[float, ...] | None
  discordant: tuple[int, int] | None
  stand_ins: tuple[str, ...]
  by_the_letter: bool

  @property
  def mean_std(self) -> tuple[float, float] | None:
    """Mean and population standard deviation of our replicas, or None."""
    return None if self.ours is None else (float(np.mean(self.ours)), float(np.std(self.ours)))

  @property
  def published(self) -> PaperFigure | None:
    """The paper's figure where ours may stand beside it: of the same scenes and the same training."""
    return self.paper if self.by_the_letter and not self.stand_ins else None

  @functools.cached_property
  def difference(self) -> significance.Difference | None:
    """Ours less the paper's, or None where one of them is missing or they are not comparable."""
    if self.ours is None or self.published is None:
      return None
    return significance.welch(self.ours, *self.published, _PAPER_RUNS)

  @functools.cached_property
  def gain(self) -> significance.Paired | None:
    """Ours less the single task's, seed by seed, or None where one of them is missing."""
    if self.ours is None or self.alone is None:
      return None
    return significance.paired(self.ours, self.alone)

  @property
  def mcnemar_p(self) -> float | None:
    """McNemar's p against the single task; too small, as it pools the pixels of all replicas."""
    return None if self.discordant is None else significance.mcnemar(*self.discordant)


def scene_title(target: str) -> str:
  """Returns the name in prose of a scene given by its short name: "PU" is "Pavia University"."""
  return _SCENES.get(target, target)


def column_title(column: str) -> str:
  """Returns a column's name in words: "hresnet/with/SA" is "HResNet with Salinas, spectral knowledge"."""
  model, *kind = column.split("/")
  model = _MODELS.get(model, model)
  if len(kind) != 2:
    return ", ".join([model, *("single task" if word == "single" else word for word in kind)])
  knowledge, partners = kind
  how = {"with": "spectral knowledge", "without": "no spectral knowledge"}.get(knowledge, knowledge)
  if partners.startswith("INVERSE-"):
    partners, how = partners.removeprefix("INVERSE-"), "bands reversed"
  if partners == "ALL":
    return f"{model} with all other scenes, {how}"
  return f"{model} with {' and '.join(map(scene_title, partners.split('+')))}, {how}"
