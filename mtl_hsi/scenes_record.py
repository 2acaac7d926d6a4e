"""What was trained on, for `scenes.json`: enough to treat a new image the same way."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mtl_hsi.inputs import entry
from mtl_hsi.problem import Problem
from mtl_hsi.scenes.scene import Scene

# What of a scene's entry may differ from machine to machine, and by how much.
_OF_ROUNDING = ("components", "contrast")
_ROUNDING = {"rtol": 1e-3, "atol": 1e-3}


def digests(scene: Scene) -> dict[str, str]:
  """SHA-256 of cube, labels and, where they are given, the places of test and training pixels."""
  arrays = {"cube": scene.cube, "labels": scene.labels, "tested": scene.tested, "trained": scene.trained}
  return {f"{name}_sha256": _sha256(array) for name, array in arrays.items() if array is not None}


def describe(problem: Problem) -> dict:
  """By scene: shape, classes and digests, and the scaling and alignment that a new image must be given."""
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
  """The same with the components and contrasts of an earlier start that differ from these by rounding alone.

  They come from sums and eigenvectors, whose last digits are the machine's; what the run began with stays.

  Args:
    described: from `describe`.
    path: of the earlier start's `scenes.json`, which need not be there.
  """
  try:
    known = json.loads(path.read_bytes())
    kept = {name: _rounded_otherwise(entry, known[name]) for name, entry in described.items()}
  # What is not there, or not what a run writes, is for those to say who compare the whole file.
  except (OSError, ValueError, LookupError, TypeError, RecursionError):
    return described
  return {name: entry | kept[name] for name, entry in described.items()}


def _rounded_otherwise(entry, known):
  """What is known by other digits."""
  keys = [key for key in _OF_ROUNDING if key in entry and np.allclose(entry[key], known[key], **_ROUNDING)]
  return {key: known[key] for key in keys}


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
