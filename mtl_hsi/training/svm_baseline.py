"""The paper's baseline: a support vector machine (SVM) with an RBF kernel on the pixel's own spectrum.

An SVM knows one scene, so nothing is shared: every scene has one of its own in
every replica, and all of them are trained side by side. Mirror images of a
single pixel are that pixel, so there are none.
"""

import itertools
import threading
import time
import warnings
from collections.abc import Callable, Mapping
from concurrent import futures
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from absl import logging

from mtl_hsi.errors import RequestError
from mtl_hsi.splits.sampling import pixels_of
from mtl_hsi.storage import atomic_files

if TYPE_CHECKING:
  from sklearn.svm import SVC

# The author's search: cross-validation over a coarse grid, then over factors around its best pair.
FOLDS = 3
COARSE_C = 2.0 ** np.arange(-5, 16, 2)
COARSE_GAMMA = 2.0 ** np.arange(-15, 4, 2)
REFINEMENT = 2.0 ** (np.arange(-7, 8) / 4)

# Scores are multiples of 1 / (folds x pixels), summed in floating point.
_EQUAL_SCORES = 1e-9

# Pixels classified at once; scikit-learn copies them in double precision, 33 MB at 250 bands.
_CHUNK = 2**14

# Scene and replica.
Key = tuple[str, int]


class Task(NamedTuple):
  """What the SVMs of one scene are given.

  Attributes:
    cube: scaled values of every pixel, float32 `[H, W, B]`.
    labels: class ids, int32 `[H, W]`, 0 is unlabelled.
    train: training pixels of every replica, int32 `[R, n, 2]`; see `sampling.Split`.
  """

  cube: np.ndarray
  labels: np.ndarray
  train: np.ndarray


class Result(NamedTuple):
  """What one SVM leaves.

  Attributes:
    C: the penalty chosen.
    gamma: the kernel `exp(-gamma |x - y|^2)` chosen.
    prediction: class ids of every pixel, int32 `[H, W]`.
  """

  C: float
  gamma: float
  prediction: np.ndarray


def check_samples(name: str, labels: np.ndarray, class_names: Mapping[int, str], train: np.ndarray) -> None:
  """Refuses training pixels that cannot be cross-validated.

  A class without any training pixel is merely never predicted.

  Args:
    name: the scene's name.
    labels: see `Task`.
    class_names: name of each class id.
    train: see `Task`.

  Raises:
    RequestError: in some replica a class has training pixels, but fewer than folds, or only one
      class has any; names scene, replica and class.
  """
  for replica, rows in enumerate(train):
    ids, counts = np.unique(labels[tuple(pixels_of(rows).T)], return_counts=True)
    rarest, count = int(ids[counts.argmin()]), int(counts.min())
    if count < FOLDS:
      pixels = f"{count} training pixel{'s' if count > 1 else ''}"
      raise RequestError(
        f"scene {name!r}: class {rarest} ({class_names[rarest]}) has {pixels} in replica {replica} and svm "
        f"needs {FOLDS}, being cross-validated in as many parts; give the class more of them, or set its "
        "labels to 0"
      )
    if len(ids) < 2:
      raise RequestError(
        f"scene {name!r}: all training pixels of replica {replica} are of class {rarest} "
        f"({class_names[rarest]}) and svm needs two classes; give it pixels of another one"
      )


def train(spectra: np.ndarray, classes: np.ndarray, tick: Callable[[], object]) -> "SVC":
  """Fits an SVM to pixels, with C and gamma searched by cross-validation.

  First C in 2^{-5, -3, ..., 15} and gamma in 2^{-15, -13, ..., 3}, then both
  times 2^{-1.75, -1.5, ..., 1.75} around the best pair. The measure is the mean
  accuracy of three stratified folds. The folds are not shuffled, so the result
  depends on the pixels and their order alone; a random split lists them in
  random order.

  Args:
    spectra: float `[N, B]`.
    classes: class ids, int `[N]`; at least three pixels of each, see `check_samples`.
    tick: called before every pair; what it raises ends the search.

  Returns:
    The SVM of the best pair, fitted to all pixels.

  Source: the author's code (grids and folds, by scikit-learn's `GridSearchCV`).
  """
  # A second to import, which runs with networks do without.
  from sklearn.model_selection import StratifiedKFold
  from sklearn.svm import SVC

  folds = list(StratifiedKFold(FOLDS).split(spectra, classes))

  def accuracy(C, gamma):
    tick()
    svm = SVC(C=C, gamma=gamma)
    return np.mean(
      [
        np.mean(svm.fit(spectra[fitted], classes[fitted]).predict(spectra[held]) == classes[held])
        for fitted, held in folds
      ]
    )

  C, gamma = best_pair(accuracy, COARSE_C, COARSE_GAMMA)
  C, gamma = best_pair(accuracy, C * REFINEMENT, gamma * REFINEMENT)
  return SVC(C=C, gamma=gamma).fit(spectra, classes)


