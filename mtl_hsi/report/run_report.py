"""The values that a report shows."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from mtl_hsi.evaluation.proposals import Proposals
from mtl_hsi.paper.published import PaperFigure
from mtl_hsi.report import leakage_text
from mtl_hsi.scenes.scene import Scene


@dataclasses.dataclass(frozen=True, eq=False)
class ReplicaMap:
  """The map of one replica, and the pixels that trained and tested it.

  Attributes:
    prediction: class id of each pixel, int `[H, W]`.
    train: rows and columns of the training pixels, int32 `[n, 2]`.
    test: the same for the test pixels `[m, 2]`.
    vote_share: share of the snapshots that voted for the predicted class, `[H, W]`, or None.
    probability: mean probability of the predicted class, likewise.
  """

  prediction: np.ndarray
  train: np.ndarray
  test: np.ndarray
  vote_share: np.ndarray | None = None
  probability: np.ndarray | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class LeftOutLabels:
  """The labelled pixels that folds left out, each as classified by networks that left it out.

  Attributes:
    pixels: rows and columns, int32 `[n, 2]`.
    predicted: class ids, int `[n]`.
    fold: the fold from 0 that left out each pixel, int `[n]`.
  """

  pixels: np.ndarray
  predicted: np.ndarray
  fold: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class SceneReport:
  """One scene and how it was classified.

  Attributes:
    scene: the scene.
    metrics: of this scene as in `metrics.json`: what `mtl_hsi.evaluation.metrics.summarise` returns, with
      `left_out` if accuracies are those of left-out labels, and `mixture` if several experts were mixed.
    prediction: class id of each pixel, first replica, int `[H, W]`.
    train: rows and columns of its training pixels, first replica, int32 `[n, 2]`.
    test: the same for its test pixels `[m, 2]`; none with left-out labels, which the map does not test.
    false_colour_bands: indices of the bands shown as red, green and blue.
    bands_used: which of the scene's bands were used, in words.
    paper: overall accuracy in the letter's cell of this experiment, or None.
    leakage: share of test pixels with a training pixel in their patch, or None if there are no test pixels.
    vote_share: share of the snapshots that voted for the predicted class, first replica, `[H, W]`, or None
      if there was no vote.
    probability: mean probability of the predicted class, likewise.
    patch_overlap: share of test pixels whose patch overlaps a training patch, or None.
    proposals: pixels to label next, or None if none were requested.
    smoothing_radius: distance in pixels over which the map is smoothed, 0 without smoothing.
    snapshots: number of snapshots that vote.
    split_used: how training and test pixels were chosen, in a sentence.
    unknown: pixels that the map marks as unlike every class, bool `[H, W]`, or None. Their accuracies are
      those of `prediction`.
    further: the maps of the other replicas.
    left_out_labels: the labels whose accuracies are those of the scene, if folds left them out, or None.
  """

  scene: Scene
  metrics: dict
  prediction: np.ndarray
  train: np.ndarray
  test: np.ndarray
  false_colour_bands: tuple[int, int, int]
  bands_used: str
  paper: PaperFigure | None
  leakage: float | None
  vote_share: np.ndarray | None = None
  probability: np.ndarray | None = None
  patch_overlap: float | None = None
  proposals: Proposals | None = None
  smoothing_radius: int = 0
  snapshots: int = 1
  split_used: str = ""
  unknown: np.ndarray | None = None
  further: Sequence[ReplicaMap] = ()
  left_out_labels: LeftOutLabels | None = None

  @property
  def first(self) -> ReplicaMap:
    """The map of the first replica."""
    return ReplicaMap(self.prediction, self.train, self.test, self.vote_share, self.probability)

  @property
  def test_given(self) -> bool:
    """Whether the user chose the test pixels."""
    return self.scene.tested is not None

  @property
  def left_out(self) -> dict | None:
    """What was left out in turn, if accuracies are those of left-out labels: `metrics["left_out"]`."""
    return self.metrics.get("left_out")

  @property
  def scored(self) -> bool:
    """Whether there are accuracies, of test pixels or of left-out labels."""
    return len(self.test) > 0 or self.left_out is not None

  @property
  def leakage_description(self) -> str:
    """How close training and test pixels are; "" if there are no test pixels."""
    if self.leakage is None:
      return ""
    by_folds = self.left_out is not None
    return leakage_text.describe(self.leakage, self.patch_overlap, self.smoothing_radius, by_folds)

  @property
  def leakage_warning(self) -> str:
    """A warning if test pixels lie too close to training pixels; "" otherwise."""
    if self.leakage is None or not leakage_text.is_high(self.leakage, self.patch_overlap):
      return ""
    return leakage_text.warning(self.test_given, self.left_out is not None)

  @property
  def replicas(self) -> int:
    """Number of replicas."""
    return len(self.metrics["overall_accuracy"]["replicas"])

  @property
  def difference(self) -> float | None:
    """Overall accuracy minus the letter's, in percentage points."""
    ours = self.metrics["overall_accuracy"]["mean"]
    if self.paper is None or ours is None:
      return None
    return 100 * ours - self.paper.mean

  @property
  def unknown_id(self) -> int | None:
    """The class id of pixels that the map marks as unknown, or None if it marks none."""
    return None if self.unknown is None else self.metrics["unknown"]["id"]

  @property
  def measured_prediction(self) -> np.ndarray:
    """The class ids of the map, 0 in pixels without measurement, `[H, W]`."""
    found = np.where(self.scene.measured, self.prediction, 0)
    return found if self.unknown is None else np.where(self.unknown, self.unknown_id, found)


@dataclasses.dataclass(frozen=True, eq=False)
class RunReport:
  """One run over one or more scenes.

  Attributes:
    name: name of the work directory.
    description: the model and how it was trained, in a line.
    scenes: the scenes in the order of training.
    target: name of the scene that the run is about.
    losses: training loss of each epoch, replica and scene `[epochs, R, T]`, or None if nothing was trained
      by epochs.
    phases: name and number of epochs of each phase, in order.
    seconds: time spent, by activity.
    config: the resolved config, nested.
    environment: versions, devices and so on, nested; `directory` is where the run was started, `starts` are
      the times of all starts (ISO 8601).
    command: the command line.
  """

  name: str
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
    """Number of replicas."""
    return self.scenes[0].replicas

  @property
  def left_out(self) -> bool:
    """Whether accuracies are those of left-out labels; the maps are then of all networks."""
    return any(report.left_out is not None for report in self.scenes)
