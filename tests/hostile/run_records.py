"""Work directories of complete runs from an untrusted source."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from configs import common
from mtl_hsi.channels.inputs import Inputs, entry
from mtl_hsi.channels.scaling import Scaling
from mtl_hsi.storage import checksums

_RESULTS = ("split.npz", "predictions.npz", "report.html", "metrics.json", "environment.json")


def write(place: Path, name: str = "fields", config: Mapping[str, Any] | None = None, **changes: Any) -> Path:
  """Writes a run of one scene without networks, and returns its directory.

  Args:
    place: the directory.
    name: name of the scene.
    config: changes to the config.
    changes: changes to the entry of the scene in `scenes.json`.
  """
  values = common.get_config()
  values.scenes, values.target = (name,), name
  values = json.loads(values.to_json_best_effort())
  for file in _RESULTS:
    (place / file).write_text("{}")
  # Only metrics.json is listed, so that tests can change the other files.
  (place / checksums.NAME).write_bytes(checksums.listing(place, ["metrics.json"]))
  (place / "config.json").write_text(json.dumps({"schema": 2, **values, **(config or {})}))
  (place / "scenes.json").write_text(json.dumps({"schema": 1, "scenes": {name: {**_scene(), **changes}}}))
  return place


def _scene() -> dict[str, Any]:
  inputs = Inputs(5, np.arange(4), Scaling(np.zeros(4), np.ones(4)), None)
  known = {"shape": [3, 4, 5], "classes": {"1": "maize", "2": "lawn"}, "wavelengths": [400.0] * 5}
  return known | entry(inputs)
