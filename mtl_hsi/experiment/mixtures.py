"""Chooses the mixture of every scene and map by the labels that folds leave out."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import jax
import numpy as np

from mtl_hsi.classification import choice, left_out
from mtl_hsi.classification.classify import SceneRegion
from mtl_hsi.classification.left_out import Candidates
from mtl_hsi.classification.smoothing import STRENGTHS, Smoothing
from mtl_hsi.evaluation import calibration
from mtl_hsi.experiment.problem import Problem
from mtl_hsi.experiment.regressions import Regressions, Samples, fit_regressions
from mtl_hsi.experiment.training_pixels import SceneFolds
from mtl_hsi.settings.experiment_settings import Settings
from mtl_hsi.splits.split import pixels_of

# Name of the smoothing of a config that leaves nothing to choose.
_FIXED = "as configured"


class LeftOutResults(NamedTuple):
  """Results for all pixels that folds left out, n over all folds.

  The shares and the smoothing of the mixture that classifies the pixels of a fold, and its temperature, were
  chosen by those of other folds. The temperatures of the members, and channels and penalty of the regression,
  were chosen by those of all folds.

  Attributes:
    pixels: rows and columns, int32 `[n, 2]`.
    classes: positions of the true classes, int `[n]`.
    fold: int `[n]`.
    unit: int `[n]`.
    members: log-probabilities of the members alone, `[M, n, C]`.
    plain: log-probabilities of the mixture before the temperature, `[n, C]`.
    calibrated: the same after it.
  """

  pixels: np.ndarray
  classes: np.ndarray
  fold: np.ndarray
  unit: np.ndarray
  members: np.ndarray
  plain: np.ndarray
  calibrated: np.ndarray


class SceneMixture(NamedTuple):
  """The mixture for one map of a scene, and what was found for the pixels that folds left out.

  Attributes:
    shares: of the M members, float32 `[M]`, with sum 1.
    member_temperatures: by which the members' log-probabilities are divided, float32 `[M]`.
    regression: the regression and how it was chosen, or None.
    smoothing_name: name of the chosen smoothing.
    smoothing: the chosen smoothing.
    temperature: calibrates the probabilities.
    left_out: results for the pixels that folds left out.
  """

  shares: np.ndarray
  member_temperatures: np.ndarray
  regression: Regressions | None
  smoothing_name: str
  smoothing: Smoothing
  temperature: float
  left_out: LeftOutResults

  def parameters(self) -> dict[str, np.ndarray]:
    """Returns what `Classifier.place_snapshots` needs of one network, leading axis 1."""
    numbers = {"weights": self.shares / self.member_temperatures, "temperature": np.float32(self.temperature)}
    numbers |= {} if self.regression is None else self.regression.whole
    return {key: np.asarray(values)[None] for key, values in numbers.items()}


def choose_mixtures(
  settings: Settings,
  problem: Problem,
  snapshots: Sequence[dict],
  regions: Mapping[str, SceneRegion],
  tick: Callable[[], object],
) -> dict[str, list[SceneMixture]]:
  """Returns the mixture of every scene and map.

  Args:
    settings: the settings.
    problem: with folds.
    snapshots: {"params", "stats"} and "local" of all networks for every voting epoch.
    regions: the whole scenes.
    tick: called for every scene, map and fold.
  """
  stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *snapshots)

  def network_at(position):
    return jax.tree.map(lambda x: x[:, position], stacked)

  found = {}
  for name, region in regions.items():
    found[name] = []
    for drawn, scene_folds in enumerate(problem.folds[name]):
      networks = [
        network_at(problem.ensemble.without_fold(drawn, fold)) for fold in range(problem.ensemble.folds)
      ]
      case = _Case(settings, problem, name, drawn, scene_folds, region, networks)
      found[name].append(_choose(case, tick))
  return found


class _Case(NamedTuple):
  """One map of one scene, and the networks without each fold."""

  settings: Settings
  problem: Problem
  name: str
  drawn: int
  folds: SceneFolds
  region: SceneRegion
  networks: Sequence[dict]

  @property
  def present(self) -> np.ndarray:
    """Which classes the scene has, bool `[C]`."""
    return np.asarray(self.problem.network.present)[self.region.scene]

  def classes(self, pixels: np.ndarray) -> np.ndarray:
    """Returns the positions of the classes of pixels, int32 `[n]`."""
    scene = self.problem.scenes[self.name]
    return np.searchsorted(scene.class_ids, scene.labels[tuple(pixels.T)]).astype(np.int32)

  def samples(self, pixels: np.ndarray) -> Samples:
    """Returns channels and classes of pixels."""
    margin = self.problem.patch // 2
    return Samples(self.region.padded[pixels[:, 0] + margin, pixels[:, 1] + margin], self.classes(pixels))

  def evaluate(self, regression: Regressions | None, candidates: Candidates) -> tuple[np.ndarray, np.ndarray]:
    """Returns members `[M, n, C]` and candidates `[W, S, n, C]` of the left-out pixels of all folds."""
    inference, parts = self.settings.inference, []
    for fold, (network, pixels) in enumerate(zip(self.networks, self.folds.left_out, strict=True)):
      parts.append(
        left_out.evaluate(
          self.problem.networks,
          network,
          {} if regression is None else regression.without_fold[fold],
          self.region,
          pixels,
          candidates,
          method=inference.method,
          symmetric=inference.options.symmetric,
          tile_pixels=inference.tile_pixels,
        )
      )
    members, mixed = zip(*parts, strict=True)
    return np.concatenate(members, axis=1), np.concatenate(mixed, axis=2)


def _choose(case: _Case, tick: Callable[[], object]) -> SceneMixture:
  regression = _regression(case) if case.settings.mixture.regression else None
  pixels, unit = np.concatenate(case.folds.left_out), np.concatenate(case.folds.units)
  fold = np.repeat(np.arange(len(case.networks)), [len(part) for part in case.folds.left_out])
  classes = case.classes(pixels)
  known = _known_classes(case, fold, classes)
  count = len(case.settings.mixture.members)
  members, _ = case.evaluate(regression, Candidates(np.zeros((0, count), np.float32), ()))
  temperatures = np.array(
    [calibration.fit_temperature(m[known], classes[known]) for m in members], np.float32
  )
  names, kinds = _smoothings(case.settings)
  shares = choice.weight_grid(count)
  _, mixed = case.evaluate(regression, Candidates(shares / temperatures.reshape(1, -1), kinds))
  sums = choice.log_likelihoods(mixed, classes, np.where(known, fold, -1), len(case.networks))

  def choose(rows, folds):
    chosen = choice.choose(sums[..., folds].sum(axis=-1))
    log_p = mixed[chosen.weights, chosen.smoothing]
    return chosen, calibration.fit_temperature(log_p[rows], classes[rows])

  plain, calibrated = (np.empty(mixed.shape[2:], np.float32) for _ in range(2))
  for number in np.unique(fold):
    others = np.arange(len(case.networks)) != number
    (weights, smoothing), temperature = choose(known & (fold != number), others)
    rows = fold == number
    plain[rows] = mixed[weights, smoothing][rows]
    calibrated[rows] = calibration.with_temperature(plain[rows], temperature)
    tick()
  (weights, smoothing), temperature = choose(known, slice(None))
  return SceneMixture(
    shares=shares[weights],
    member_temperatures=temperatures,
    regression=regression,
    smoothing_name=names[smoothing],
    smoothing=kinds[smoothing],
    temperature=temperature,
    left_out=LeftOutResults(pixels, classes, fold, unit, members, plain, calibrated),
  )


def _smoothings(settings) -> tuple[tuple[str, ...], tuple[Smoothing, ...]]:
  """Returns names and values of the smoothings to choose from."""
  names = settings.mixture.smoothings
  if not names:
    return (_FIXED,), (settings.inference.options.smoothing,)
  return names, tuple(STRENGTHS[name] for name in names)


def _known_classes(case, fold, classes):
  """Marks left-out pixels whose class trained without the fold, bool `[n]`; the others say nothing."""
  trained = [np.unique(case.classes(pixels)) for pixels in case.folds.train]
  return np.array([c in trained[f] for f, c in zip(fold, classes, strict=True)], bool)


def _regression(case: _Case) -> Regressions:
  train = pixels_of(case.problem.splits[case.name].train[case.drawn])
  masks = [np.zeros(case.problem.scenes[case.name].labels.shape, bool) for _ in case.folds.train]
  for mask, pixels in zip(masks, case.folds.train, strict=True):
    mask[tuple(pixels.T)] = True
  return fit_regressions(
    case.samples(train),
    np.stack([mask[tuple(train.T)] for mask in masks]),
    [case.samples(pixels) for pixels in case.folds.left_out],
    choices=case.settings.mixture.regression,
    inputs=case.problem.inputs[case.name],
    present=case.present,
    generator=np.random.default_rng([case.settings.seed, case.drawn]),
  )
