"""One cell of the letter's tables and our results for it."""

import dataclasses
import functools

import numpy as np

from mtl_hsi.evaluation import significance
from mtl_hsi.paper.protocol import SHORT_NAMES
from mtl_hsi.paper.published import PaperFigure
from mtl_hsi.scenes.public.catalogue import PUBLIC_SCENES

_PAPER_RUNS = 10  # from the author's code; the letter does not state it
_MODELS = {"svm": "SVM", "hresnet": "HResNet", "ccnn": "CCNN"}
_SCENES = {SHORT_NAMES[name]: facts.title for name, facts in PUBLIC_SCENES.items()}


@dataclasses.dataclass(frozen=True)
class ComparedCell:
  """One cell of the letter's tables and our results for it; accuracies in %.

  Attributes:
    table: the table's name, such as "Table III".
    target: short name of the table's scene: "IN", "SA", "PU" or "PC".
    scene: name of the scene that we used as the target.
    column: as in `mtl_hsi/paper/published.csv`, such as "hresnet/with/SA".
    samples_per_class: training samples per class, the row of the table.
    ours: overall accuracy of every replica `[R]` in the order of seeds; None if the cell was not run.
    paper: the figure in the letter; None if our copy of the letter lacks it.
    alone: overall accuracy of the same network trained on the target alone, with the same seeds `[R]`; None
      for single-task columns, or if that was not run.
    discordant: number of test pixels, over all replicas, that only this cell classifies correctly, and that
      only the single task classifies correctly; or None.
    stand_ins: titles of the scenes that replace public ones; empty if all scenes are those of the letter.
    by_the_letter: whether network and training were those of the letter.
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
    """The figure in the letter, if it is comparable with ours: same scenes, network and training."""
    return self.paper if self.by_the_letter and not self.stand_ins else None

  @functools.cached_property
  def difference(self) -> significance.Difference | None:
    """Our mean minus the letter's; None if one of them is missing or they are not comparable."""
    if self.ours is None or self.published is None:
      return None
    return significance.welch(self.ours, *self.published, _PAPER_RUNS)

  @functools.cached_property
  def gain(self) -> significance.Paired | None:
    """Our accuracies minus those of the single task, paired by seed; None if one of them is missing."""
    if self.ours is None or self.alone is None:
      return None
    return significance.paired(self.ours, self.alone)

  @property
  def mcnemar_p(self) -> float | None:
    """p value of McNemar's test against the single task; too small, because it pools all replicas."""
    return None if self.discordant is None else significance.mcnemar(*self.discordant)


def scene_title(target: str) -> str:
  """Returns the full name of a scene by its short name: "PU" is "Pavia University"."""
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
