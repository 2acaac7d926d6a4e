"""Chooses the mixture of every scene, or of all with a shared legend, by the labels that folds leave out."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import jax
import numpy as np

from mtl_hsi.classification import choice, mixture
from mtl_hsi.classification.classify import SceneRegion
from mtl_hsi.classification.left_out import Candidates
from mtl_hsi.classification.smoothing import STRENGTHS, Smoothing
from mtl_hsi.evaluation import calibration
from mtl_hsi.experiment.mixture_case import Case, make_case
from mtl_hsi.experiment.problem import Problem
from mtl_hsi.experiment.regressions import Regressions, Samples, fit_regressions
from mtl_hsi.settings.experiment_settings import Settings
from mtl_hsi.splits.split import pixels_of

# Name of the smoothing of a config that leaves nothing to choose.
_FIXED = "as configured"


class LeftOutResults(NamedTuple):
  """Results for all pixels that folds left out, n over all folds.

  Each fold is classified by a mixture whose shares, smoothing and temperature were chosen on the other folds.
  Three things were chosen on all folds: the temperatures of the members, channels and penalty of the
  regression, and whether the mixture has a temperature.

  Attributes:
    pixels: rows and columns, int32 `[n, 2]`.
    classes: outputs of the true classes, int `[n]`.
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
    temperature: calibrates the probabilities; 1 if that does not reduce the calibration error of left-out
      pixels, each with the temperature of the other folds.
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

  Scenes with a shared legend have one mixture, chosen by the left-out labels of all of them. If every fold is
  a scene, the mixture of its left-out labels is chosen by the other scenes.

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

  found = {name: [] for name in regions}
  groups = [[name] for name in regions] if problem.legend.names is None else [list(regions)]
  for names in groups:
    for drawn in range(problem.ensemble.maps):
      networks = [
        network_at(problem.ensemble.without_fold(drawn, fold)) for fold in range(problem.ensemble.folds)
      ]
      cases = [make_case(settings, problem, name, drawn, regions[name], networks) for name in names]
      for name, chosen in zip(names, _choose(cases, tick), strict=True):
        found[name].append(chosen)
  return found


class _Tested(NamedTuple):
  """The left-out pixels of some scenes, n over all scenes and folds; see `LeftOutResults`.

  Attributes:
    case: position of the scene `[n]`.
    pixels: `[n, 2]`.
    classes: `[n]`.
    fold: `[n]`.
    unit: number of the unit in its scene `[n]`.
    known: whether the class trained without the fold, bool `[n]`; the other pixels say nothing.
  """

  case: np.ndarray
  pixels: np.ndarray
  classes: np.ndarray
  fold: np.ndarray
  unit: np.ndarray
  known: np.ndarray


def _tested(cases: Sequence[Case]) -> _Tested:
  folds = range(len(cases[0].networks))
  of_libraries = [case.library().classes for case in cases]
  trained = [
    np.unique(np.concatenate([case.classes(case.folds.train[fold]) for case in cases] + of_libraries))
    for fold in folds
  ]
  parts = []
  for position, case in enumerate(cases):
    for fold in folds:
      pixels, unit = case.folds.left_out[fold], case.folds.units[fold]
      classes, ones = case.classes(pixels), np.ones(len(pixels), int)
      known = np.isin(classes, trained[fold])
      parts.append(_Tested(position * ones, pixels, classes, fold * ones, unit, known))
  return _Tested(*(np.concatenate(rows) for rows in zip(*parts, strict=True)))


def _evaluate(cases, regression, candidates) -> tuple[np.ndarray, np.ndarray]:
  """Returns members `[M, n, C]` and candidates `[W, S, n, C]` of the left-out pixels of all scenes."""
  members, mixed = zip(*(case.evaluate(regression, candidates) for case in cases), strict=True)
  return np.concatenate(members, axis=1), np.concatenate(mixed, axis=2)


