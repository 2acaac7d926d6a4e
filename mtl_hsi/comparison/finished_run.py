"""The records of a finished run that a comparison reads; runs of SVMs are possible as well."""

import contextlib
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.report.map_classes import UNKNOWN_NAME
from mtl_hsi.runs import workdir
from mtl_hsi.runs.records import read_record
from mtl_hsi.scenes.images.arrays import list_arrays, read_array
from mtl_hsi.scenes.scene_checks import SCENE_NAME
from mtl_hsi.splits.split import PADDING
from mtl_hsi.storage import checksums
from mtl_hsi.storage.json_files import read_json, well_formed

MEASURES = ("overall_accuracy", "average_accuracy", "kappa")
LEFT_OUT, TEST = "left-out labels", "test pixels"


class LeftOut(NamedTuple):
  """The labels that folds left out of the first map, ordered by row and column.

  Attributes:
    pixels: row and column `[n, 2]`.
    classes: their class ids `[n]`.
    predicted: class ids by networks that did not see them `[n]`.
    unit: number of the polygon or other unit of each `[n]`.
  """

  pixels: np.ndarray
  classes: np.ndarray
  predicted: np.ndarray
  unit: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class FinishedRun:
  """A finished run whose result files are unchanged.

  Attributes:
    directory: its work directory.
    config: its resolved config, nested.
    metrics: its `metrics.json`.
    place: the directory in which it was started.
  """

  directory: Path
  config: Mapping[str, Any]
  metrics: Mapping[str, Any]
  place: Path

  def tested_on(self, scene: str) -> str | None:
    """Returns `LEFT_OUT` or `TEST`, what the accuracies of a scene are measured on.

    None if the scene has no accuracy, because it has no test pixels.
    """
    found = self.metrics["scenes"][scene]
    if None in found["overall_accuracy"]["replicas"]:
      return None
    return LEFT_OUT if "left_out" in found else TEST

  def accuracies(self, scene: str) -> list[float]:
    """Returns the overall accuracy of every map, in %."""
    return [100 * value for value in self.metrics["scenes"][scene]["overall_accuracy"]["replicas"]]

  def test_pixels(self, scene: str) -> np.ndarray:
    """Returns the test pixels of every map, `[maps, n, 2]`, padded."""
    return self._array("split.npz", f"{scene}/test")

  def predictions(self, scene: str) -> np.ndarray:
    """Returns the class ids of all maps `[maps, H, W]`."""
    return self._array("predictions.npz", scene)

  def left_out(self, scene: str) -> LeftOut:
    """Returns the left-out labels of a scene that was tested on them."""
    pixels = self._array("left_out.npz", f"{scene}/pixels")[0]
    known = pixels[:, 0] != PADDING
    order = np.lexsort(pixels[known].T[::-1])
    rest = (self._array("left_out.npz", f"{scene}/{key}")[0] for key in ("class", "predicted", "unit"))
    return LeftOut(*(values[known][order] for values in (pixels, *rest)))

  def class_names(self, scene: str) -> dict[int, str]:
    """Returns the names of all classes that a map of the scene can have, by id."""
    found = self.metrics["scenes"][scene]
    names = {row["id"]: row["name"] for row in found["per_class"]}
    unknown = found.get("unknown", {}).get("id")
    return names if unknown is None else {**names, unknown: UNKNOWN_NAME}

  def _array(self, name, key):
    with well_formed(self.directory / name):
      if key not in list_arrays(self.directory / name):
        raise KeyError(key)
      return read_array(self.directory / name, key)


def read(directory: Path) -> FinishedRun:
  """Reads a finished run and checks that its result files are unchanged.

  Raises:
    RequestError: the directory has no run, or an unfinished or damaged one.
  """
  config = read_record(directory, "config.json")
  if not workdir.is_complete(directory, config):
    raise RequestError(f"the run in {directory} is not finished; only finished runs can be compared")
  checksums.verify(directory)
  run = FinishedRun(directory, config, read_record(directory, "metrics.json"), _place(directory))
  with well_formed(directory / "metrics.json"):
    _check(run)
  return run


def _check(run: FinishedRun) -> None:
  """Raises any error of a wrong type unless the metrics have the values that a comparison shows."""
  float(run.metrics["seconds"]["total"])
  for scene, found in run.metrics["scenes"].items():
    if not SCENE_NAME.fullmatch(scene):
      raise ValueError(f"{scene!r} is not a valid name of a scene")
    sorted(run.class_names(scene).items())
    for measure in MEASURES:
      mean, std, interval, replicas = (found[measure][key] for key in ("mean", "std", "interval", "replicas"))
      low, high = (0, 0) if interval is None else interval
      _ = [float(value) for value in (mean, std, low, high, *replicas) if value is not None]
      if not replicas:
        raise ValueError(f"scene {scene!r} has no map")


def _place(directory: Path) -> Path:
  with contextlib.suppress(OSError, RequestError, LookupError, TypeError):
    return Path(read_json(directory / "environment.json")["directory"])
  return Path()
