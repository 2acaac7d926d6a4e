"""docs/tutorial.md does what it says: its commands as they stand, and the maps they leave."""

import csv
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import rasterio

from docs import example_scenes
from mtl_hsi.report import colours
from mtl_hsi.scenes.files import read_scene
from mtl_hsi.scenes.labels.regions import number_regions

_ROOT = Path(__file__).resolve().parent.parent
_TUTORIAL = (_ROOT / "docs" / "tutorial.md").read_text()
_CROPS = {1: "green crop", 2: "stubble", 3: "bare soil", 4: "trees"}
_TOWN = {1: "asphalt road", 2: "grass", 3: "metal roof"}

# The first test that needs them runs all commands of the tutorial.
pytestmark = pytest.mark.timeout(1200)


def fenced(kind: str) -> list[str]:
  """Contents of the tutorial's fenced blocks of a kind."""
  return re.findall(rf"^ *```{kind}\n(.*?)^ *```$", _TUTORIAL, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def example(tmp_path_factory) -> Path:
  directory = tmp_path_factory.mktemp("scenes") / "example"
  example_scenes.write(directory)
  return directory


@pytest.fixture(scope="module")
def done(tmp_path_factory) -> tuple[Path, list[str]]:
  """A directory in which all commands of the tutorial were run, and what each printed."""
  place = tmp_path_factory.mktemp("tutorial")
  for name in ("launch.py", "configs", "mtl_hsi", "docs"):
    (place / name).symlink_to(_ROOT / name)
  python = place / ".venv" / "bin" / "python"
  python.parent.mkdir(parents=True)
  command = place / "mtl-hsi"
  for path, module in ((python, ""), (command, "-m mtl_hsi ")):
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" {module}"$@"\n')
    path.chmod(0o755)
  # Rank promotion is for the tests in this process.
  environment = {key: value for key, value in os.environ.items() if key != "JAX_NUMPY_RANK_PROMOTION"}
  environment["PATH"] = f"{place}{os.pathsep}{environment['PATH']}"
  printed = []
  for block in fenced("sh"):
    command = ["sh", "-ec", block]
    outcome = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)
    assert outcome.returncode == 0, f"{block}\n{outcome.stdout}{outcome.stderr}"
    printed.append(outcome.stdout)
  return place, printed


def test_the_scenes_of_the_files_are_those_simulated(example):
  fields = read_scene(
    "fields", cube=example / "fields.tif", labels=example / "fields.gpkg", label_column="crop",
    classes=example / "fields_classes.csv", wavelengths=example / "camera_bands.csv",
  )  # fmt: skip
  town = read_scene("town", cube=example / "town.hdr", labels=example / "town.csv")
  assert (fields.class_names, town.class_names) == (_CROPS, _TOWN)
  assert (fields.cube.shape, town.cube.shape) == ((112, 96, 40), (72, 64, 30))
  assert (fields.wavelengths[0], fields.widths[0], town.wavelengths[0], town.widths[0]) == (420, 12, 440, 15)
  made = simulated_fields()
  np.testing.assert_array_equal(fields.cube, made.cube)
  assert fields.georeference is not None


def simulated_fields():
  crops = tuple(_CROPS.values())
  return example_scenes.simulated(
    "fields", (112, 96), example_scenes.CAMERA, crops, seed=1, labelled_fraction=1.0
  )


@pytest.mark.parametrize(("file", "count"), [("fields", 30), ("visited", 12)])
def test_polygons_are_within_their_classes_and_apart(example, file, count):
  read = read_scene(
    "fields", cube=example / "fields.tif", labels=example / f"{file}.gpkg",
    classes=example / "fields_classes.csv", wavelengths=example / "camera_bands.csv",
  )  # fmt: skip
  labelled, truth = read.labels > 0, simulated_fields().labels
  np.testing.assert_array_equal(read.labels[labelled], truth[labelled])
  assert number_regions(labelled.astype(np.int32)).max() == len(np.unique(read.units[labelled])) == count


def test_the_scenes_file_is_the_one_shown(example):
  assert fenced("yaml") == [(example / "scenes.yaml").read_text()]


def test_scenes_are_not_written_over(example):
  before = (example / "fields.tif").read_bytes()
  command = [sys.executable, "-m", "docs.example_scenes", str(example)]
  outcome = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True)
  assert outcome.returncode != 0
  assert outcome.stderr.startswith("error: cannot write ")
  assert (example / "fields.tif").read_bytes() == before


