"""Support vector machine, random forest and logistic regression on single pixels, by scikit-learn."""

import dataclasses
import time
import warnings
from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from experiments.suite_scenes import Part
from mtl_hsi.channels import mnf, scaling
from mtl_hsi.channels.inputs import make_inputs
from mtl_hsi.evaluation import metrics
from mtl_hsi.scenes.scene import Scene

# Channels: every band standardised over the scene, or MNF components of these.
BANDS, COMPONENTS = "bands", "mnf"
SMOOTHED = "regression_smoothed"
MODELS = (
  *(f"{model}_{channels}" for model in ("svm", "forest", "regression") for channels in (BANDS, COMPONENTS)),
  SMOOTHED,
)

_COMPONENTS = 40
_TREES = 500
# Grid of the support vector machine. Gamma is divided by the number of channels.
_COSTS, _GAMMAS = (1, 10, 100, 1000), (0.01, 0.1, 1, 10)
_SEARCH_FOLDS, _SEARCH_PIXELS = 3, 2000
# Side of the window over which `SMOOTHED` averages probabilities.
_WINDOW = 3


def channels(scene: Scene) -> dict[str, np.ndarray]:
  """Returns the channels of every pixel, float32 `[H, W, B]`, 0 where nothing was measured."""
  bands = scene.cube.shape[2]
  inputs = make_inputs(bands, np.arange(bands, dtype=np.int32), scaling.by_band(scene), None)
  components = mnf.components([(scene, inputs)], _COMPONENTS)
  values = dataclasses.replace(inputs, components=components)(scene.cube, scene.nodata)
  return {BANDS: values[..., :bands], COMPONENTS: values[..., bands:]}


def measure(model: str, scene: Scene, values: np.ndarray, parts: Sequence[Part], seed: int) -> dict:
  """Trains a model on every part and scores its predictions for all test pixels together.

  Args:
    model: one of `MODELS`.
    scene: the scene.
    values: channels of every pixel `[H, W, B]`.
    parts: training and test pixels.
    seed: seed of the model.

  Returns:
    `overall_accuracy`, `average_accuracy`, `kappa` as fractions of 1, and `seconds`.
  """
  start, truth, predicted = time.perf_counter(), [], []
  for part in parts:
    truth.append(scene.labels[tuple(part.test.T)])
    predicted.append(_predict(model, scene, values, part, seed))
  seconds = time.perf_counter() - start
  found = metrics.score(metrics.confusion(np.concatenate(truth), np.concatenate(predicted), scene.class_ids))
  scores = {key: found[key] for key in ("overall_accuracy", "average_accuracy", "kappa")}
  return {**scores, "seconds": round(seconds, 2)}


def _predict(model, scene, values, part, seed):
  """Returns the class ids of the test pixels of a part `[m]`."""
  train, test = tuple(part.train.T), tuple(part.test.T)
  fitted = _fit(model.partition("_")[0], values[train], scene.labels[train], seed)
  if model != SMOOTHED:
    return fitted.predict(values[test])
  probabilities = fitted.predict_proba(values.reshape(-1, values.shape[2]))
  smooth = _smoothed(probabilities.reshape(*scene.labels.shape, -1), scene.measured)
  return fitted.classes_[smooth[test].argmax(axis=-1)]


def _fit(family, spectra, classes, seed):
  """Fits a model to spectra `[N, B]` and class ids `[N]`."""
  from sklearn.ensemble import RandomForestClassifier
  from sklearn.linear_model import LogisticRegression

  if family == "svm":
    return _fit_svm(spectra, classes, seed)
  if family == "forest":
    return RandomForestClassifier(_TREES, random_state=seed).fit(spectra, classes)
  return LogisticRegression(C=1, max_iter=5000).fit(spectra, classes)


def _fit_svm(spectra, classes, seed):
  """Fits a support vector machine whose C and gamma are found by cross-validation."""
  from sklearn.model_selection import GridSearchCV, StratifiedKFold
  from sklearn.svm import SVC

  chosen = np.random.default_rng(seed).permutation(len(classes))[:_SEARCH_PIXELS]
  grid = {"C": _COSTS, "gamma": [gamma / spectra.shape[1] for gamma in _GAMMAS]}
  folds = StratifiedKFold(_SEARCH_FOLDS, shuffle=True, random_state=seed)
  with warnings.catch_warnings():
    # A class with fewer pixels than folds is then missing from some of them.
    warnings.filterwarnings("ignore", "The least populated class")
    found = GridSearchCV(SVC(), grid, cv=folds, refit=False).fit(spectra[chosen], classes[chosen])
  return SVC(**found.best_params_).fit(spectra, classes)


def _smoothed(probabilities, measured):
  """Averages probabilities `[H, W, C]` over the measured pixels of a window."""

  def mean(values):
    return ndimage.uniform_filter(values, (_WINDOW, _WINDOW, 1), mode="constant")

  share = mean(measured[..., None].astype(float))
  return mean(probabilities * measured[..., None]) / np.where(share > 0, share, 1)
