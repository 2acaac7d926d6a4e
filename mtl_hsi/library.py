"""Use from Python: trains a network on scenes in memory, returns class maps, and assesses them.

The files in configs/ define the defaults. The library does not configure JAX; call `devices.configure` before
JAX computes anything to let the replicas use all cores.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ml_collections import config_dict

from configs import assess_draw, assess_estimate, best
from configs import predict as predict_config
from mtl_hsi.assessment import draw as drawing
from mtl_hsi.assessment import estimate as estimation
from mtl_hsi.errors import RequestError
from mtl_hsi.experiment.run import run_experiment
from mtl_hsi.experiment.scenes_record import digests
from mtl_hsi.prediction import predict as prediction
from mtl_hsi.scenes.images.arrays import list_arrays, read_array
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.storage import checksums


def train(scenes: Sequence[Scene], directory: Path, changes: Mapping[str, Any] | None = None) -> Path:
  """Trains one network on all scenes with the recommended recipe and maps every scene.

  A finished run of the same scenes and changes stays as it is; an interrupted one is resumed.

  Args:
    scenes: one or more scenes with different names; the first one is the target.
    directory: the work directory.
    changes: config values that differ from `configs/best.py`, with dots between groups and keys, such as
      {"replicas": 2, "phases.phase1.epochs": 20}; `optimizer` is given as a whole, as a mapping.

  Returns:
    The work directory.

  Raises:
    RequestError: the request is invalid, or the directory contains a run with other scenes or changes.
  """
  config = best.get_config()
  config.scenes = tuple(scene.name for scene in scenes)
  config.target = config.scenes[0] if scenes else ""
  # The config names no files; without this, another scene of the same name would count as the same.
  config.in_memory = {scene.name: digests(scene) for scene in scenes}
  apply(config, changes)
  directory = Path(directory)
  run_experiment(config.lock(), directory, sys.argv, {scene.name: scene for scene in scenes})
  return directory


def maps(directory: Path) -> dict[str, np.ndarray]:
  """Reads the class maps of a finished run.

  Returns:
    Class ids of every pixel, `[R, H, W]`, by scene name.

  Raises:
    RequestError: the directory has no class maps, or they are damaged.
  """
  path = Path(directory) / "predictions.npz"
  try:
    checksums.read_verified(path.parent, path.name)
    return {name: read_array(path, name) for name in list_arrays(path)}
  except (OSError, RequestError) as error:
    raise RequestError(f"cannot read {path}: {error}; expected the directory of a finished run") from error


def predict(run: Path, image: Path, output: Path, changes: Mapping[str, Any] | None = None) -> None:
  """Maps an image file with the networks of a finished run, window by window.

  Args:
    run: a finished work directory.
    image: an image file in any format that `configs/predict.py` reads.
    output: common path of the files to write, without an ending.
    changes: further config values of `configs/predict.py`, such as {"scene": "town"}.

  Raises:
    RequestError: the request is invalid, or an output file already exists.
  """
  config = predict_config.get_config()
  config.run, config.image, config.output = str(run), str(image), str(output)
  apply(config, changes)
  prediction.run(config.lock())


def draw(path: Path, changes: Mapping[str, Any] | None = None) -> list[Path]:
  """Draws a reference sample from a class map.

  Args:
    path: the map, such as `maps/<scene>/prediction.tif` of a run.
    changes: further config values of `configs/assess_draw.py`, such as {"standard_error": 0.03}.

  Returns:
    Paths of the files, the table to fill in first and the design last.

  Raises:
    RequestError: the request is invalid, or an output file already exists.
  """
  config = assess_draw.get_config()
  config.map = str(path)
  apply(config, changes)
  return [Path(file) for file in drawing.run(config.lock())["files"]]


def estimate(path: Path, sample: Path, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
  """Estimates accuracies and areas of a class map, with intervals, from a filled-in sample, and writes them.

  Args:
    path: the map.
    sample: the filled-in table.
    changes: further config values of `configs/assess_estimate.py`, such as {"further_classes": "ice"}.

  Returns:
    The estimates, as in `<output>_estimates.json`.

  Raises:
    RequestError: the request is invalid, or an output file already exists.
  """
  config = assess_estimate.get_config()
  config.map, config.sample = str(path), str(sample)
  apply(config, changes)
  return estimation.run(config.lock())["estimates"]


def apply(config: config_dict.ConfigDict, changes: Mapping[str, Any] | None) -> None:
  """Changes values of a config.

  Args:
    config: the config, unlocked.
    changes: values by key, with dots between groups and keys; `optimizer` is given as a whole.

  Raises:
    RequestError: a key is unknown, or a value has the wrong type.
  """
  for key, value in (changes or {}).items():
    *groups, last = key.split(".")
    try:
      group = config
      for name in groups:
        group = group[name]
      if last not in group:
        raise KeyError(key)
      group[last] = value
    except (KeyError, AttributeError, TypeError) as error:
      raise RequestError(
        f"cannot set {key}={value!r}: unknown config key or wrong type; docs/configs.md lists the keys"
      ) from error