def _choose(cases: Sequence[Case], tick: Callable[[], object]) -> list[SceneMixture]:
  """Returns the mixture of every case; all have the same, with the left-out results of their scene."""
  settings, tested = cases[0].settings, _tested(cases)
  regression = _regression(cases) if settings.mixture.regression else None
  classes, fold, known = tested.classes, tested.fold, tested.known
  count = len(settings.mixture.members)
  members, _ = _evaluate(cases, regression, Candidates(np.zeros((0, count), np.float32), ()))
  temperatures = np.array(
    [calibration.fit_temperature(m[known], classes[known]) for m in members], np.float32
  )
  names, kinds = _smoothings(settings)
  shares = choice.weight_grid(count)
  _, mixed = _evaluate(cases, regression, Candidates(shares / temperatures.reshape(1, -1), kinds))
  sums = choice.scores(mixed, classes, np.where(known, fold, -1), len(cases[0].networks))

  def choose(rows, folds):
    chosen = choice.choose(sums[..., folds].sum(axis=-1))
    log_p = mixed[chosen.weights, chosen.smoothing]
    return chosen, calibration.fit_temperature(log_p[rows], classes[rows])

  plain, calibrated = (np.empty(mixed.shape[2:], np.float32) for _ in range(2))
  for number in np.unique(fold):
    others = np.arange(len(cases[0].networks)) != number
    (weights, smoothing), temperature = choose(known & (fold != number), others)
    rows = fold == number
    plain[rows] = mixed[weights, smoothing][rows]
    calibrated[rows] = calibration.with_temperature(plain[rows], temperature)
    tick()
  if known.any():
    (weights, smoothing), temperature = choose(known, slice(None))
  else:
    weights, smoothing, temperature = *_without_labels(settings, shares, kinds), 1.0
  if not calibration.reduces_error(plain[known], calibrated[known], classes[known]):
    calibrated, temperature = plain, 1.0
  return [
    SceneMixture(
      shares=shares[weights],
      member_temperatures=temperatures,
      regression=regression,
      smoothing_name=names[smoothing],
      smoothing=kinds[smoothing],
      temperature=temperature,
      left_out=_results_of(tested.case == position, tested, members, plain, calibrated),
    )
    for position in range(len(cases))
  ]


def _without_labels(settings, shares, kinds) -> tuple[int, int]:
  """Returns positions of shares and smoothing for scenes without left-out labels.

  The regression was made for single spectra, as those of libraries are. Of the smoothings, that after the
  first one is light.
  """
  members = settings.mixture.members
  first = members.index(mixture.REGRESSION) if mixture.REGRESSION in members else 0
  return int(shares[:, first].argmax()), min(1, len(kinds) - 1)


def _results_of(rows, tested, members, plain, calibrated) -> LeftOutResults:
  pixels, classes, fold, unit = (values[rows] for values in tested[1:5])
  return LeftOutResults(pixels, classes, fold, unit, members[:, rows], plain[rows], calibrated[rows])


def _smoothings(settings) -> tuple[tuple[str, ...], tuple[Smoothing, ...]]:
  """Returns names and values of the smoothings to choose from."""
  names = settings.mixture.smoothings
  if not names:
    return (_FIXED,), (settings.inference.options.smoothing,)
  return names, tuple(STRENGTHS[name] for name in names)


def _regression(cases: Sequence[Case]) -> Regressions:
  """Fits the regression of one scene, or that of all scenes of a shared legend to their pooled pixels."""
  first, folds = cases[0], range(len(cases[0].networks))
  parts = [pixels_of(case.problem.splits[case.name].train[case.drawn]) for case in cases]
  among = [case.trains_without_folds(train) for case, train in zip(cases, parts, strict=True)]
  spectra = _pooled([case.library() for case in cases])
  # The spectra of libraries train without every fold.
  among.append(np.ones((len(folds), len(spectra.classes)), bool))
  return fit_regressions(
    _pooled([*(case.samples(train) for case, train in zip(cases, parts, strict=True)), spectra]),
    np.concatenate(among, axis=1),
    [_pooled([case.samples(case.folds.left_out[fold]) for case in cases]) for fold in folds],
    choices=first.settings.mixture.regression,
    inputs=first.problem.inputs[first.name],
    present=np.any([case.present for case in cases], axis=0),
    generator=np.random.default_rng([first.settings.seed, first.drawn]),
  )


def _pooled(samples: Sequence[Samples]) -> Samples:
  return Samples(*(np.concatenate(values) for values in zip(*samples, strict=True)))
