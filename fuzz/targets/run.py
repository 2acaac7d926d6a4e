"""The records of a finished run: config.json, scenes.json, environment.json."""

import json
from pathlib import Path

import numpy as np

from configs import common
from mtl_hsi.channels.inputs import Inputs, entry
from mtl_hsi.channels.scaling import Scaling
from mtl_hsi.runs import trained_run
from mtl_hsi.runs.records import with_schema
from mtl_hsi.storage import atomic_files, checksums

_FILES = ("config.json", "scenes.json", "environment.json")
_RESULTS = ("split.npz", "predictions.npz", "report.html", "metrics.json", "environment.json")


def seeds(folder: Path) -> list[bytes]:
  for directory in ("run", "unfinished"):
    for name in (*_RESULTS, *_FILES):
      atomic_files.write_bytes(folder / directory / name, _GOOD.get(name, b"{}"))
    # Only metrics.json is listed, so that the fuzzed files are read.
    listing = checksums.listing(folder / directory, ["metrics.json"])
    atomic_files.write_bytes(folder / directory / checksums.NAME, listing)
  (folder / "unfinished" / "report.html").unlink()
  return [bytes([index]) + _GOOD[name] for index, name in enumerate(_FILES)]


def feed(data: bytes, folder: Path) -> None:
  wrong = _FILES[data[0] % 3] if data else _FILES[0]
  directory = folder / ("unfinished" if wrong == "environment.json" else "run")
  (directory / wrong).write_bytes(data[1:])
  try:
    trained_run.read_run(directory)
  finally:
    (directory / wrong).write_bytes(_GOOD[wrong])


def _good() -> dict[str, bytes]:
  config = common.get_config()
  config.scenes, config.target = ("fields", "town"), "fields"
  inputs = Inputs(5, np.arange(4), Scaling(np.zeros(4), np.ones(4)), None)
  scene = {"shape": [3, 4, 5], "classes": {"1": "maize", "2": "lawn"}, "colours": {"1": [1, 2, 3]}}
  scene |= {"wavelengths": [400.0, 500.0, 600.0, 700.0, 800.0], **entry(inputs)}
  return {
    "config.json": atomic_files.json_bytes(
      with_schema("config.json", json.loads(config.to_json_best_effort()))
    ),
    "scenes.json": atomic_files.json_bytes(
      with_schema("scenes.json", {"scenes": {"fields": scene, "town": scene}})
    ),
    "environment.json": atomic_files.json_bytes({"command": ["launch.py"]}),
  }


_GOOD = _good()
