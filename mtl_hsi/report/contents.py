"""What a report is made of."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from mtl_hsi.evaluation.proposals import Proposals
from mtl_hsi.paper.published import PaperFigure
from mtl_hsi.scenes.scene import Scene


@dataclasses.dataclass(frozen=True, eq=False)
class SceneReport:
  """One scene and how it was classified.

  Attributes:
    scene: the scene.
    metrics: as `mtl_hsi.evaluation.metrics.summarise` returns them.
    prediction: class ids of every pixel, first replica, int `[H, W]`.
    train: row-column coordinates of its training pixels, first replica, int32
      `[n, 2]`; rows of -1 are padding.
    test: the same for its test pixels `[m, 2]`.
    false_colour_bands: indices of the bands shown as red, green and blue.
    bands: which of the scene's bands were used, in words.
    paper: overall accuracy in the paper's cell of this experiment, or None.
    leakage: share of test pixels whose patch holds a training pixel, or None where there are no test pixels.
    vote_share: share of the snapshots that voted for the predicted class, first
      replica, `[H, W]`, or None where nothing voted.
    probability: mean probability of the predicted class, likewise.
    patch_overlap: share of those whose patch overlaps a training patch, or None.
    proposals: pixels to label next, or None where none were asked for.
    reach: pixels over which the map is smoothed, 0 where it is not.
    voters: networks that vote.
    split: how training and test pixels were told apart, in a sentence.
  """

  scene: Scene
  metrics: dict
  prediction: np.ndarray
  train: np.ndarray
  test: np.ndarray
  false_colour_bands: tuple[int, int, int]
  bands: str
  paper: PaperFigure | None
  leakage: float | None
  vote_share: np.ndarray | None = None
  probability: np.ndarray | None = None
  patch_overlap: float | None = None
  proposals: Proposals | None = None
  reach: int = 0
  voters: int = 1
  split: str = ""

  @property
  def given(self) -> bool:
    """Whether the user said which pixels are tested."""
    return self.scene.tested is not None

  @property
  def replicas(self) -> int:
    """How many networks were trained and tested."""
    return len(self.metrics["overall_accuracy"]["replicas"])

  @property
  def difference(self) -> float | None:
    """Overall accuracy less the paper's, in percentage points."""
    ours = self.metrics["overall_accuracy"]["mean"]
    if self.paper is None or ours is None:
      return None
    return 100 * ours - self.paper.mean

  @property
  def visible(self) -> np.ndarray:
    """The prediction, 0 where the scene holds no measurement, `[H, W]`."""
    if self.scene.nodata is None:
      return self.prediction
    return np.where(self.scene.nodata, 0, self.prediction)


@dataclasses.dataclass(frozen=True, eq=False)
class RunReport:
  """One run over one scene or several.

  Attributes:
    title: heading of the page.
    description: the model and how it was trained, in a line.
    scenes: the scenes in the order of training.
    target: name of the scene that the run is about.
    losses: training loss of each epoch, replica and scene `[epochs, R, T]`, or
      None where nothing was trained by epochs.
    phases: name and number of epochs of each phase, in order.
    seconds: time spent, by activity.
    config: the resolved config, nested.
    environment: versions, devices and so on, nested; `directory` is the one it was started in.
    command: the command line.
  """

  title: str
  description: str
  scenes: Sequence[SceneReport]
  target: str
  losses: np.ndarray | None
  phases: Sequence[tuple[str, int]]
  seconds: Mapping[str, float]
  config: Mapping
  environment: Mapping
  command: str

  @property
  def replicas(self) -> int:
    """How many networks were trained and tested."""
    return self.scenes[0].replicas

  @property
  def starts(self) -> int:
    """How often the run was started until it was done."""
    return len(self.environment["starts"])
