"""What came out of an experiment, for programs: values of JSON, as docs/command.md explains them."""

from pathlib import Path

import numpy as np

from mtl_hsi.experiment.execution import Outcome
from mtl_hsi.experiment.problem import Problem
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.storage.json_files import read_json, well_formed


def finished(directory: Path) -> dict:
  """Returns where the results of a finished run are, and its `metrics`.

  Raises:
    RequestError: metrics.json is damaged.
  """
  report, metrics = directory / "report.html", read_json(directory / "metrics.json")
  return {"workdir": str(directory), "report": str(report), "metrics": metrics}


def with_recorded_training(done: Outcome, directory: Path) -> Outcome:
  """Returns results that were made again with the training times of the run, which trained before.

  Raises:
    RequestError: metrics.json is damaged.
  """
  path = directory / "metrics.json"
  with well_formed(path):
    of_run = read_json(path)["seconds"]
    trained = {key: float(of_run[key]) for key in ("train", "compile_train")}
  seconds = {**done.seconds, **trained}
  seconds["total"] = seconds["train"] + seconds["classify"]
  seconds["compile"] = seconds["compile_train"] + seconds["compile_classify"]
  return done._replace(seconds=seconds)


def checked(problem: Problem, text: str) -> dict:
  """Returns the scenes of a request that was only checked.

  Args:
    problem: the scenes, and what would train on them.
    text: what the user reads about them, with notes and warnings in lines of their own.
  """
  lines = map(str.strip, text.splitlines())
  notes = [line for line in lines if line.startswith(("note: ", "warning: "))]
  return {"scenes": {name: _scene(scene) for name, scene in problem.scenes.items()}, "notes": notes}


def _scene(scene: Scene) -> dict:
  height, width, bands = scene.cube.shape
  place = scene.georeference
  counts = np.bincount(scene.labels.ravel(), minlength=scene.class_ids[-1] + 1)
  return {
    "rows": height,
    "columns": width,
    "bands": bands,
    "wavelengths": None if scene.wavelengths is None else scene.wavelengths.tolist(),
    "crs": None if place is None else place.crs,
    "transform": None if place is None else list(place.transform),
    "nodata_share": 0.0 if scene.nodata is None else float(scene.nodata.mean()),
    "classes": [
      {"id": class_id, "name": scene.class_names[class_id], "pixels": int(counts[class_id])}
      for class_id in scene.class_ids.tolist()
    ],
  }
