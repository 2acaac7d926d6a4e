"""The SVMs of all scenes and replicas: trained side by side, each result saved as soon as it is there."""

import threading
import time
import warnings
from collections.abc import Callable, Mapping
from concurrent import futures
from pathlib import Path
from typing import NamedTuple

import numpy as np
from absl import logging

from mtl_hsi.channels.padded import Padded, blocks, channels_at
from mtl_hsi.splits.split import pixels_of
from mtl_hsi.storage import atomic_files
from mtl_hsi.training import svm_baseline

# Pixels classified at once; scikit-learn copies them in double precision, 33 MB at 250 bands.
_CHUNK = 2**14

# Scene and replica.
Key = tuple[str, int]


class Task(NamedTuple):
  """The data of the SVMs of one scene.

  Attributes:
    cube: scaled values of every pixel, float32 `[H, W, B]`, an array or what stands for one.
    labels: class ids, int32 `[H, W]`, 0 is unlabelled.
    train: training pixels of every replica, int32 `[R, n, 2]`; see `Split`.
  """

  cube: Padded
  labels: np.ndarray
  train: np.ndarray


class Result(NamedTuple):
  """The result of one SVM.

  Attributes:
    C: the chosen penalty.
    gamma: the chosen parameter of the kernel `exp(-gamma |x - y|^2)`.
    prediction: class ids of every pixel, int32 `[H, W]`.
  """

  C: float
  gamma: float
  prediction: np.ndarray


def load_finished(tasks: Mapping[str, Task], directory: Path) -> dict[Key, Result]:
  """Reads the results that an interrupted `finish` has saved; damaged ones are skipped with a warning.

  Args:
    tasks: tasks of all scenes, by name.
    directory: the directory of the results.
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
  """Trains the missing SVMs, classifies their scenes, and saves each result.

  libsvm releases Python's lock while it computes, so the jobs run in threads of this process and share the
  scenes.

  Args:
    tasks: tasks of all scenes, by name.
    finished: from `load_finished`.
    directory: every result is saved here as `<scene>-<replica>.npz` as soon as it is there.
    cores: number of jobs that run at once.
    progress: called after every job.

  Returns:
    The results of all replicas by scene, and the fraction of the jobs' time spent on training (0 without
    jobs).

  Raises:
    RequestError: a result cannot be written.
  """
  results, spent, stopped = dict(finished), np.zeros(2), threading.Event()

  def tick():
    if stopped.is_set():
      raise futures.CancelledError

  # scikit-learn temporarily changes the warning filters of the process, in all threads at once.
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
      # After an error or Ctrl-C, the other jobs would otherwise continue for minutes.
      stopped.set()
  by_scene = {name: [results[name, r] for r in range(len(task.train))] for name, task in tasks.items()}
  return by_scene, float(spent[0] / spent.sum()) if spent.any() else 0.0


def _job(key, task, tick):
  """Returns the key, the result, and the seconds of training and of classification."""
  start = time.monotonic()
  pixels = pixels_of(task.train[key[1]])
  spectra = channels_at(task.cube, pixels)
  svm = svm_baseline.train(spectra, task.labels[tuple(pixels.T)], tick)
  trained = time.monotonic()
  prediction = np.empty(task.labels.shape, np.int32)
  for window, values in blocks(task.cube):
    prediction[window] = svm_baseline.classify(svm, values, _CHUNK, tick)
  result = Result(svm.C, svm.gamma, prediction)
  return key, result, (trained - start, time.monotonic() - trained)


def _keys(tasks):
  return [(name, replica) for name, task in tasks.items() for replica in range(len(task.train))]


def _path(directory, key):
  name, replica = key
  return directory / f"{name}-{replica}.npz"


def _load(directory, key, task):
  """Reads a result; None if there is none or it is damaged."""
  path = _path(directory, key)
  if not path.exists():
    return None
  try:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
      result = Result(archive["C"].item(), archive["gamma"].item(), archive["prediction"])
    if _is_possible(result, task, key[1]):
      return result
  # A damaged archive can raise almost anything: zipfile, zlib and NumPy have dozens of exceptions.
  except Exception:
    pass
  logging.warning("checkpoint %s is damaged; it is computed again", path)
  return None


def _is_possible(result, task, replica):
  """Whether an SVM trained on the pixels of a replica can have this result."""
  chosen, found = (result.C, result.gamma), result.prediction
  if not all(isinstance(value, float) and 0 < value < np.inf for value in chosen):
    return False
  if (found.shape, found.dtype) != (task.labels.shape, np.int32):
    return False
  # An SVM predicts only the classes that it was trained on.
  return bool(np.isin(found, task.labels[tuple(pixels_of(task.train[replica]).T)]).all())
