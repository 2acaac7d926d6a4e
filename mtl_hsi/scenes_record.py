"""What was trained on, for `scenes.json`: enough to treat a new image the same way."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mtl_hsi.inputs import entry
from mtl_hsi.problem import Problem
from mtl_hsi.scenes.scene import Scene

# By which components of the same scenes may differ from machine to machine.
_ROUNDING = 1e-3


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


def with_known_components(described: dict, path: Path) -> dict:
  """The same with the components of an earlier start's `scenes.json`, of which they differ by rounding alone.

  Components are of sums and eigenvectors, whose last digits are the machine's; those that the run began with
  stay.

  Args:
    described: from `describe`.
    path: of that file, which need not be there.
  """
  try:
    known = json.loads(path.read_bytes())
    kept = {
      name: {"components": known[name]["components"]}
      for name, entry in described.items()
      if "components" in entry
    }
    same = all(
      np.allclose(own["components"], described[name]["components"], rtol=0, atol=_ROUNDING)
      for name, own in kept.items()
    )
  # What is not there, or not what a run writes, is for those to say who compare the whole file.
  except (OSError, ValueError, LookupError, TypeError, RecursionError):
    return described
  if not same:
    return described
  return {name: entry | kept.get(name, {}) for name, entry in described.items()}


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
