"""docs/assess.md does what it says: its commands as they stand, on a map of the tutorial's scene."""

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import rasterio

from docs import example_answers, example_scenes
from mtl_hsi.report import rasters
from mtl_hsi.runs.records import SCHEMAS
from mtl_hsi.scenes.scene import Georeference
from tests.launching import ROOT, mtl_hsi

_PAGE = (ROOT / "docs" / "assess.md").read_text("utf-8")


def write_run(directory: Path) -> None:
  """Writes what the tutorial's run leaves, as far as an assessment reads it: a tenth of the map is wrong."""
  scene, generator = example_scenes.simulated_fields(), np.random.default_rng(0)
  folder = directory / "maps" / "fields"
  folder.mkdir(parents=True)
  wrong = (generator.random(scene.labels.shape) < 0.1) | (scene.labels == 0)
  ids = np.where(wrong, generator.integers(1, 5, scene.labels.shape), scene.labels)
  place = Georeference("EPSG:32633", (4.0, 0.0, 500_000.0, 0.0, -4.0, 5_400_000.0))
  legend = rasters.Legend("fields", dict(scene.class_names), dict.fromkeys(scene.class_names, (9, 9, 9)))
  with rasters.create_class_map(folder / "prediction.tif", legend, *ids.shape, place) as raster:
    raster.write(ids.astype(np.uint8), 1)
  record = {"schema": SCHEMAS["config.json"], "target": "fields"}
  (directory / "config.json").write_text(json.dumps(record))
  parts = [part for polygons in example_scenes.draw_polygons(scene)[:1] for part, _ in polygons]
  mask = np.zeros(ids.shape, bool)
  for part in parts:
    mask[part] = True
  np.savez(directory / "split.npz", **{"fields/train": np.argwhere(mask)[None].astype(np.int32)})


def run(command: str) -> str:
  """Runs a command of the page in this process; returns what it printed."""
  program, *words = shlex.split(command.replace("\\\n", " "))
  if words[:2] == ["-m", "docs.example_answers"]:
    example_answers.fill_in(Path(words[2]))
    return ""
  assert program == "mtl-hsi"
  outcome = mtl_hsi(*words)
  assert (outcome.status, outcome.err) == (0, "")
  return outcome.out


@pytest.fixture(scope="module")
def done(tmp_path_factory):
  """A directory in which all commands of the page were run, and what each printed."""
  place = tmp_path_factory.mktemp("assess")
  (place / "configs").symlink_to(ROOT / "configs")
  example_scenes.write(place / "example")
  write_run(place / "runs" / "fields")
  with pytest.MonkeyPatch.context() as patch:
    patch.chdir(place)
    blocks = re.findall(r"^```sh\n(.*?)^```$", _PAGE, re.DOTALL | re.MULTILINE)
    printed = [run(block) for block in blocks]
  return place / "runs" / "fields" / "assessment", printed


def test_the_files_are_those_of_the_page(done):
  listed = set(re.findall(r"^\| `(fields_\S+)` \|", _PAGE, re.MULTILINE))
  assert {path.name for path in done[0].iterdir()} == listed


def test_no_unit_trained_and_the_page_of_results_says_so(done):
  assert "Left out of the target area: " in done[1][0]
  assert "units that trained." in (done[0] / "fields_estimates.html").read_text()


def test_the_columns_are_those_of_the_page(done):
  columns = (done[0] / "fields_sample.csv").read_text().splitlines()[0].split(",")
  described = re.search(r"^\| `fields_sample.csv` \|.*$", _PAGE, re.MULTILINE)[0]
  assert columns == re.findall(r"`(\w+)`", described)


def test_the_intervals_contain_the_truth(done):
  record = json.loads((done[0] / "fields_estimates.json").read_text())
  scene = example_scenes.simulated_fields()
  with rasterio.open(done[0].parent / "maps" / "fields" / "prediction.tif") as raster:
    right = (raster.read(1) == scene.labels)[scene.labels > 0].mean()
  assert record["overall_accuracy"]["lower"] < right < record["overall_accuracy"]["upper"]
  for of_class in record["classes"]:
    share = (scene.labels == of_class["id"]).sum() / (scene.labels > 0).sum()
    assert of_class["area_share"]["lower"] < share < of_class["area_share"]["upper"]