def test_the_scenes_are_explained_and_not_written_where_help_is_asked_for(tmp_path):
  environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
  command = [sys.executable, "-m", "docs.example_scenes", "--help"]
  outcome = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
  assert (outcome.returncode, outcome.stderr) == (0, "")
  assert "Writes the small scenes of docs/tutorial.md" in outcome.stdout
  assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_the_check_prints_what_the_tutorial_shows(done):
  (shown,) = fenced("text")
  assert shown in done[1][2]


@pytest.mark.slow
def test_the_run_prints_the_lines_that_the_tutorial_shows(done):
  """The figures depend on the machine."""
  printed = {line.split()[0] for line in done[1][3].splitlines() if line.strip()}
  shown = {line.split()[0] for block in fenced("console") for line in block.splitlines() if line.strip()}
  assert shown <= printed


@pytest.mark.slow
def test_the_map_lies_where_the_image_does_and_holds_the_predictions(done):
  place = done[0]
  path = place / "runs" / "fields" / "maps" / "fields" / "prediction.tif"
  with (
    rasterio.open(place / "example" / "fields.tif") as source,
    rasterio.open(path) as made,
    np.load(place / "runs" / "fields" / "predictions.npz") as predictions,
  ):
    assert (made.crs, made.transform, made.shape) == (source.crs, source.transform, source.shape)
    assert made.crs.to_epsg() == 32633
    np.testing.assert_array_equal([made.read(1)], predictions["fields"])
    assert {int(key[6:]): text for key, text in made.tags(1).items() if key.startswith("CLASS_")} == _CROPS
    assert colours_of(made, _CROPS) == wanted_colours(place)
  assert categories(path) == ["", *_CROPS.values()]


@pytest.mark.slow
def test_every_polygon_is_left_out_whole(done):
  with np.load(done[0] / "runs" / "fields" / "left_out.npz") as archive:
    fold, unit, right = (archive[f"fields/{key}"][0] for key in ("fold", "unit", "predicted"))
    right = right == archive["fields/class"][0]
  assert len(np.unique(unit)) == len(np.unique(np.stack([fold, unit]), axis=1).T) == 30
  assert right.mean() > 0.8


@pytest.mark.slow
def test_the_new_image_has_a_map_of_its_place(done):
  place = done[0]
  path = place / "maps" / "flight_classes.tif"
  with (
    rasterio.open(place / "example" / "flight.tif") as source,
    rasterio.open(path) as classes,
    rasterio.open(place / "maps" / "flight_confidence.tif") as confidence,
  ):
    for made in (classes, confidence):
      assert (made.crs, made.transform, made.shape) == (source.crs, source.transform, source.shape)
    assert set(np.unique(classes.read(1))) <= set(_CROPS)
    share, probability = confidence.read()
    # The class of the largest mean probability may be that of no single network.
    assert 0 <= share.min() <= share.max() <= 1
    assert 0 < probability.min() <= probability.max() <= 1
    assert colours_of(classes, _CROPS) == wanted_colours(place)
  assert categories(path) == ["", *_CROPS.values()]
  with rasterio.open(place / "maps" / "flight_classes.img") as envi:
    assert colours_of(envi, _CROPS) == wanted_colours(place)


@pytest.mark.slow
def test_the_new_scene_has_a_map_of_its_own_classes(done):
  place = done[0]
  with (
    rasterio.open(place / "example" / "meadow.tif") as source,
    rasterio.open(place / "runs" / "meadow" / "maps" / "meadow" / "prediction.tif") as made,
    np.load(place / "runs" / "meadow" / "predictions.npz") as predictions,
  ):
    assert (made.crs, made.transform, made.shape) == (source.crs, source.transform, source.shape)
    np.testing.assert_array_equal(made.read(1), predictions["meadow"][0])
    assert made.tags(1)["CLASS_1"] == "dry grass"
    assert colours_of(made, (1, 2, 3)) == palette((1, 2, 3))


def categories(path: Path) -> list[str]:
  """Class names by id as a GIS reads them, beside the raster."""
  tree = ElementTree.parse(f"{path}.aux.xml")
  return [category.text or "" for category in tree.iter("Category")]


def colours_of(raster: rasterio.DatasetReader, classes: Iterable[int]) -> dict[int, tuple[int, ...]]:
  """Red, green and blue of classes, by the raster's table."""
  table = raster.colormap(1)
  return {class_id: table[class_id][:3] for class_id in classes}


def palette(classes: Iterable[int]) -> dict[int, tuple[int, ...]]:
  return {class_id: colours.class_colour(place) for place, class_id in enumerate(classes)}


def wanted_colours(place: Path) -> dict[int, tuple[int, ...]]:
  with (place / "example" / "fields_classes.csv").open(newline="") as file:
    return {int(row["id"]): tuple(bytes.fromhex(row["colour"][1:])) for row in csv.DictReader(file)}
