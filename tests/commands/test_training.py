import json
from unittest import mock

import pytest

from mtl_hsi.experiment import adapt as adapt_module
from mtl_hsi.experiment import run as run_module
from mtl_hsi.reproduction import paper_grid
from tests import launching

CONFIGS = launching.ROOT / "configs"
SCENES = "fields:\n  cube: fields.tif\n  labels: fields.gpkg\ntown:\n  cube: town.hdr\n  labels: town.csv\n"


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
  """A directory with a scenes file; its images are never read."""
  monkeypatch.chdir(tmp_path)
  (tmp_path / "scenes.yaml").write_text(SCENES)


def requested(run, *command):
  """The config and work directory that a command line asks for, as text; nothing is run."""
  with (
    mock.patch.object(run_module, "run_experiment", return_value=None) as experiment,
    mock.patch.object(adapt_module, "run", return_value=None) as adaptation,
    mock.patch.object(paper_grid, "run", return_value=None) as grid,
  ):
    assert run(*command) == (0, "", "")
  (call,) = [mocked.call_args for mocked in (experiment, adaptation, grid) if mocked.called]
  return call.args[0].to_json(), str(call.args[1])


def launched(config, *flags):
  return requested(launching.launch, f"--config={CONFIGS / config}", *flags)


@pytest.mark.parametrize(
  ("command", "launch"),
  [
    (
      "train scenes.yaml -o runs/a --set folds=3 --set snapshots=(-4,0)",
      ("own.py --config.scenes_file=scenes.yaml --workdir=runs/a --config.folds=3 --config.snapshots=(-4,0)"),
    ),
    (
      "check scenes.yaml --scenes town --recipe best",
      "best.py:town --config.scenes_file=scenes.yaml --config.check_only=True --workdir=runs/x",
    ),
    (
      "map fields.tif fields.gpkg --column crop --bad-bands 0:3 --nodata -9999 -o b",
      "own.py:fields --config.files.fields.cube=fields.tif --config.files.fields.labels=fields.gpkg "
      "--config.files.fields.label_column=crop --config.files.fields.bad_bands=0:3 "
      "--config.files.fields.nodata=-9999 --workdir=b",
    ),
    (
      "adapt runs/a meadow.tif meadow.gpkg --set stem=new -o c",
      "adapt.py:meadow --config.run=runs/a --config.files.meadow.cube=meadow.tif "
      "--config.files.meadow.labels=meadow.gpkg --config.stem=new --workdir=c",
    ),
    ("train --recipe mtl:pu_all -o d", "mtl.py:pu_all --workdir=d"),
    (
      "paper table3 --dry-run --set cells=svm --set cells=hresnet/* -o e",
      "paper.py:table3 --config.dry_run=True --config.cells=svm --config.cells=hresnet/* --workdir=e",
    ),
  ],
)
def test_the_config_is_that_of_launch(command, launch):
  config, workdir = requested(launching.mtl_hsi, *command.split())
  expected, expected_workdir = launched(*launch.split())
  assert json.loads(config) == json.loads(expected)
  assert workdir == expected_workdir or command.startswith("check")


@pytest.mark.parametrize(
  ("command", "name"),
  [
    ("train scenes.yaml", "scenes"),
    ("train scenes.yaml --scenes town --set seed=1", "scenes_town-seed=1"),
    ("train scenes.yaml --recipe best", "best-scenes"),
    ("train --scenes indian_pines", "indian_pines"),
    ("map Flight-7.tif a.gpkg", "flight_7"),
    ("adapt runs/a meadow.tif", "meadow"),
  ],
)
def test_the_work_directory_is_named_after_the_scenes(command, name):
  assert requested(launching.mtl_hsi, *command.split())[1] == f"runs/{name}"


def test_an_option_of_a_scene_in_a_file_can_be_changed():
  config, _ = requested(launching.mtl_hsi, "train", "scenes.yaml", "--set", "files.town.nodata=-1")
  config = json.loads(config)
  assert config["scenes"] == ["fields", "town"]
  assert [config["files"][name]["nodata"] for name in ("fields", "town")] == ["", "-1"]


def test_the_command_is_recorded_as_it_was_typed():
  with mock.patch.object(run_module, "run_experiment", return_value=None) as run:
    launching.mtl_hsi("train", "scenes.yaml", "-o", "x")
  assert run.call_args.args[2] == ["mtl-hsi", "train", "scenes.yaml", "-o", "x"]


def test_a_run_of_launch_is_complete_for_the_command(inputs, finished):
  files = [f"files.{name}.cube={inputs / f'{name}.npz'}" for name in ("fields", "town")]
  changes = [word for file in files for word in ("--set", file)]
  recipe = ("--recipe", str(inputs / "tiny.py"))
  outcome = launching.mtl_hsi("train", *recipe, "-o", str(finished), *changes, "--json")
  assert outcome.status == 0, outcome.err
  assert outcome.err == f"{finished} is complete; nothing to do. Its report: {finished / 'report.html'}\n"
  content = json.loads(outcome.out)
  assert (content["status"], content["error"], content["workdir"]) == (0, None, str(finished))
  assert content["metrics"] == json.loads((finished / "metrics.json").read_text())
  outcome = launching.mtl_hsi("train", *recipe, "-o", str(finished), *changes, "--set", "seed=5")
  assert "holds a run of another config (seed: 0 -> 5); choose another --output\n" in outcome.err


def test_a_check_as_json(inputs, tmp_path):
  outcome = launching.mtl_hsi("check", str(inputs / "fields.npz"), "--json")
  assert outcome.status == 0, outcome.err
  content = json.loads(outcome.out)
  fields = content["scenes"]["fields"]
  assert (fields["rows"], fields["columns"], fields["bands"]) == (*launching.FIELDS.shape, launching.BANDS)
  assert {found["id"]: found["pixels"] for found in fields["classes"]} == {1: 40, 4: 32, 9: 36}
  assert (fields["crs"], fields["wavelengths"]) == (None, None)
  assert all(note in outcome.err for note in content["notes"])
  assert "Only checked: nothing was trained or written." in outcome.err
