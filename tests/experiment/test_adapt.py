"""New scenes on the networks of a finished run: launch.py with configs/adapt.py, on tiny scenes."""

import json
import shutil
from pathlib import Path

import jax
import numpy as np
import pytest
import rasterio

from mtl_hsi.classification import classify
from mtl_hsi.runs import workdir
from mtl_hsi.runs.trained_run import read_run
from mtl_hsi.training import patches
from tests import launching
from tests.launching import FIELDS, ROOT, TOWN, cube

ADAPT = f"--config={ROOT / 'configs' / 'adapt.py'}:meadow"
PREDICT = f"--config={ROOT / 'configs' / 'predict.py'}"
MEADOW = np.repeat([[3] * 9, [1] * 7 + [0] * 2, [6] * 9], [4, 5, 4], axis=0).astype(np.int32)

# Three pixels per class, and the network alone.
DRAWN = {"split": "random", "samples_per_class": 3, "folds": 0}
DRAWN |= {"mixture.local_patch": 0, "mixture.regression": "()", "mixture.smoothings": "()"}

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def scenes_of(run):
  return json.loads((run / "scenes.json").read_text())["scenes"]


def adapt(origin: Path, workdir: Path, **overrides: object) -> launching.Outcome:
  """Adapts a run to the scene `meadow`, whose file lies beside the work directory."""
  image = workdir.parent / "meadow.npz"
  if not image.exists():
    np.savez(image, cube=cube(MEADOW, 8), label=MEADOW)
  changes = {
    "run": origin,
    "files.meadow.cube": image,
    **DRAWN,
    "phases.phase1.epochs": 2,
    "phases.phase2.epochs": 1,
    "snapshots": "(0, 1)",
    "checkpoint_seconds": 0,
    "classify.tile_pixels": 16,
    **overrides,
  }
  return launching.launch(
    ADAPT, f"--workdir={workdir}", *(f"--config.{key}={value}" for key, value in changes.items())
  )


@pytest.fixture(scope="module")
def adapted(finished, tmp_path_factory) -> Path:
  """Work directory of an adaptation with frozen stem and backbone; nothing may be changed there."""
  directory = tmp_path_factory.mktemp("adapted") / "run"
  before = launching.contents(finished)
  outcome = adapt(finished, directory)
  assert outcome.status == 0, outcome.err
  assert launching.contents(finished) == before, "the run that it starts from is only read"
  return directory


def last_networks(directory):
  run = read_run(directory)
  return jax.tree.map(np.asarray, run.networks(run.snapshot_epochs[-1]))


def same(one, other) -> bool:
  return all(jax.tree.leaves(jax.tree.map(np.array_equal, one, other)))


def test_what_comes_out_is_a_whole_work_directory(finished, adapted):
  config = json.loads((adapted / "config.json").read_text())
  assert config.pop("schema") == 2
  assert workdir.is_complete(adapted, config)
  assert config["run"] == str(finished)
  assert (config["scenes"], config["replicas"]) == (["meadow"], 2)
  with np.load(adapted / "predictions.npz") as predictions:
    assert predictions["meadow"].shape == (2, *MEADOW.shape)
    assert set(np.unique(predictions["meadow"])) <= {1, 3, 6}


def test_a_frozen_backbone_and_stem_stay_bit_for_bit(finished, adapted):
  old, new = last_networks(finished)["params"], last_networks(adapted)["params"]
  assert same(old["backbone"], new["backbone"])
  assert same(old["stem"], new["stem"])


def test_old_scenes_keep_their_labels_on_the_adapted_network(finished, adapted):
  """The old heads and statistics on the new run's stem and backbone are the old network."""
  run = read_run(finished)
  old, new = last_networks(finished), last_networks(adapted)
  mixed = {**old, "params": {**old["params"], **{key: new["params"][key] for key in ("stem", "backbone")}}}
  classifier = classify.Classifier((run.network,), jax.devices()[:1], "dense", 16)
  for name, labels, seed in (("fields", FIELDS, 1), ("town", TOWN, 2)):
    scene = run.scenes[name]
    _, (padded,) = patches.lay_out([patches.Layer(cube(labels, seed), scene.inputs, None)], run.network.patch)
    region = classify.SceneRegion(padded, scene.index)
    before, after = (
      classifier.vote(classifier.place_snapshots([networks]), region, lambda: None).labels
      for networks in (old, mixed)
    )
    np.testing.assert_array_equal(before, after)


