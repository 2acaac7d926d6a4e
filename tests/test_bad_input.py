"""What cannot be done ends in one line on standard error and exit status 2, and leaves nothing behind."""

import contextlib
import os
import re
import resource
import shutil
import subprocess
from unittest import mock

import numpy as np
import pytest
import rasterio
import scipy.io
import shapely

from mtl_hsi.errors import RequestError
from mtl_hsi.runs import workdir
from mtl_hsi.scenes.scene import Scene
from tests import launching
from tests.launching import FIELDS, ROOT, cube
from tests.scenes import formats

MTL = f"--config={ROOT / 'configs' / 'mtl.py'}"
OWN = f"--config={ROOT / 'configs' / 'own.py'}"
IN = f"{MTL}:in"


@pytest.fixture
def refusal(tmp_path, monkeypatch):
  """The line that a command line is refused with, once it is seen to be the only output and trace of it."""
  # Relative paths, that of the default work directory among them, lead here.
  monkeypatch.chdir(tmp_path)

  def refuse(*command):
    before = launching.contents(tmp_path), sorted(tmp_path.rglob("*"))
    status, out, err = launching.launch(*map(str, command))
    assert (status, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert (launching.contents(tmp_path), sorted(tmp_path.rglob("*"))) == before
    return err

  return refuse


def line(*words):
  """A pattern of words that stand in a line in this order."""
  return ".*".join(words)


@pytest.mark.parametrize(
  ("command", "message"),
  [
    ([], line("no config given", "--config=configs/mtl.py:in")),
    (["--config=nowhere.py"], line("no config file /.*/nowhere.py", "configs/mtl.py")),
    (["--config=/"], "no config file /; expected a Python file"),
    (["--config=configs/mtl"], "no config file .*/configs/mtl; expected a Python file"),
    ([IN, "--workdri=x"], "Unknown command line flag 'workdri'. Did you mean: workdir"),
    ([IN, "config.seed=3"], "unexpected argument 'config.seed=3'; all arguments are flags"),
    (["--config.seed=3", IN], line("--config.seed=3", "before", "--config")),
    (
      [IN, "--config.sampels_per_class=3"],
      "unknown config key 'sampels_per_class'; did you mean 'samples_per_class'?",
    ),
    (
      [IN, "--config.phases.phase1.epoch=3"],
      "key 'phases.phase1.epoch'; did you mean 'phases.phase1.epochs'?",
    ),
    (
      [IN, "--config.lr=3"],
      "unknown config key 'lr'; did you mean 'phases.phase1.learning_rate' or 'phases.phase2",
    ),
    ([IN, "--config.phases.phase3.epochs=3"], "unknown config key 'phases.phase3.epochs'; did you mean"),
    ([IN, "--config.files.mine.cube=a.npz"], "unknown config key 'files.mine.cube'"),
    (
      [IN, "--config.optimizer=sgd"],
      "'optimizer' is a group; its keys are optimizer.eps, optimizer.name, optimizer.rho",
    ),
    ([IN, "--config.samples_per_class=few"], "--config.samples_per_class=few: expected a whole number"),
    ([IN, "--config.samples_per_class=1.5"], "--config.samples_per_class=1.5: expected a whole number"),
    ([IN, "--config.phases.phase1.learning_rate=x"], "learning_rate=x: expected a number"),
    ([IN, "--config.spectral_knowledge=maybe"], "--config.spectral_knowledge=maybe: expected True or False"),
    ([IN, "--config.snapshots=1, /"], "--config.snapshots=1, /: expected one value, or several by repeating"),
    ([f"{MTL}:xx"], line("no cell 'xx'", "in, sa, pu, pc")),
    (
      [f"{ROOT / 'configs' / 'quickstart.py'}".join(["--config=", ":x"])],
      "quickstart.py takes no argument after a colon",
    ),
    ([MTL], "has no cell ''"),
    (
      [f"{OWN}:atlantis"],
      line("unknown scene 'atlantis'", "indian_pines", "--config.files.atlantis.cube=<file>"),
    ),
    ([IN, "--config.scenes=atlantis"], "unknown scene 'atlantis'; the public scenes are indian_pines"),
    ([IN, "--config.optimizer.name=adadelto"], line("optimizer.name is 'adadelto'; optax has", "adadelta")),
    ([IN, "--config.optimizer.foo=1"], "optimizer.foo: optax.adadelta has no such argument; it has rho, eps"),
    (
      [IN, "--config.optimizer.name=adam", "--config.optimizer.rho=1"],
      "optimizer.rho: optax.adam has no such argument",
    ),
    (
      [IN, "--config.optimizer.weight_decay=0.1", "--config.optimizer.weight_decay=x"],
      "a key is given twice, with values of different types; give it once",
    ),
    ([IN, "--config.optimizer.rho=x"], "--config.optimizer.rho=x: expected a number"),
    (
      [IN, "--config.optimizer.name=adam", "--config.optimizer.b1=x"],
      r"optax.adam does not accept \{'b1': 'x'\}: ",
    ),
    ([IN, "--config.reversed=salinas"], "reversed is 'salinas'; expected one of 'indian_pines'"),
    ([IN, "--config.target=salinas"], "target is 'salinas'; expected one of 'indian_pines'"),
    ([IN, "--config.bands=17"], line("'indian_pines' has 200 bands and 17 are wanted", "know 103 and 160")),
    (
      [IN, "--config.model.name=resnet"],
      "model.name is 'resnet'; expected one of 'hresnet', 'ccnn', 'vresnet', 'svm'",
    ),
    ([IN, "--config.model.name=ccnn", "--config.model.pool=True"], "options of hresnet"),
    (
      [IN, "--config.model.name=svm", "--config.samples_per_class=2"],
      "samples_per_class is 2; expected 3 or more with svm",
    ),
    ([IN, "--config.phases.phase1.epochs=0"], "phases.phase1.epochs is 0; expected 1 or more"),
    (
      [IN, "--config.phases.phase1.frozen=steam"],
      line("phases.phase1.frozen names", "stem, backbone, heads"),
    ),
    ([IN, "--config.snapshots=-200"], "snapshots starts 200 epochs before the end"),
    ([IN, "--config.snapshots="], "snapshots is .*; expected whole numbers of epochs"),
    ([IN, "--config.optimizer.eps=1e999"], "the config does not fit into config.json"),
    (
      [IN, "--config.samples_per_class=3000"],
      line("largest class has 2455 pixels", "choose a number below 2455"),
    ),
    ([IN, "--config.split=nowhere.npz"], line("cannot read a split from /.*/nowhere.npz", "no such file")),
  ],
)
def test_impossible_requests(refusal, command, message):
  assert re.search(message, refusal(*command))


def test_a_public_scene_that_is_not_there(refusal, tmp_path):
  error = refusal(f"{MTL}:pu", f"--config.data_dir={tmp_path / 'data'}")
  assert "scene 'pavia_university': PaviaU.mat and PaviaU_gt.mat not found; download from http" in error
  assert f"into {tmp_path / 'data'}, or add --config.download=True" in error


LACKING = """
from configs import mtl

def get_config():
  config = mtl.get_config("in")
  del config.{}
  return config
"""


@pytest.mark.parametrize(
  ("code", "message"),
  [
    ("get_config = 3 +", "failed: SyntaxError: invalid syntax"),
    ("import nowhere", "failed at line 1: ModuleNotFoundError: No module named 'nowhere'"),
    ("\ndef get_config():\n  return 1 / 0", "failed at line 3: ZeroDivisionError: division by zero"),
    ("x = 3", "has no function get_config"),
    ("def get_config(cell):\n  pass", "needs an argument after a colon"),
    ("def get_config():\n  return {}", "get_config must return a ConfigDict that is derived from the one in"),
    (
      "from ml_collections import ConfigDict as get_config",
      "get_config must return a ConfigDict that is derived from the one in",
    ),
    (LACKING.format("seed"), "the config has no key 'seed'; start it from configs/common.py"),
    (LACKING.format("replicas"), "get_config must return a ConfigDict that is derived from the one in"),
    (LACKING.format("optimizer"), "get_config must return a ConfigDict that is derived from the one in"),
    (LACKING.format("optimizer.name"), "get_config must return a ConfigDict that is derived from the one in"),
  ],
)
def test_a_file_that_is_no_config(refusal, tmp_path, code, message):
  (tmp_path / "mine.py").write_text(code)
  assert message in refusal("--config=mine.py")


def fields(**arrays):
  """The arrays of a good file with changes."""
  return {"cube": cube(FIELDS), "label": FIELDS, **arrays}


MIXED = np.array([0.4, 0.5, 0.6, 700, 800, 900])


def holes():
  values = cube(FIELDS).astype(np.float32)
  values[3, 4, 5] = np.nan
  return values


@pytest.mark.parametrize(
  ("arrays", "overrides", "message"),
  [
    (None, [], r"no such file: /.*/fields.npz \(config key files.fields.cube\)"),
    (fields(label=FIELDS[:, :-1]), [], line("label image", "is 12 x 9 and the cube is 12 x 10")),
    (fields(cube=holes()), [], "the cube contains nan at row 3, column 4, band 5"),
    (fields(label=np.minimum(FIELDS, 1)), [], "classes in the label image is 1; at least two"),
    (fields(label=np.zeros_like(FIELDS)), [], "the number of classes in the label image is 0"),
    (fields(label=np.where(FIELDS == 9, 65536, FIELDS)), [], "contains 65536; class ids must not exceed"),
    (fields(label=FIELDS - 1), [], "the label image contains -1"),
    (fields(wavelengths=MIXED), [], line("fields.npz: wavelengths range from 0.4 to 900", "units are mixed")),
    (
      fields(wavelengths=MIXED[[3, 4, 5] * 2], widths=np.full(6, 0.01)),
      [],
      line("fields.npz: ", "widths from 0.01 to 0.01 nm", "units are mixed"),
    ),
    (fields(), ["samples_per_class=40"], line("largest class has 40 pixels", "choose a number below 40")),
    (fields(), ["files.fields.cube_key=nope"], r"no array 'nope'; it contains cube \(12 x 10 x 6\), label"),
    (fields(), ["files.fields.bands=2:9"], "files.fields.bands ends at 9; the scene has 6 bands"),
    (fields(), ["files.fields.bands=5:2"], "files.fields.bands is '5:2'; expected 'first:end'"),
    (fields(), ["bands=103"], line("'fields' has 6 bands and 103 are wanted", "sensor is not known")),
    (fields(), ["bands=103", "files.fields.sensor=ROSIS"], line("6 bands and 103", "lengthened, by at most")),
    (fields(), ["bands=160", "files.fields.sensor=AVIRIS"], line("6 bands and 160", "too few bands")),
  ],
)  # fmt: skip
def test_scenes_that_cannot_be_used(refusal, tmp_path, arrays, overrides, message):
  if arrays is not None:
    np.savez(tmp_path / "fields.npz", **arrays)
  changes = [f"--config.{change}" for change in ["files.fields.cube=fields.npz", *overrides]]
  assert re.search(message, refusal(f"{OWN}:fields", *changes))


# The coordinates of a building site, which lies nowhere on Earth.
_SITE = 'ENGCRS["site",EDATUM["site"],CS[Cartesian,2],AXIS["x",east],AXIS["y",north],LENGTHUNIT["metre",1]]'


def own_files(folder):
  """A cube in a raster, and labels in many forms that do not fit it, for scenes of one's own."""
  values, far = cube(FIELDS), rasterio.Affine(10, 0, 0, 0, -10, 0)
  formats.save_raster(folder / "cube.tif", values)
  formats.save_raster(folder / "empty.tif", np.full_like(values, 7), nodata=7)
  formats.save_envi(folder / "mixed.dat", values, header="wavelength = {0.4, 0.5, 0.6, 700, 800, 900}")
  (folder / "cut.tif").write_bytes((folder / "cube.tif").read_bytes()[:900])
  (folder / "text.tif").write_text("dear")
  formats.save_raster(folder / "gt.tif", FIELDS.astype(np.uint8))
  # Whole up to its last pixels.
  (folder / "cut_gt.tif").write_bytes((folder / "gt.tif").read_bytes()[:-20])
  formats.save_raster(folder / "elsewhere.tif", FIELDS.astype(np.uint8), crs="EPSG:32611", transform=far)
  shapes = [formats.in_crs(shapely.box(*box)) for box in ((0, 0, 3, 3), (5, 5, 7, 7), (30, 5, 33, 9))]
  formats.save_features(folder / "gt.gpkg", shapes[:2], crop=["maize", "lawn"], height=[1, 2])
  formats.save_features(folder / "elsewhere.gpkg", shapes[:2], crs="EPSG:32611", crop=["maize", "lawn"])
  formats.save_features(folder / "site.gpkg", shapes[:2], crs=_SITE, crop=["maize", "lawn"])
  formats.save_features(folder / "no_crs.gpkg", shapes[:2], crs=None, crop=["maize", "lawn"])
  formats.save_features(folder / "outside.geojson", shapes, to="EPSG:4326", crop=["maize", "lawn", "rye"])
  (folder / "gt.csv").write_text("row,column,crop,use\n1,1,maize,train\n2,2,lawn,validation\n")
  (folder / "twice.csv").write_text("row,column,class\n1,1,maize\n1,1,lawn\n")


@pytest.mark.parametrize(
  ("cube", "labels", "extra", "message"),
  [
    (
      "cube.tif",
      "elsewhere.tif",
      "",
      line("elsewhere.tif has no labelled pixel", "EPSG:32611", "same area"),
    ),
    ("cube.tif", "outside.geojson", "", line("outside.geojson: features entirely outside", r"2 \(rye\)")),
    (
      "cube.tif",
      "elsewhere.gpkg",
      "",
      line("elsewhere.gpkg: features entirely outside the scene", "check both coordinate reference systems"),
    ),
    ("cube.tif", "site.gpkg", "", "site.gpkg cannot be projected onto the scene"),
    ("cube.tif", "no_crs.gpkg", "", "no_crs.gpkg has no coordinate reference system; save it with one"),
    ("cube.tif", "gt.gpkg", "", line("cannot tell which column", "crop, height", "label_column")),
    ("cube.tif", "gt.gpkg", "label_column: klass", r"has no column 'klass' \(columns: crop, height\)"),
    ("cube.tif", "gt.csv", "", line("has no column 'class'", "columns: row, column, crop, use")),
    ("cube.tif", "gt.gpkg", "split_column: use", r"gt.gpkg has no column 'use' \(columns: crop, height\)"),
    (
      "cube.tif",
      "gt.csv",
      "label_column: crop\n  split_column: use",
      "line 3 has 'validation' in the column 'use' .*; expected train or test",
    ),
    ("cube.tif", "gt.tif", "split_column: use", r"gt.tif has no columns; remove split_column \('use'\)"),
    ("cube.tif", "twice.csv", "", "line 3: row 1, column 1 has 'lawn' .* but another value in line 2"),
    ("mixed.hdr", "gt.tif", "", line("mixed.hdr: wavelengths range from 0.4 to 900", "mixed")),
    ("empty.tif", "gt.tif", "", "empty.tif has no measurement at all"),
    ("cut.tif", "gt.tif", "", "cut.tif cannot be read as a raster"),
    ("text.tif", "gt.tif", "", "text.tif cannot be read as a raster"),
    ("cube.tif", "cut_gt.tif", "", "cut_gt.tif cannot be read as a raster"),
    ("cube.tif", "", "", "cube.tif contains only the cube; add the file with its labels"),
    ("cube.tif", "gt.tif", "scale: 0", "files.fields.scale is '0'; expected a finite number but 0"),
    ("cube.tif", "gt.tif", "nodata: none", "files.fields.nodata is 'none'; expected a number"),
    ("cube.tif", "gt.tif", "wavelength_unit: cm", "wavelength_unit is 'cm'; expected one of 'nm', 'um'"),
    ("cube.tif", "gt.tif", "bad_bands: 1-3", "bad_bands is '1-3'; expected bands and ranges"),
    ("cube.tif", "gt.tif", "colour: red", "fields: unknown option 'colour'; known are cube, labels"),
    ("cube.tif", "gt.tif", "sensor: [", r"scenes.yaml cannot be read \(config key scenes_file\)"),
  ],
)
def test_files_of_ones_own_that_cannot_be_used(refusal, tmp_path, cube, labels, extra, message):
  own_files(tmp_path)
  lines = ["fields:", f"  cube: {cube}", *([f"  labels: {labels}"] if labels else []), f"  {extra}"]
  (tmp_path / "scenes.yaml").write_text("\n".join(lines))
  assert re.search(message, refusal(OWN, "--config.scenes_file=scenes.yaml"))


def test_no_scenes_at_all(refusal):
  assert "expected the names of one scene or more, behind the colon of configs/own.py" in refusal(OWN)
  assert "no such file: " in refusal(OWN, "--config.scenes_file=nowhere.yaml")


def test_checking_only_says_what_there_is_and_writes_nothing(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  own_files(tmp_path)
  (tmp_path / "scenes.toml").write_text('[fields]\ncube = "cube.tif"\nlabels = "gt.tif"\nbands = "1:5"\n')
  before = sorted(tmp_path.rglob("*"))
  command = [OWN, "--config.scenes_file=scenes.toml", "--config.check_only=True"]
  status, out, _ = launching.launch(*command, "--config.samples_per_class=3")
  assert status == 0
  assert "fields: 12 x 10 pixels of 10 x 10 metre, WGS 84 / UTM zone 33N\n" in out
  assert "bands: wavelengths unknown; 4 of 6 bands" in out
  assert "classes: 1 class 1 (40), 4 class 4 (32), 9 class 9 (36)" in out
  assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["uses.gpkg", "uses.csv"])
def test_a_column_of_the_labels_gives_training_and_test_pixels(tmp_path, monkeypatch, name):
  monkeypatch.chdir(tmp_path)
  formats.save_raster(tmp_path / "cube.tif", cube(FIELDS))
  shapes, classes = formats.squares(FIELDS)
  uses = ["test" if place % 4 == 0 else "train" for place in range(len(classes))]
  formats.save_features(tmp_path / "uses.gpkg", shapes, crop=classes, use=uses)
  pixels = zip(np.argwhere(FIELDS), classes, uses)
  rows = [f"{row},{column},{crop},{use}" for (row, column), crop, use in pixels]
  (tmp_path / "uses.csv").write_text("\n".join(["row,column,crop,use", *rows]))
  options = {"cube": "cube.tif", "labels": name, "label_column": "crop", "split_column": "use"}
  changes = [f"--config.files.fields.{key}={value}" for key, value in options.items()]
  outcome = launching.launch(
    f"{OWN}:fields", *changes, "--config.samples_per_class=0", "--config.check_only=True"
  )
  assert outcome.status == 0, outcome.err
  assert (
    "1 class 1 (30 for training, 10 for testing), 4 class 4 (24 for training, 8 for testing)" in outcome.out
  )
  assert "3 classes, 81 training and 27 test pixels" in outcome.out


def test_a_wrong_key_in_a_mat_file(refusal, tmp_path):
  scipy.io.savemat(tmp_path / "cube.mat", {"paviaU": cube(FIELDS)})
  scipy.io.savemat(tmp_path / "gt.mat", {"paviaU_gt": FIELDS})
  files = ["--config.files.fields.cube=cube.mat", "--config.files.fields.labels=gt.mat"]
  error = refusal(f"{OWN}:fields", *files, "--config.files.fields.labels_key=pavia_gt")
  assert f"{tmp_path / 'gt.mat'} has no array 'pavia_gt'; it contains paviaU_gt (12 x 10)" in error


def test_scenes_of_unequal_band_counts(refusal, tmp_path):
  np.savez(tmp_path / "fields.npz", **fields())
  np.savez(tmp_path / "town.npz", **fields(cube=cube(FIELDS)[:, :, :5]))
  files = [f"--config.files.{name}.cube={name}.npz" for name in ("fields", "town")]
  error = refusal(f"{OWN}:fields,town", *files)
  assert "scene 'fields' has 6 bands and scene 'town' has 5; one network needs equal counts" in error
  assert "--config.files.town.bands=0:5" in error


def test_class_ids_up_to_the_rasters_limit_are_taken():
  labels = np.where(FIELDS == 9, 65535, FIELDS).astype(np.int32)
  assert Scene("fields", cube(labels), labels, {1: "a", 4: "b", 65535: "c"}).class_ids[-1] == 65535


def test_a_work_directory_of_another_config(refusal, finished, inputs, tmp_path):
  shutil.copytree(finished, tmp_path / "run")
  error = refusal(*launching.arguments(inputs, tmp_path / "run", seed=1, **{"optimizer.rho": 0.5}))
  assert (
    f"{tmp_path / 'run'} holds a run of another config (optimizer.rho: 0.95 -> 0.5; seed: 0 -> 1)" in error
  )
  (tmp_path / "run" / "metrics.json").unlink()
  assert "another config (seed: 0 -> 1)" in refusal(*launching.arguments(inputs, tmp_path / "run", seed=1))


def test_a_directory_of_other_files(refusal, inputs, tmp_path):
  (tmp_path / "mine").mkdir()
  (tmp_path / "mine" / "thesis.tex").write_text("dear")
  error = refusal(*launching.arguments(inputs, tmp_path / "mine"))
  assert (
    "is not a work directory: it has no config.json but holds 'thesis.tex'; name another --workdir" in error
  )


def test_a_work_directory_that_is_a_file(refusal, inputs, tmp_path):
  (tmp_path / "mine").write_text("dear")
  for path in (tmp_path / "mine", tmp_path / "mine" / "run"):
    assert f"cannot use {path} as a work directory: not a directory" in refusal(
      *launching.arguments(inputs, path)
    )


def test_a_work_directory_in_use(refusal, inputs, tmp_path):
  with workdir.open_workdir(tmp_path / "run", {}):
    (tmp_path / "run" / "config.json").unlink()
    error = refusal(*launching.arguments(inputs, tmp_path / "run"))
  assert f"{tmp_path / 'run'} is in use by process {os.getpid()} on " in error
  assert "wait until it ends, or choose another --workdir" in error


@pytest.fixture
def interrupted(finished, tmp_path):
  """A run killed when all was trained but nothing classified."""
  run = tmp_path / "run"
  shutil.copytree(finished, run)
  for name in ("metrics.json", "predictions.npz", "report.html"):
    (run / name).unlink()
  shutil.rmtree(run / "maps")
  return run


def damage(checkpoint):
  next(checkpoint.rglob("manifest.ocdbt")).write_bytes(b"")


def test_a_damaged_state_is_left_out_for_the_one_before(interrupted, finished, inputs):
  damage(interrupted / "checkpoints" / "state" / "6")
  outcome = launching.launch(*launching.arguments(inputs, interrupted))
  assert outcome.status == 0
  assert (
    f"checkpoint {interrupted / 'checkpoints' / 'state' / '6'} is damaged; it is ignored\n" in outcome.err
  )
  assert (interrupted / "predictions.npz").read_bytes() == (finished / "predictions.npz").read_bytes()


@pytest.mark.parametrize(
  ("damaged", "message"),
  [
    (["state/5", "state/6"], "every checkpoint in {}/state is damaged; delete {} to train from scratch"),
    (["snapshots/4"], "snapshot {}/snapshots/4 is damaged; delete {} to train from scratch"),
  ],
)
def test_damage_that_cannot_be_undone(interrupted, inputs, damaged, message):
  checkpoints = interrupted / "checkpoints"
  for name in damaged:
    damage(checkpoints / name)
  before = launching.contents(interrupted)
  outcome = launching.launch(*launching.arguments(inputs, interrupted))
  assert (outcome.status, outcome.err) == (2, f"error: {message.format(checkpoints, checkpoints)}\n")
  assert launching.contents(interrupted) == before


def test_a_damaged_result_of_a_finished_run(refusal, finished, inputs, tmp_path):
  run = tmp_path / "run"
  shutil.copytree(finished, run)
  file = run / "maps" / "town" / "prediction.png"
  file.write_bytes(file.read_bytes()[:-1])
  error = refusal(*launching.arguments(inputs, run))
  assert f"{file} is damaged: its SHA-256 is not the one in SHA256SUMS; delete maps/town/prediction" in error
  file.unlink()
  (run / "metrics.json").unlink()
  assert launching.launch(*launching.arguments(inputs, run)).status == 0
  assert file.read_bytes() == (finished / "maps" / "town" / "prediction.png").read_bytes()


def test_a_result_made_anew_is_not_taken_for_a_damaged_one(finished, inputs, tmp_path):
  run = tmp_path / "run"
  shutil.copytree(finished, run)
  (run / "predictions.npz").unlink()
  with mock.patch("mtl_hsi.runs.workdir.finish", side_effect=RequestError("killed")):
    assert launching.launch(*launching.arguments(inputs, run)).status == 2
  assert launching.launch(*launching.arguments(inputs, run)).status == 0
  assert (run / "predictions.npz").read_bytes() == (finished / "predictions.npz").read_bytes()


@contextlib.contextmanager
def largest_file(size):
  soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
  resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
  try:
    yield
  finally:
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_is_full_from_the_start(refusal, inputs, tmp_path):
  with largest_file(0):
    error = refusal(*launching.arguments(inputs, tmp_path / "run"))
  assert f"cannot write {tmp_path / 'run' / 'config.json'}: file too large" in error


@pytest.fixture
def small_disk(tmp_path):
  """A disk of 1 MB, and how to make room on it."""
  disk = tmp_path / "disk"
  disk.mkdir()
  if shutil.which("mount") is None or os.geteuid() != 0:
    pytest.skip("only root can mount a small disk")
  mount = subprocess.run(
    ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True, text=True
  )
  if mount.returncode:
    pytest.skip(f"no small disk can be mounted here: {mount.stderr.strip()}")
  yield disk, lambda: subprocess.run(["mount", "-o", "remount,size=100m", disk], check=True)
  subprocess.run(["umount", disk], check=True)


def test_a_disk_that_fills_up_loses_nothing(small_disk, inputs, finished):
  disk, make_room = small_disk
  command = launching.arguments(inputs, disk / "run")
  outcome = launching.launch(*command)
  assert outcome.status == 2
  last = outcome.err.splitlines()[-1]
  assert last.startswith(
    f"error: cannot write checkpoint {disk / 'run' / 'checkpoints' / 'state' / '1'}: no space left"
  )
  assert last.endswith("make room and run the same command again")
  assert "Traceback" not in outcome.err
  make_room()
  assert launching.launch(*command).status == 0
  assert (disk / "run" / "predictions.npz").read_bytes() == (finished / "predictions.npz").read_bytes()
