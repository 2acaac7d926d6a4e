"""`scenes.json`: the scenes of a run, and the values with which a new image is scaled and aligned."""

import dataclasses
import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mtl_hsi.channels.inputs import entry
from mtl_hsi.errors import RequestError
from mtl_hsi.experiment.problem import Problem
from mtl_hsi.runtime import processes
from mtl_hsi.scenes.cube import blocks
from mtl_hsi.scenes.images.products.delivery import Delivery
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.storage.json_files import read_json

# Values fitted to a scene (sums, medians, eigenvectors), whose last digits depend on the machine; and the
# largest difference that counts as rounding, relative to the largest number of a column.
_FITTED = ("components", "contrast")
_ROUNDING = 1e-4
# Also fitted, but no part of training. Records of earlier versions lack it.
_FOR_PREDICTION = "ranges"


def digests(scene: Scene) -> dict[str, str]:
  """Returns the SHA-256 of cube, labels and, if given, test and training pixels and spectra of a library."""
  arrays = {"cube": scene.cube, "labels": scene.labels, "tested": scene.tested, "trained": scene.trained}
  if scene.library is not None:
    arrays["library"] = np.column_stack(scene.library)
  return {f"{name}_sha256": _sha256(array) for name, array in arrays.items() if array is not None}


def describe(problem: Problem) -> dict:
  """Returns for each scene, by name: shape, classes, digests, scaling and alignment."""
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
    | _optional(scene)
    for name, scene in problem.scenes.items()
  }


def keep_recorded_values(described: dict, path: Path) -> dict:
  """Returns the description with the fitted values of an earlier start, if they differ only by rounding.

  Args:
    described: from `describe`.
    path: `scenes.json` of an earlier start; it may be missing.
  """
  try:
    known = read_json(path)["scenes"]
    kept = {name: _equal_up_to_rounding(entry, known[name]) for name, entry in described.items()}
    dropped = {_FOR_PREDICTION for entry in known.values() if _FOR_PREDICTION not in entry}
  # Whoever compares the whole file reports what is missing or damaged.
  except (OSError, RequestError, ValueError, LookupError, TypeError):
    return described
  return {
    name: {key: value for key, value in (entry | kept[name]).items() if key not in dropped}
    for name, entry in described.items()
  }


def _equal_up_to_rounding(entry, known):
  """Returns the known values that equal those of the entry up to rounding."""
  found = {}
  for key in (*_FITTED, _FOR_PREDICTION):
    if key in entry and key in known:
      new, old = np.atleast_1d(entry[key]), np.atleast_1d(known[key])
      equal = new.shape == old.shape and (np.abs(new - old) <= _ROUNDING * np.abs(new).max(axis=0)).all()
      found |= {key: known[key]} if equal else {}
  return found


def with_recorded_values(problem: Problem, path: Path) -> Problem:
  """Returns the problem with the fitted values of `scenes.json`, equal in every process.

  Args:
    problem: the problem of this process.
    path: `scenes.json`, written by the first process or by an earlier start.
  """
  prepared = {
    name: {key: np.asarray(getattr(inputs, key)) for key in _FITTED if getattr(inputs, key) is not None}
    for name, inputs in problem.inputs.items()
  }
  if not any(prepared.values()):
    return problem

  def recorded():
    entries = read_json(path)["scenes"]
    return {
      name: {key: np.array(entries[name][key], numbers.dtype) for key, numbers in fitted.items()}
      for name, fitted in prepared.items()
    }

  inputs = dict(problem.inputs)
  for name, fitted in processes.tree_from_first(recorded, prepared).items():
    values = {key: numbers if numbers.ndim else float(numbers) for key, numbers in fitted.items()}
    inputs[name] = dataclasses.replace(inputs[name], **values)
  return dataclasses.replace(problem, inputs=inputs)


def newer_files(files: Iterable[Path], directory: Path) -> list[Path]:
  """Returns the source files of a run, or folders with a file, that were modified after it had read them."""
  record = directory / "scenes.json"
  if not record.exists():
    return []
  read = record.stat().st_mtime_ns
  return [path for path in files if path.exists() and _last_change(path) > read]


def _last_change(path):
  """Returns the time of a file, or the latest one of all files in a folder."""
  if not path.is_dir():
    return path.stat().st_mtime_ns
  found = Delivery(path)
  return max((found.file(name).lstat().st_mtime_ns for name in found.names), default=0)


def _optional(scene):
  """Returns the facts that not every scene has."""
  known = {}
  for key in ("wavelengths", "widths"):
    if getattr(scene, key) is not None:
      known[key] = getattr(scene, key).tolist()
  if scene.file is not None:
    known["file"] = {key: np.array(values).tolist() for key, values in scene.file._asdict().items()}
  if scene.class_codes:
    known["codes"] = {str(class_id): code for class_id, code in scene.class_codes.items()}
  if scene.class_colours:
    known["colours"] = {str(class_id): list(colour) for class_id, colour in scene.class_colours.items()}
  return known


def _channels(problem):
  """Returns the common bands, if the scenes were resampled."""
  if problem.channels is None:
    return {}
  return {"channels": {key: numbers.tolist() for key, numbers in problem.channels._asdict().items()}}


def _sha256(array):
  """Hashes an array, or the windows of a file, row by row, which never copies a large cube as a whole."""
  digest = hashlib.sha256()
  for _, values in blocks(array):
    for row in values:
      digest.update(np.ascontiguousarray(row))
  return digest.hexdigest()