def test_statistics_of_a_new_scene_are_those_of_its_training_pixels(finished, adapted):
  run, network = read_run(adapted), read_run(finished).network
  new = last_networks(adapted)
  with np.load(adapted / "split.npz") as split:
    train = split["meadow/train"]
  scene = run.scenes["meadow"]
  _, (padded,) = patches.lay_out([patches.Layer(cube(MEADOW, 8), scene.inputs, None)], network.patch)
  for replica, pixels in enumerate(train):
    cut = np.stack(
      [padded[row : row + network.patch, column : column + network.patch] for row, column in pixels]
    )
    params, stats = (jax.tree.map(lambda x, r=replica: x[r], new[key]) for key in ("params", "stats"))
    conv = params["backbone"]["residuals_0"]["conv"]
    windows = np.lib.stride_tricks.sliding_window_view(
      network.stem.apply({"params": params["stem"]}, cut), (3, 3), axis=(1, 2)
    )
    maps = np.einsum("nhwdyx,oyxd->nhwo", windows, conv["kernel"]) + conv["bias"]
    mean, var = maps.mean(axis=(0, 1, 2)), maps.var(axis=(0, 1, 2))
    norm = stats["residuals_0"]["norm"]
    np.testing.assert_allclose(norm["mean"][0], mean, rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(norm["var"][0], var, rtol=1e-3, atol=1e-6)


@pytest.mark.slow
def test_fine_tuning_moves_stem_and_backbone(finished, tmp_path):
  outcome = adapt(finished, tmp_path / "run", replicas=1, **{"phases.phase2.frozen": "()"})
  assert outcome.status == 0, outcome.err
  old, new = last_networks(finished)["params"], last_networks(tmp_path / "run")["params"]
  old = jax.tree.map(lambda x: x[:1], old)
  assert not same(old["backbone"], new["backbone"])
  assert not same(old["stem"], new["stem"])


def test_a_new_stem_reads_other_bands_and_trains(finished, tmp_path):
  np.savez(tmp_path / "meadow.npz", cube=cube(MEADOW, 8)[:, :, :4], label=MEADOW)
  outcome = adapt(finished, tmp_path / "run", replicas=1, stem="new")
  assert outcome.status == 0, outcome.err
  run = read_run(tmp_path / "run")
  assert run.network.stem.bands == 4
  first, last = (jax.tree.map(np.asarray, run.networks(epoch)) for epoch in run.snapshot_epochs)
  assert not same(first["params"]["stem"], last["params"]["stem"])
  old = jax.tree.map(lambda x: x[:1], last_networks(finished)["params"]["backbone"])
  assert same(old, last["params"]["backbone"])


def test_an_interrupted_adaptation_goes_on_to_the_same_predictions(finished, adapted, tmp_path):
  np.savez(tmp_path / "meadow.npz", cube=cube(MEADOW, 8), label=MEADOW)
  shutil.copytree(adapted, tmp_path / "run")
  for name in ("metrics.json", "predictions.npz"):
    (tmp_path / "run" / name).unlink()
  shutil.rmtree(tmp_path / "run" / "checkpoints" / "state" / "4")
  config = json.loads((tmp_path / "run" / "config.json").read_text())
  config["files"]["meadow"]["cube"] = str(tmp_path / "meadow.npz")
  (tmp_path / "run" / "config.json").write_text(json.dumps(config))
  (tmp_path / "run" / "scenes.json").unlink()
  outcome = adapt(finished, tmp_path / "run")
  assert outcome.status == 0, outcome.err
  assert (tmp_path / "run" / "predictions.npz").read_bytes() == (adapted / "predictions.npz").read_bytes()


def test_new_images_of_the_new_scene_are_predicted(adapted, tmp_path):
  np.save(tmp_path / "image.npy", cube(MEADOW, 8))
  outcome = launching.launch(
    PREDICT,
    f"--config.run={adapted}",
    f"--config.image={tmp_path / 'image.npy'}",
    f"--config.output={tmp_path / 'map'}",
    "--config.replicas=0",
    "--config.classify.tile_pixels=16",
  )
  assert outcome.status == 0, outcome.err
  with (
    rasterio.open(tmp_path / "map_classes.tif") as raster,
    np.load(adapted / "predictions.npz") as predictions,
  ):
    np.testing.assert_array_equal(raster.read(1), predictions["meadow"][0])


# One simulated scene for training, another one, with the sensor of the format's arguments, to adapt to.
SIMULATED = """
from configs import adapt, letter

def get_config(what):
  if what == "base":
    config = letter.get_config("village")
    config.alignment, config.bands, config.replicas = "wavelength", None, 1
    sensor = tuple(range(450, 751, 50)), (60.0,) * 7
  else:
    config = adapt.get_config("village")
    config.split, config.folds = "random", 0
    config.mixture.update({{"local_patch": 0, "regression": (), "smoothings": ()}})
    sensor = tuple(range(*{sensor})), (30.0,) * len(range(*{sensor}))
  config.simulate.village = {{
    "height": 29,
    "width": 31,
    "sensor": what,
    "centres": tuple(map(float, sensor[0])),
    "widths": sensor[1],
    "classes": ("grass", "bare soil"),
    "seed": 1,
    "labelled_fraction": 0.5,
  }}
  config.samples_per_class = 3
  config.phases.phase1.epochs = config.phases.phase2.epochs = 1
  config.snapshots = (0,)
  return config
"""


@pytest.mark.slow
def test_a_new_scene_is_resampled_to_the_runs_own_bands(tmp_path):
  """The new sensor alone, or the range shared with it, would give other common bands."""
  (tmp_path / "wide.py").write_text(SIMULATED.format(sensor=(430, 781, 25)))
  (tmp_path / "narrow.py").write_text(SIMULATED.format(sensor=(530, 781, 25)))
  outcome = launching.launch(f"--config={tmp_path / 'wide.py'}:base", f"--workdir={tmp_path / 'base'}")
  assert outcome.status == 0, outcome.err
  for name, status in (("wide", 0), ("narrow", 2)):
    outcome = launching.launch(
      f"--config={tmp_path / name}.py:{name}",
      f"--workdir={tmp_path / name}",
      f"--config.run={tmp_path / 'base'}",
    )
    assert outcome.status == status, outcome.err
  assert "2 of them are not covered by all new scenes, such as 450 nm; use --config.stem=new" in outcome.err
  base, wide = (scenes_of(tmp_path / name)["village"] for name in ("base", "wide"))
  assert wide["channels"] == base["channels"]
  assert np.shape(wide["weights"]) == (15, 7)


@pytest.mark.slow
def test_a_new_scene_is_seen_through_the_runs_noise_fractions(inputs, tmp_path):
  overrides = {"scaling": "per_band", "mnf_components": 3}
  outcome = launching.launch(*launching.arguments(inputs, tmp_path / "run", **overrides))
  assert outcome.status == 0, outcome.err
  outcome = adapt(tmp_path / "run", tmp_path / "adapted")
  assert outcome.status == 0, outcome.err
  known, own = (scenes_of(tmp_path / name) for name in ("run", "adapted"))
  assert own["meadow"]["components"] == known["fields"]["components"]
  outcome = adapt(tmp_path / "run", tmp_path / "narrow", **{"files.meadow.bands": "0:4"})
  assert outcome.status == 2
  assert "scene 'meadow' has 4 bands, but the first layer of the run in" in outcome.err
  assert not (tmp_path / "narrow").exists()
  outcome = adapt(tmp_path / "run", tmp_path / "new", stem="new", **{"files.meadow.bands": "0:4"})
  assert outcome.status == 0, outcome.err
  fresh = scenes_of(tmp_path / "new")["meadow"]["components"]
  assert np.shape(fresh) == (4, 3)


@pytest.mark.parametrize(
  ("overrides", "message"),
  [
    ({"run": ""}, "no run to start from; name a finished work directory with --config.run=<path>"),
    ({"run": "/nowhere"}, "no such directory: /nowhere"),
    ({"stem": "old"}, "config key stem is 'old'; expected one of 'run', 'new'"),
    ({"replicas": 3}, "replicas=3, but the run in"),
    ({"files.meadow.bands": "0:4"}, "the new scenes have 4 bands, but the first layer of the run in"),
    ({"model.name": "ccnn"}, "unknown config key 'model.name'"),
  ],
)
@pytest.mark.parametrize("check_only", [False, True])
def test_what_cannot_be_adapted_is_refused(finished, tmp_path, overrides, message, check_only):
  outcome = adapt(finished, tmp_path / "run", check_only=check_only, **overrides)
  assert outcome.status == 2
  assert message in outcome.err.splitlines()[-1]
  assert not (tmp_path / "run").exists()
