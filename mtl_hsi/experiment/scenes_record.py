"""What was trained on, for `scenes.json`: enough to treat a new image the same way."""

import dataclasses
import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mtl_hsi.channels.inputs import entry
from mtl_hsi.errors import RequestError
from mtl_hsi.experiment.problem import Problem
from mtl_hsi.runtime import processes
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.storage.json_files import read_json

# What sums, medians and eigenvectors of a scene give, whose last digits are the machine's; and what share of
# a column's largest number these may be.
_FITTED = ("components", "contrast")
_ROUNDING = 1e-4


def digests(scene: Scene) -> dict[str, str]:
  """SHA-256 of cube, labels and, where they are given, the places of test and training pixels."""
  arrays = {"cube": scene.cube, "labels": scene.labels, "tested": scene.tested, "trained": scene.trained}
  return {f"{name}_sha256": _sha256(array) for name, array in arrays.items() if array is not None}


def describe(problem: Problem) -> dict:
  """By scene name, for `scenes.json`: shape, classes and digests of each scene, its scaling and alignment."""
  return {
    name: {
      "shape": list(scene.cube.shape),
      "sensor": scene.sensor,
      "simulated": scene.simulated,
      "provenance": scene.provenance,
      "classes": {str(class_id): scene.class_names[class_id] for class_id in scene.class_ids.tolist()},
      **digests(scene),
      **_channels(problem),
    }
    | entry(problem.inputs[name])
    | _known(scene)
    for name, scene in problem.scenes.items()
  }


def as_known(described: dict, path: Path) -> dict:
  """The same with the fitted numbers of an earlier start, where they differ from these by rounding alone.

  Args:
    described: from `describe`.
    path: of the earlier start's `scenes.json`, which need not be there.
  """
  try:
    known = read_json(path)["scenes"]
    kept = {name: _rounded_otherwise(entry, known[name]) for name, entry in described.items()}
  # What is not there, or not what a run writes, is for those to say who compare the whole file.
  except (OSError, RequestError, ValueError, LookupError, TypeError):
    return described
  return {name: entry | kept[name] for name, entry in described.items()}


def _rounded_otherwise(entry, known):
  """What is known by other digits."""
  found = {}
  for key in _FITTED:
    if key in entry:
      own, other = np.atleast_1d(entry[key]), np.atleast_1d(known[key])
      same = own.shape == other.shape and (np.abs(own - other) <= _ROUNDING * np.abs(own).max(axis=0)).all()
      found |= {key: known[key]} if same else {}
  return found


def as_begun(problem: Problem, path: Path) -> Problem:
  """The problem with the fitted numbers that the run began with, in every process.

  Args:
    problem: as this process has prepared it.
    path: `scenes.json`, which the first process has written, or an earlier start.
  """
  own = {
    name: {key: np.asarray(getattr(inputs, key)) for key in _FITTED if getattr(inputs, key) is not None}
    for name, inputs in problem.inputs.items()
  }
  if not any(own.values()):
    return problem

  def recorded():
    entries = read_json(path)["scenes"]
    return {
      name: {key: np.array(entries[name][key], numbers.dtype) for key, numbers in fitted.items()}
      for name, fitted in own.items()
    }

  inputs = dict(problem.inputs)
  for name, fitted in processes.tree_from_first(recorded, own).items():
    values = {key: numbers if numbers.ndim else float(numbers) for key, numbers in fitted.items()}
    inputs[name] = dataclasses.replace(inputs[name], **values)
  return dataclasses.replace(problem, inputs=inputs)


def newer_files(files: Iterable[Path], directory: Path) -> list[Path]:
  """Those of a run's source files that were written after it had read them, by their time of change."""
  record = directory / "scenes.json"
  if not record.exists():
    return []
  return [path for path in files if path.exists() and path.stat().st_mtime_ns > record.stat().st_mtime_ns]


def _known(scene):
  """What not every scene knows of itself."""
  known = {}
  for key in ("wavelengths", "widths"):
    if getattr(scene, key) is not None:
      known[key] = getattr(scene, key).tolist()
  if scene.class_colours:
    known["colours"] = {str(class_id): list(colour) for class_id, colour in scene.class_colours.items()}
  return known


def _channels(problem):
  """The bands that a scene was resampled to, where it was."""
  if problem.channels is None:
    return {}
  return {"channels": {key: numbers.tolist() for key, numbers in problem.channels._asdict().items()}}


def _sha256(array):
  """Row by row, so that a large cube is never copied whole."""
  digest = hashlib.sha256()
  for row in array:
    digest.update(np.ascontiguousarray(row))
  return digest.hexdigest()