def best_pair(
  score: Callable[[float, float], float], costs: np.ndarray, gammas: np.ndarray
) -> tuple[float, float]:
  """The pair of highest score; of several that of smallest C, then of smallest gamma.

  Args:
    score: of a pair.
    costs: values of C, ascending.
    gammas: values of gamma, ascending.
  """
  best, highest = None, -np.inf
  for pair in itertools.product(costs.tolist(), gammas.tolist()):
    found = score(*pair)
    if found > highest + _EQUAL_SCORES:
      best, highest = pair, found
  return best


def classify(svm: "SVC", cube: np.ndarray, chunk: int, tick: Callable[[], object]) -> np.ndarray:
  """Class ids of every pixel, int32 `[H, W]`.

  Args:
    svm: from `train`.
    cube: see `Task`.
    chunk: how many pixels are classified at once; it bounds the memory and changes no result.
    tick: called before every chunk; what it raises ends the work.
  """
  spectra, labels = cube.reshape(-1, cube.shape[-1]), []
  for start in range(0, len(spectra), chunk):
    tick()
    labels.append(svm.predict(spectra[start : start + chunk]))
  return np.concatenate(labels).astype(np.int32, copy=False).reshape(cube.shape[:2])


def load_finished(tasks: Mapping[str, Task], directory: Path) -> dict[Key, Result]:
  """Results that an earlier start of `finish` left; a damaged one is left out with a warning.

  Args:
    tasks: of all scenes, by name.
    directory: where `finish` keeps the results.
  """
  results = {key: _load(directory, key, tasks[key[0]]) for key in _keys(tasks)}
  return {key: result for key, result in results.items() if result is not None}


def finish(
  tasks: Mapping[str, Task],
  finished: Mapping[Key, Result],
  directory: Path,
  *,
  cores: int,
  progress: Callable[[], object],
) -> tuple[dict[str, list[Result]], float]:
  """Trains the SVMs that are missing and classifies their scenes, and keeps each result on disk.

  libsvm lets go of Python's lock while it computes, so the jobs run in threads
  of this process and share the scenes.

  Args:
    tasks: of all scenes, by name.
    finished: from `load_finished`.
    directory: gets `<scene>-<replica>.npz` of every result, as soon as there is one.
    cores: how many jobs run at once.
    progress: called after every job.

  Returns:
    The results of all replicas by scene, and the share of training in the jobs' time (0 without jobs).

  Raises:
    RequestError: a result cannot be written.
  """
  results, spent, stopped = dict(finished), np.zeros(2), threading.Event()

  def tick():
    if stopped.is_set():
      raise futures.CancelledError

  # scikit-learn changes the warning filters of the process and changes them back, in all threads at once.
  with warnings.catch_warnings(), futures.ThreadPoolExecutor(cores) as pool:
    try:
      jobs = [pool.submit(_job, key, tasks[key[0]], tick) for key in _keys(tasks) if key not in finished]
      for job in futures.as_completed(jobs):
        key, result, seconds = job.result()
        atomic_files.write_npz(_path(directory, key), result._asdict())
        results[key] = result
        spent += seconds
        progress()
    finally:
      # After an error or Ctrl-C the other jobs are not to go on for minutes.
      stopped.set()
  by_scene = {name: [results[name, r] for r in range(len(task.train))] for name, task in tasks.items()}
  return by_scene, float(spent[0] / spent.sum()) if spent.any() else 0.0


def _job(key, task, tick):
  """Key, result, and the seconds of training and of classification."""
  start = time.monotonic()
  pixels = tuple(pixels_of(task.train[key[1]]).T)
  svm = train(task.cube[pixels], task.labels[pixels], tick)
  trained = time.monotonic()
  result = Result(svm.C, svm.gamma, classify(svm, task.cube, _CHUNK, tick))
  return key, result, (trained - start, time.monotonic() - trained)


def _keys(tasks):
  return [(name, replica) for name, task in tasks.items() for replica in range(len(task.train))]


def _path(directory, key):
  name, replica = key
  return directory / f"{name}-{replica}.npz"


def _load(directory, key, task):
  """A result read back; None where there is none that can be used."""
  path = _path(directory, key)
  if not path.exists():
    return None
  try:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
      result = Result(archive["C"].item(), archive["gamma"].item(), archive["prediction"])
    if _can_be(result, task, key[1]):
      return result
  # A damaged archive ends in almost any error; zipfile, zlib and NumPy have dozens.
  except Exception:
    pass
  logging.warning("checkpoint %s is damaged; it is computed anew", path)
  return None


def _can_be(result, task, replica):
  """Whether an SVM that was trained on the pixels of a replica can have left a result."""
  chosen, found = (result.C, result.gamma), result.prediction
  if not all(isinstance(value, float) and 0 < value < np.inf for value in chosen):
    return False
  if (found.shape, found.dtype) != (task.labels.shape, np.int32):
    return False
  # It gives no class but those that it was trained on.
  return bool(np.isin(found, task.labels[tuple(pixels_of(task.train[replica]).T)]).all())
