"""The letter's baseline: a support vector machine (SVM) with an RBF kernel on the spectra of single pixels.

An SVM learns one scene only. It has no mirror images, since those of a single pixel are that pixel.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.splits.split import pixels_of

if TYPE_CHECKING:
  from sklearn.model_selection import GridSearchCV
  from sklearn.svm import SVC

# The author's search: cross-validation over a coarse grid, then over multiples of its best pair.
FOLDS = 3
COARSE_C = 2.0 ** np.arange(-5, 16, 2)
COARSE_GAMMA = 2.0 ** np.arange(-15, 4, 2)
REFINEMENT = 2.0 ** (np.arange(-7, 8) / 4)

# Equal accuracies may differ by the rounding of their sum; unequal ones differ by more than this.
_EQUAL_SCORES = 1e-9


def check_samples(name: str, labels: np.ndarray, class_names: Mapping[int, str], train: np.ndarray) -> None:
  """Refuses training pixels that cannot be cross-validated.

  A class without any training pixels is allowed; it is never predicted.

  Args:
    name: name of the scene.
    labels: class ids, int32 `[H, W]`, 0 is unlabelled.
    class_names: name of every class id.
    train: training pixels of every replica, int32 `[R, n, 2]`; see `Split`.

  Raises:
    RequestError: in some replica a class has training pixels, but fewer than folds, or only one class has
      any; names scene, replica and class.
  """
  for replica, rows in enumerate(train):
    ids, counts = np.unique(labels[tuple(pixels_of(rows).T)], return_counts=True)
    rarest, count = int(ids[counts.argmin()]), int(counts.min())
    if count < FOLDS:
      pixels = f"{count} training pixel{'s' if count > 1 else ''}"
      raise RequestError(
        f"scene {name!r}: class {rarest} ({class_names[rarest]}) has {pixels} in replica {replica} and svm "
        f"needs {FOLDS} for cross-validation; give the class more training pixels, or set its labels to 0"
      )
    if len(ids) < 2:
      raise RequestError(
        f"scene {name!r}: all training pixels of replica {replica} are of class {rarest} "
        f"({class_names[rarest]}) and svm needs two classes; add pixels of another class"
      )


def train(spectra: np.ndarray, classes: np.ndarray, tick: Callable[[], object]) -> "SVC":
  """Fits an SVM to pixels, with C and gamma searched by cross-validation.

  The search goes first over C in 2^{-5, -3, ..., 15} and gamma in 2^{-15, -13, ..., 3}, then over the best
  pair with both multiplied by 2^{-1.75, -1.5, ..., 1.75}. It maximises the mean accuracy of three stratified
  folds; of equally good pairs, the one with the smallest C, then the smallest gamma wins. The folds are not
  shuffled, so the result depends only on the pixels and their order, which is random in a random split.

  Args:
    spectra: float `[N, B]`.
    classes: class ids, int `[N]`; at least three pixels of each, see `check_samples`.
    tick: called for every fold of every pair; an exception that it raises ends the search.

  Returns:
    The SVM of the best pair, fitted to all pixels.

  Source: the author's code (grids and folds).
  """
  coarse = _search(spectra, classes, COARSE_C, COARSE_GAMMA, tick).best_params_
  best = _search(spectra, classes, coarse["C"] * REFINEMENT, coarse["gamma"] * REFINEMENT, tick)
  return best.best_estimator_


def _search(spectra, classes, costs, gammas, tick) -> "GridSearchCV":
  # scikit-learn needs a second to import; runs of networks do without it.
  from sklearn.model_selection import GridSearchCV
  from sklearn.svm import SVC

  def accuracy(svm, held_out, truth):
    tick()
    return np.mean(svm.predict(held_out) == truth)

  return GridSearchCV(
    SVC(),
    # Ascending, C before gamma: the order in which ties are broken.
    {"C": costs.tolist(), "gamma": gammas.tolist()},
    scoring=accuracy,
    cv=FOLDS,
    refit=_first_of_the_best,
    error_score="raise",
  ).fit(spectra, classes)


def _first_of_the_best(results: Mapping[str, np.ndarray]) -> int:
  scores = results["mean_test_score"]
  return int(np.argmax(scores > scores.max() - _EQUAL_SCORES))


def classify(svm: "SVC", cube: np.ndarray, chunk: int, tick: Callable[[], object]) -> np.ndarray:
  """Returns the class id of every pixel, int32 `[H, W]`.

  Args:
    svm: from `train`.
    cube: scaled values of every pixel, float32 `[H, W, B]`.
    chunk: number of pixels classified at once; it bounds the memory and has no effect on the result.
    tick: called before every chunk; an exception that it raises ends the classification.
  """
  spectra, labels = cube.reshape(-1, cube.shape[-1]), []
  for start in range(0, len(spectra), chunk):
    tick()
    labels.append(svm.predict(spectra[start : start + chunk]))
  return np.concatenate(labels).astype(np.int32, copy=False).reshape(cube.shape[:2])
