"""Fits the spectral experts, and chooses the mixture of every scene by the labels that folds leave out."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import jax
import numpy as np

from mtl_hsi.classification import choice, left_out, mixture
from mtl_hsi.classification.classify import SceneRegion
from mtl_hsi.classification.smoothing import STRENGTHS, Smoothing
from mtl_hsi.evaluation import calibration
from mtl_hsi.experiment.problem import Problem
from mtl_hsi.experiment.training_pixels import SceneFolds
from mtl_hsi.settings.experiment_settings import Settings
from mtl_hsi.splits.split import pixels_of
from mtl_hsi.training import spectral_regression

# Penalties of the regressions to choose from.
PENALTIES = (1.0, 10.0, 100.0)
# Most pixels that a regression is fitted to; more change little and take long.
_MOST_PIXELS = 10_000
# Name of the smoothing of a config that leaves nothing to choose.
_FIXED = "as configured"


class LeftOutResults(NamedTuple):
  """Results for all pixels that folds left out, n over all folds.

  The mixture that classifies the pixels of a fold, and its temperature, were chosen by those of other folds.

  Attributes:
    pixels: rows and columns, int32 `[n, 2]`.
    classes: positions of the true classes, int `[n]`.
    fold: int `[n]`.
    unit: int `[n]`.
    members: log-probabilities of the members alone, `[1 + E, n, C]`.
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
    weights: of the network and the experts, float32 `[1 + E]`.
    experts: "kernel" `[E, B, C]` and "bias" `[E, C]`, fitted to all training pixels of the map.
    penalties: of the experts.
    smoothing_name: name of the chosen smoothing.
    smoothing: the chosen smoothing.
    temperature: calibrates the probabilities.
    left_out: results for the pixels that folds left out.
  """

  weights: np.ndarray
  experts: dict[str, np.ndarray]
  penalties: tuple[float, ...]
  smoothing_name: str
  smoothing: Smoothing
  temperature: float
  left_out: LeftOutResults

  def parameters(self) -> dict[str, np.ndarray]:
    """Returns what `Classifier.place_snapshots` needs of one network, leading axis 1."""
    numbers = {**self.experts, "weights": self.weights, "temperature": np.float32(self.temperature)}
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
    snapshots: {"params", "stats"} of all networks for every voting epoch.
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
      case = _Case(settings, problem, name, drawn, scene_folds, region)
      found[name].append(_choose(case, networks, tick))
  return found


class _Case(NamedTuple):
  """One map of one scene."""

  settings: Settings
  problem: Problem
  name: str
  drawn: int
  folds: SceneFolds
  region: SceneRegion

  def channels(self, pixels: np.ndarray) -> np.ndarray:
    """Returns the channels of pixels `[n, B]`."""
    margin = self.problem.patch // 2
    return self.region.padded[pixels[:, 0] + margin, pixels[:, 1] + margin]

  def classes(self, pixels: np.ndarray) -> np.ndarray:
    """Returns the positions of the classes of pixels `[n]`."""
    scene = self.problem.scenes[self.name]
    return np.searchsorted(scene.class_ids, scene.labels[tuple(pixels.T)])

  @property
  def present(self) -> np.ndarray:
    """Which classes the scene has, bool `[C]`."""
    return np.asarray(self.problem.network.present)[self.region.scene]


def _choose(case: _Case, networks: Sequence[dict], tick: Callable[[], object]) -> SceneMixture:
  experts, of_folds, penalties = _experts(case)
  names, kinds = _smoothings(case.settings)
  candidates = left_out.Candidates(choice.weight_grid(len(penalties)), kinds)
  parts = []
  for network, of_fold, pixels in zip(networks, of_folds, case.folds.left_out, strict=True):
    parts.append(_evaluate(case, network, of_fold, pixels, candidates))
    tick()
  fold = np.repeat(np.arange(len(parts)), [len(pixels) for pixels in case.folds.left_out])
  pixels, unit = np.concatenate(case.folds.left_out), np.concatenate(case.folds.units)
  members = np.concatenate([part.members for part in parts], axis=1)
  mixed = np.concatenate([part.candidates for part in parts], axis=2)
  classes = case.classes(pixels)
  known = _known_classes(case, fold, classes)
  likelihoods = choice.log_likelihoods(mixed, classes)
  prior = choice.log_prior(candidates.weights, [kind.steps for kind in kinds])

  def choose(rows):
    chosen = choice.choose(likelihoods, rows, prior, len(np.unique(unit[rows])))
    log_p = mixed[chosen.weights, chosen.smoothing]
    return chosen, calibration.fit_temperature(log_p[rows], classes[rows])

  plain, calibrated = (np.empty(mixed.shape[2:], np.float32) for _ in range(2))
  for number in np.unique(fold):
    (weights, smoothing), temperature = choose(known & (fold != number))
    rows = fold == number
    plain[rows] = mixed[weights, smoothing][rows]
    calibrated[rows] = calibration.with_temperature(plain[rows], temperature)
  (weights, smoothing), temperature = choose(known)
  return SceneMixture(
    candidates.weights[weights], experts, penalties, names[smoothing], kinds[smoothing], temperature,
    LeftOutResults(pixels, classes, fold, unit, members, plain, calibrated),
  )  # fmt: skip


def _evaluate(case, network, experts, pixels, candidates):
  inference = case.settings.inference
  return left_out.evaluate(
    case.problem.network,
    network,
    experts,
    case.region,
    pixels,
    candidates,
    method=inference.method,
    symmetric=inference.options.symmetric,
    tile_pixels=inference.tile_pixels,
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


def _experts(case: _Case) -> tuple[dict, list[dict], tuple[float, ...]]:
  """Fits every expert with the penalty that is most likely for the left-out pixels.

  Returns:
    The experts of all training pixels, those without each fold ("kernel" `[E, B, C]`, "bias" `[E, C]`), and
    the penalties.
  """
  names = case.settings.mixture.experts
  channels, classes = case.region.padded.shape[-1], len(case.present)
  nothing = {"kernel": np.zeros((0, channels, classes)), "bias": np.zeros((0, classes))}
  nothing = jax.tree.map(np.float32, nothing)
  if not names:
    return nothing, [nothing] * len(case.folds.train), ()
  fitted = [_fit_expert(case, name) for name in names]
  stacked = [jax.tree.map(lambda *parts: np.stack(parts, axis=1), *(experts for experts, _ in fitted))]
  (whole,) = stacked
  each = [jax.tree.map(lambda x, row=row: x[row], whole) for row in range(len(case.folds.train) + 1)]
  return each[0], each[1:], tuple(penalty for _, penalty in fitted)


def _fit_expert(case: _Case, name: str) -> tuple[dict, float]:
  """Returns a regression on all training pixels, then those without each fold, stacked, and its penalty."""
  train = _at_most(pixels_of(case.problem.splits[case.name].train[case.drawn]), case)
  valid = np.stack([np.ones(len(train), bool), *(_among(train, part, case) for part in case.folds.train)])
  part = _channels_of(case, name)
  spectra, classes = case.channels(train)[:, part], case.classes(train).astype(np.int32)
  best, most = None, -np.inf
  for penalty in PENALTIES:
    fitted = jax.tree.map(np.asarray, _fit_all(spectra, classes, valid, case.present, penalty))
    likelihood = sum(
      _log_likelihood(jax.tree.map(lambda x, row=row: x[row], fitted), case, part, pixels)
      for row, pixels in enumerate(case.folds.left_out, start=1)
    )
    if likelihood > most:
      best, most = (fitted, penalty), likelihood
  fitted, penalty = best
  kernel = np.zeros((len(valid), case.region.padded.shape[-1], len(case.present)), np.float32)
  kernel[:, part] = fitted["kernel"]
  return {"kernel": kernel, "bias": fitted["bias"]}, penalty


@jax.jit
def _fit_all(spectra, classes, valid, present, penalty):
  return jax.vmap(spectral_regression.fit, in_axes=(None, None, 0, None, None))(
    spectra, classes, valid, present, penalty
  )


def _log_likelihood(expert, case, part, pixels):
  """Returns the log-likelihood of left-out pixels by an expert that did not see them, summed."""
  log_p = spectral_regression.log_probabilities(expert, case.channels(pixels)[:, part], case.present)
  true = np.asarray(log_p)[np.arange(len(pixels)), case.classes(pixels)]
  return float(np.maximum(true, mixture.FLOOR).sum())


def _channels_of(case, name) -> slice:
  """Returns the channels that an expert reads: the bands, the MNF components, or both, none of the empty."""
  inputs = case.problem.inputs[case.name]
  components = 0 if inputs.components is None else inputs.components.shape[1]
  bands = inputs.channels - components - inputs.empty
  starts = {mixture.BANDS: (0, bands), mixture.MNF: (bands, bands + components)}
  return slice(*starts.get(name, (0, bands + components)))


def _at_most(train, case):
  """Returns the training pixels, or a random part of them if there are very many."""
  if len(train) <= _MOST_PIXELS:
    return train
  generator = np.random.default_rng([case.settings.seed, case.drawn])
  return train[np.sort(generator.choice(len(train), _MOST_PIXELS, replace=False))]


def _among(train, others, case):
  mask = np.zeros(case.problem.scenes[case.name].labels.shape, bool)
  mask[tuple(others.T)] = True
  return mask[tuple(train.T)]
