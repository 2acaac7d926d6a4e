import dataclasses
import importlib.util
import pathlib

import numpy as np
import pytest

from mtl_hsi.evaluation import metrics
from mtl_hsi.paper.published import PaperFigure
from mtl_hsi.report import page
from mtl_hsi.report.run_report import RunReport, SceneReport
from mtl_hsi.scenes.scene import Scene
from tests.report import browsing


def classified(scene, **changes):
  """A report: the prediction is right, and the first class where unlabelled; one pixel a class trains."""
  ids = scene.class_ids
  prediction = np.where(scene.labels > 0, scene.labels, ids[0]).astype(np.int32)
  train = np.array([np.argwhere(scene.labels == i)[0] for i in ids], np.int32)
  tested = scene.labels > 0
  tested[tuple(train.T)] = False
  test = np.argwhere(tested).astype(np.int32)
  counts = metrics.confusion(scene.labels[tested], prediction[tested], ids)
  summary = metrics.summarise(np.stack([counts, counts]), ids, scene.class_names)
  report = SceneReport(scene, summary, prediction, train, test, (2, 1, 0), "3 bands", None, None)
  return dataclasses.replace(report, **changes)


_CLASS = {"units": 7, "confidence": 0.9, "accuracy": 0.8125, "error": None}
MIXTURE = {
  "members": ["network", "local", "regression"],
  "replicas": [
    {
      "weights": [0.5, 0.25, 0.25],
      "accuracy": [0.8125, 0.84, None],
      "log_likelihood": [-0.6, -0.5, None],
      "smoothing": "light",
      "smoothing_radius": 6,
      "temperature": 1.4,
      "left_out_accuracy": 0.88,
      "left_out_pixels": 160,
    }
  ],
  "calibration": {
    "before": 0.08,
    "after": 0.031,
    "reliability_before": [
      {"confidence": 0.55, "accuracy": 0.5, "pixels": 10},
      {"confidence": 0.95, "accuracy": 0.75, "pixels": 40},
    ],
    "reliability_after": [{"confidence": 0.75, "accuracy": 0.7, "pixels": 50}],
    "by_class": [
      {**_CLASS, "id": 2, "name": "Maïs & blé", "pixels": 1200, "confidence": 0.75, "error": 0.0625},
      {**_CLASS, "id": 5, "name": "<b>Wald</b>", "pixels": 12, "accuracy": 0.5},
      {**_CLASS, "id": 9, "name": "Roof", "pixels": 0, "units": 0, "confidence": None, "accuracy": None},
    ],
  },
}


def mixed(report):
  """A report of a run that mixes experts."""
  return dataclasses.replace(report, metrics=report.metrics | {"mixture": MIXTURE})


def left_out(report):
  """A report whose accuracies are those of left-out polygons; all labels train the networks of the map."""
  left = {"kind": "polygons", "folds": 5, "units": 41, "pixels": 1234}
  figure = {"mean": 0.5, "std": 0.0, "replicas": [0.5], "interval": [0.25, 0.75]}
  figures = dict.fromkeys(("overall_accuracy", "average_accuracy", "kappa"), figure)
  train = np.argwhere(report.scene.labels > 0).astype(np.int32)
  metrics = report.metrics | figures | {"left_out": left}
  return dataclasses.replace(report, train=train, test=train[:0], metrics=metrics)


@pytest.fixture(scope="session")
def mixed_report(fields_report):
  return mixed(fields_report)


@pytest.fixture(scope="session")
def left_out_report(fields_report):
  return left_out(fields_report)


@pytest.fixture(scope="session")
def fields():
  """A simulated scene of 4 x 5 pixels and 3 bands; ids 2, 5 and 9, one pixel unlabelled."""
  labels = np.array([[2, 2, 2, 5, 5], [2, 2, 2, 5, 5], [9, 9, 9, 5, 5], [9, 9, 9, 5, 0]], np.int32)
  cube = np.arange(60, dtype=np.uint16).reshape(4, 5, 3)
  return Scene("fields", cube, labels, {2: "Maïs & blé", 5: "<b>Wald</b>", 9: "Roof"}, simulated=True)


@pytest.fixture(scope="session")
def fields_report(fields):
  return classified(fields)


@pytest.fixture(scope="session")
def indian_pines_report():
  """The real scene, and a prediction that is right everywhere but in its upper half, where all is class 2."""
  folder = pathlib.Path(importlib.util.find_spec("tensorly").origin).parent / "datasets" / "data"
  labels = np.load(folder / "Indian_pines_gt.npy").astype(np.int32)
  names = {i: f"Class {i} of the Indian Pines scene" for i in range(1, 17)}
  cube = np.load(folder / "Indian_pines_corrected.npy")
  scene = Scene("indian_pines", cube, labels, names, sensor="AVIRIS")
  report = classified(scene, paper=PaperFigure(39.17, 3.06), false_colour_bands=(43, 21, 11), leakage=0.25)
  prediction = report.prediction.copy()
  prediction[:72] = 2
  return dataclasses.replace(report, prediction=prediction)


@pytest.fixture(scope="session")
def run(indian_pines_report, fields_report):
  losses = np.geomspace(3, 0.01, 6)[:, None, None] * np.array([[1, 2], [1.5, 3]])  # two replicas, two scenes
  return RunReport(
    name="Two scenes & one <network>",
    description="hresnet, 2 replicas",
    scenes=[indian_pines_report, fields_report],
    target="indian_pines",
    losses=losses,
    phases=[("main", 4), ("adapt", 2)],
    seconds={"train": 200.0, "classify": 1.26, "total": 201.26, "compile": 3.0},
    config={"model": {"name": "hresnet"}, "phases": [{"epochs": 4}, {"epochs": 2}], "note": "<script>x"},
    environment={
      "versions": {"jax": "0.10.2"},
      "started": "2026-01-01T00:00:00+00:00",
      "starts": [{"started": "2026-01-01T00:00:00+00:00"}],
      "directory": "/home/<me>",
    },
    command="python launch.py --config='a & b'",
  )


@pytest.fixture(scope="session")
def rendered(run):
  """The page of `run`."""
  return page.render(run)


@pytest.fixture(scope="session")
def chromium(tmp_path_factory):
  browsing.require_chromium()
  with browsing.browser(tmp_path_factory.mktemp("profile")) as browser:
    yield browser


@pytest.fixture
def opened(text, tmp_path, chromium):
  """The page of the fixture `text`, open in a browser whose console must have stayed silent at the end."""
  (tmp_path / "page.html").write_text(text, "utf-8")
  chromium.open(tmp_path / "page.html")
  yield chromium
  assert chromium.said == []


@pytest.fixture
def render_scene(run):
  """Renders the page of one scene, by default without loss curves."""

  def render(report, **changes):
    return page.render(dataclasses.replace(run, **{"scenes": [report], "losses": None, **changes}))

  return render
