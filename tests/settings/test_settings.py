import functools
import re
from pathlib import Path

import numpy as np
import optax
import pytest

from configs import common
from mtl_hsi.channels import scaling
from mtl_hsi.classification.classify import InferenceOptions
from mtl_hsi.classification.smoothing import Smoothing
from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.public import registry
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.scenes.simulated import simulate
from mtl_hsi.settings import experiment_settings, image_settings, model_settings
from mtl_hsi.settings.scenes_file import OPTIONS
from mtl_hsi.training.recipe import LETTER_RECIPE, Recipe


def config(**changes):
  """A config of one public scene and one from files, with changes by dotted keys (dots written as __)."""
  made = common.get_config()
  made.scenes, made.target = ("salinas", "fields"), "fields"
  made.files.fields = {**dict.fromkeys(OPTIONS, ""), "cube": "f.npz"}
  made.update_from_flattened_dict({key.replace("__", "."): value for key, value in changes.items()})
  return made


@pytest.mark.parametrize(
  ("text", "centres"),
  [
    ("400:430:10", [400, 410, 420, 430]),
    ("400:439:10", [400, 410, 420, 430]),
    ("500:500.3:0.1", [500, 500.1, 500.2, 500.3]),
    ("450,550, 650", [450, 550, 650]),
  ],
)
def test_a_grid_is_a_range_with_its_end_or_a_list(text, centres):
  settings = experiment_settings.read(config(alignment="wavelength", grid=text))
  assert settings.bands.alignment == "wavelength"
  assert settings.bands.grid == pytest.approx(centres)
  assert experiment_settings.read(config()).bands.grid is None


def test_a_split_is_random_by_blocks_or_read():
  settings = experiment_settings.read(config())
  assert (settings.split.file, settings.split.block_size, settings.scenes.given_splits) == (
    None,
    None,
    frozenset(),
  )
  settings = experiment_settings.read(config(split="blocks", block_size=30))
  assert (settings.split.file, settings.split.block_size) == (None, 30)
  with pytest.raises(RequestError, match="samples_per_class is 2; expected 3 or more with svm"):
    experiment_settings.read(config(split="blocks", samples_per_class=2, model__name="svm"))


@pytest.mark.parametrize(
  ("option", "text", "told"), [("test", "t.npz", Path("t.npz")), ("split_column", "use", "use")]
)
def test_a_scene_says_which_pixels_are_tested(option, text, told):
  settings = experiment_settings.read(
    config(scenes=("fields",), samples_per_class=0, **{f"files__fields__{option}": text})
  )
  assert settings.scenes.loaders["fields"].keywords[option] == told
  assert (settings.scenes.given_splits, settings.split.samples_per_class) == ({"fields"}, 0)


def test_scenes_in_memory_say_which_pixels_are_tested():
  labels = np.array([[1, 2, 2]], np.int32)
  scene = Scene(
    "fields", np.ones((1, 3, 4)), labels, {1: "a", 2: "b"}, tested=np.array([[False, False, True]])
  )
  settings = experiment_settings.read(config(scenes=("fields",), samples_per_class=0), {"fields": scene})
  assert settings.scenes.given_splits == {"fields"}


def test_values_reach_their_places():
  settings = experiment_settings.read(
    config(
      bands=103,
      reversed=("salinas",),
      split="there/split.npz",
      samples_per_class=7,
      replicas=3,
      seed=11,
      model__name="ccnn",
      model__norm="joint",
      spectral_knowledge=False,
      batch="mixed",
      batch_size=8,
      last_batch="dropped",
      precision="bfloat16",
      scaling="5000",
      model__init="glorot",
      steps_per_epoch=9,
      augmentation="symmetries",
      patch_shift=2,
      balanced=True,
      label_smoothing=0.1,
      warmup=0.2,
      learning_rate_decay="cosine",
      weight_averaging=0.99,
      radiometric_jitter=0.05,
      band_dropout=0.3,
      classify__method="patches",
      classify__tile_pixels=99,
      classify__symmetries=True,
      classify__smoothing__steps=7,
      checkpoint_seconds=1.5,
    )
  )
  assert (settings.scenes.target, list(settings.scenes.loaders)) == ("fields", ["salinas", "fields"])
  assert (settings.bands.count, settings.bands.reversed) == (103, {"salinas"})
  assert str(settings.split.file) == "there/split.npz"
  assert (settings.split.samples_per_class, settings.replicas, settings.seed) == (7, 3, 11)
  assert settings.model == model_settings.ModelSettings(
    "ccnn", False, False, 1, False, True, "products", None, None
  )
  assert settings.training.recipe == Recipe(9, "symmetries", 2, True, 0.1, 0.2, "cosine", 0.99, 0.05, 0.3)
  assert (settings.training.mixed, settings.training.batch_size, settings.training.drop_last) == (
    True,
    8,
    True,
  )
  assert settings.precision == "bfloat16"
  assert (settings.bands.scaling.func, settings.bands.scaling.keywords) == (
    scaling.by_number,
    {"number": 5000.0},
  )
  assert (
    settings.inference.method,
    settings.inference.tile_pixels,
    settings.training.checkpoint_seconds,
  ) == ("patches", 99, 1.5)
  assert settings.inference.options == InferenceOptions(symmetric=True, smoothing=Smoothing(7, 0.01, 2.0))


def test_the_defaults_are_the_letters_recipe():
  assert experiment_settings.read(config()).training.recipe == LETTER_RECIPE


def test_phases_run_in_the_order_of_their_names():
  made = config(snapshots=(-1, 2))
  made.phases.another = {"epochs": 5, "learning_rate": 0.5, "frozen": ("stem", "backbone")}
  schedule = experiment_settings.read(made).training.schedule
  assert [phase.name for phase in schedule.phases] == ["another", "phase1", "phase2"]
  assert schedule.phases[0].frozen == ("stem", "backbone")
  assert schedule.snapshot_epochs == (134, 137)


def test_the_optimiser_has_its_arguments_and_each_phases_learning_rate():
  made = config()
  made.optimizer = {"name": "sgd", "momentum": 0.5}
  transformation = experiment_settings.read(made).training.make_optimizer(0.1)
  params = {"w": np.float32(0)}
  state = transformation.init(params)
  for expected in (-0.1, -0.15):
    updates, state = transformation.update({"w": np.float32(1)}, state, params)
    np.testing.assert_allclose(updates["w"], expected, rtol=1e-6)
  assert isinstance(transformation, optax.GradientTransformation)


def test_each_scene_comes_from_its_own_source():
  made = config(
    scenes=("salinas", "fields", "village"),
    data_dir="here",
    download=True,
    files__fields__labels="gt.mat",
    files__fields__sensor="ROSIS",
    files__fields__bands="3:9",
  )
  made.simulate.village = {
    **{"height": 30, "width": 40, "sensor": "mine", "centres": (500.0, 600.0), "widths": (5.0, 6.0)},
    **{"classes": ("grass", "trees"), "seed": 2, "labelled_fraction": 0.5},
  }
  settings = experiment_settings.read(made)
  loaders = settings.scenes.loaders
  assert all(isinstance(loader, functools.partial) for loader in loaders.values())
  assert loaders["salinas"].func is registry.load_public
  assert (str(loaders["salinas"].args[1]), loaders["salinas"].args[2]) == ("here", True)
  with pytest.raises(RequestError, match=r"no such file: .*/f.npz \(config key files.fields.cube\)"):
    loaders["fields"]()
  given = loaders["fields"].keywords
  assert (str(given["cube"]), str(given["labels"]), given["sensor"]) == ("f.npz", "gt.mat", "ROSIS")
  assert (given["cube_key"], given["labels_key"]) == (None, None)
  assert loaders["village"].func is simulate.simulate
  assert loaders["village"].keywords["sensor"].name == "mine"
  np.testing.assert_array_equal(loaders["village"].keywords["sensor"].centres, [500, 600])
  assert settings.scenes.band_ranges == {"fields": slice(3, 9)}


def test_options_of_a_scenes_files():
  texts = {
    "nodata": "-9999",
    "scale": "0.5",
    "wavelengths": "b.csv",
    "bad_bands": "3",
    "wavelength_unit": "um",
  }
  options = {f"files__fields__{key}": text for key, text in texts.items()}
  made = config(**options, files__fields__classes="c.csv", files__fields__label_column="crop")
  given = image_settings.read(made.files.fields, "files.fields.")
  assert given == {
    **{"nodata": -9999.0, "scale": 0.5, "offset": None},
    **{"wavelengths": Path("b.csv"), "wavelength_unit": "um", "bad_bands": "3"},
  }
  told = experiment_settings.read(made).scenes.loaders["fields"].keywords
  assert told.items() >= given.items()
  assert (told["classes"], told["label_column"]) == (Path("c.csv"), "crop")


@pytest.mark.parametrize(
  ("changes", "message"),
  [
    ({"files__fields__scale": "0"}, "files.fields.scale is '0'; expected a finite number but 0"),
    ({"files__fields__offset": "inf"}, "files.fields.offset is 'inf'; expected a finite number"),
    ({"files__fields__wavelength_unit": "cm"}, "wavelength_unit is 'cm'; expected one of 'nm', 'um'"),
    ({"files__fields__wavelength_unit": "um"}, "wavelength_unit is 'um'; expected none without a CSV file"),
    ({"scenes": ()}, r"scenes is \(\); expected the names of one scene or more"),
    ({"scenes": ("fields", "fields")}, "expected every scene once"),
    ({"mnf_components": -1}, r"mnf_components is -1; expected 0 \(none\) or more"),
    (
      {"mnf_components": 3},
      "config key mnf_components is 3 and scaling is 'maximum'; components need scaling='per_band'",
    ),
    ({"scaling": "minimum"}, "scaling is 'minimum'; expected 'maximum', 'per_band' or a positive number"),
    ({"scaling": "-3"}, "scaling is '-3'; expected"),
    ({"scaling": "nan"}, "scaling is 'nan'; expected"),
    ({"last_batch": "full"}, "last_batch is 'full'; expected one of 'partial', 'dropped'"),
    ({"precision": "float16"}, "precision is 'float16'; expected one of 'float32', 'tf32', 'bfloat16'"),
    (
      {"model__convolution": "xla", "precision": "bfloat16"},
      "model.convolution is 'xla'; expected 'products' with precision='bfloat16'",
    ),
    ({"model__convolution": "fft"}, "model.convolution is 'fft'; expected one of 'products', 'xla'"),
    ({"model__init": "he"}, "model.init is 'he'; expected one of 'normal', 'glorot'"),
    (
      {"scenes": ("fields", "atlantis")},
      "unknown scene 'atlantis'; the public scenes are indian_pines, salinas, ",
    ),
    (
      {"files__fields__cube": ""},
      r"unknown scene 'fields'; .*, or --config.files.fields.cube=<file> for a scene",
    ),
    ({"target": "indian_pines"}, "target is 'indian_pines'; expected one of 'salinas', 'fields'"),
    ({"reversed": ("village",)}, "reversed is 'village'; expected one of 'salinas', 'fields'"),
    ({"alignment": "wavelength", "bands": 103}, "bands is 103, which belongs to alignment=index"),
    ({"grid": "400:900:10"}, "grid is '400:900:10', which belongs to alignment=wavelength"),
    *(
      ({"alignment": "wavelength", "grid": text}, f"grid is '{text}'; expected 'first:last:step' in nm")
      for text in (
        "400:900",
        "900:400:10",
        "400:900:0",
        "0.4:0.9:0.01",
        "wide",
        "-5,400",
        "400,,500",
        "1:inf:1",
      )
    ),
    ({"classify__smoothing__steps": -1}, "classify.smoothing.steps is -1; expected 0"),
    ({"classify__smoothing__restart": 1.0}, "smoothing.restart is 1.0; expected a number between"),
    ({"classify__smoothing__sharpness": 0.0}, "smoothing.sharpness is 0.0; expected a positive number"),
    ({"block_size": 0}, "block_size is 0; expected 1 or more"),
    (
      {"files__fields__test": "t.npz", "split": "split.npz"},
      "files.fields.test and split='split.npz' both give test pixels",
    ),
    (
      {"files__fields__split_column": "use", "split": "split.npz"},
      "files.fields.split_column and split='split.npz' both give test pixels",
    ),
    (
      {"files__fields__split_column": "use", "files__fields__test": "t.npz"},
      "files.fields.test and .split_column both give test pixels; leave one of them out",
    ),
    (
      {"files__fields__test_key": "visited"},
      "files.fields.test_key is 'visited' and there is no files.fields.test",
    ),
    (
      {"files__salinas": {**dict.fromkeys(OPTIONS, ""), "bands": "0:100", "test": "t.npz"}},
      "files.salinas.test is 't.npz' and there is no files.salinas.cube: a public scene has its own files",
    ),
    (
      {"files__fields__test": "t.npz", "samples_per_class": 0, "split": "blocks"},
      "samples_per_class is 0; expected 1 or more",
    ),
    ({"alignment": "magic"}, "alignment is 'magic'; expected one of 'index', 'wavelength'"),
    ({"samples_per_class": 0, "split": "s.npz"}, "samples_per_class is 0; expected 1 or more"),
    ({"samples_per_class": -1}, "samples_per_class is -1; expected 1 or more, or 0 for all"),
    ({"replicas": 0}, "replicas is 0; expected 1 or more"),
    ({"batch_size": -1}, "batch_size is -1; expected 1 or more"),
    ({"seed": -1}, "seed is -1; expected 0 to 2147483638"),
    ({"bands": 0}, "bands is 0; expected 1 or more, or None"),
    ({"model__name": "resnet"}, "model.name is 'resnet'; expected one of 'hresnet', 'ccnn', 'vresnet', "),
    (
      {"model__name": "svm", "model__pool": True},
      "model.pool is True, but svm has no such option; set it to False",
    ),
    (
      {"model__name": "svm", "model__blocks": 2},
      "model.blocks is 2, but svm has no such option; set it to 1",
    ),
    (
      {"model__name": "svm", "samples_per_class": 2},
      "samples_per_class is 2; expected 3 or more with svm, which is cross-validated in as many parts",
    ),
    (
      {"model__name": "svm", "model__width": 64},
      "model.width is 64, but svm has no such option; set it to None, as configs/letter.py does",
    ),
    ({"model__name": "vresnet"}, "model.patch is None; vresnet needs a number of 1 or more, as in configs"),
    ({"steps_per_epoch": 0}, "steps_per_epoch is 0; expected 1 or more, or None"),
    (
      {"augmentation": "symmetries"},
      "augmentation is 'symmetries', which needs a number of steps_per_epoch; .* leave it at 'mirrors'",
    ),
    ({"patch_shift": 1}, "patch_shift is 1, which needs a number of steps_per_epoch; .* leave it at 0"),
    ({"patch_shift": -1}, "patch_shift is -1; expected 0 or more"),
    ({"balanced": True}, "balanced is True, which needs a number of steps_per_epoch; .* leave it at False"),
    ({"augmentation": "all"}, "augmentation is 'all'; expected one of 'none', 'mirrors', 'symmetries'"),
    ({"label_smoothing": 1.0}, "label_smoothing is 1.0; expected 0 or more and less than 1"),
    ({"warmup": -0.1}, "warmup is -0.1; expected 0 or more and less than 1"),
    ({"weight_averaging": np.nan}, "weight_averaging is nan; expected 0 or more and less than 1"),
    ({"band_dropout": 1.0}, "band_dropout is 1.0; expected 0 or more and less than 1"),
    ({"radiometric_jitter": -0.1}, "radiometric_jitter is -0.1; expected 0 or more"),
    ({"learning_rate_decay": "step"}, "learning_rate_decay is 'step'; expected one of 'none', 'cosine'"),
    ({"model__norm": "none"}, "model.norm is 'none'; expected one of 'per_scene', 'joint'"),
    ({"batch": "big"}, "batch is 'big'; expected one of 'per_scene', 'mixed'"),
    ({"classify__method": "slow"}, "classify.method is 'slow'; expected one of 'dense', 'patches'"),
    ({"classify__tile_pixels": 0}, "classify.tile_pixels is 0; expected 1 or more"),
    ({"checkpoint_seconds": -1.0}, "checkpoint_seconds is -1.0; expected 0 or more"),
    ({"checkpoint_seconds": np.inf}, "checkpoint_seconds is inf; expected 0 or more"),
    ({"snapshots": ()}, r"snapshots is \(\); expected ascending epochs, at least one"),
    ({"snapshots": (4, 2)}, r"snapshots is \(4, 2\); expected ascending epochs"),
    ({"snapshots": (2, 2)}, r"snapshots is \(2, 2\); expected ascending epochs"),
    ({"snapshots": (-130, 0)}, "snapshots starts 130 epochs before the end, before the first epoch is done"),
    ({"snapshots": ("2",)}, r"snapshots is \('2',\); expected whole numbers of epochs"),
    ({"phases__phase1__epochs": 0}, "phases.phase1.epochs is 0; expected 1 or more"),
    (
      {"phases__phase1__learning_rate": 0.0},
      "phases.phase1.learning_rate is 0.0; expected a positive number",
    ),
    (
      {"phases__phase2__learning_rate": np.nan},
      "phases.phase2.learning_rate is nan; expected a positive number",
    ),
    (
      {"phases__phase2__frozen": ("steam",)},
      r"phases.phase2.frozen names \['steam'\]; .* stem, backbone, heads",
    ),
    (
      {"phases__phase2__frozen": ("stem", "backbone", "heads")},
      "phases.phase2.frozen names every parameter group; nothing would train",
    ),
    (
      {"optimizer__name": "adadelto"},
      "optimizer.name is 'adadelto'; expected one of .*adadelta, .*adam, .*sgd",
    ),
    ({"optimizer__name": "scale_by_adam"}, "optimizer.name is 'scale_by_adam'; expected one of "),
    (
      {"optimizer__name": "adam"},
      "optimizer.eps|optimizer.rho: adam has no such argument; it has b1, b2",
    ),
    ({"optimizer__rho": "high"}, r"adadelta does not accept \{.*'rho': 'high'.*\}: "),
    ({"files__fields__bands": "5"}, "files.fields.bands is '5'; expected 'first:end'"),
    ({"files__fields__bands": "9:5"}, "files.fields.bands is '9:5'; expected 'first:end'"),
    ({"files__fields__bands": "-3:5"}, "files.fields.bands is '-3:5'; expected 'first:end'"),
    ({"files__fields__bands": "a:b"}, "files.fields.bands is 'a:b'; expected 'first:end'"),
  ],
)
def test_what_cannot_be_is_refused_by_key(changes, message):
  made = config()
  with made.ignore_type():
    made.update_from_flattened_dict({key.replace("__", "."): value for key, value in changes.items()})
  with pytest.raises(RequestError, match=message) as error:
    experiment_settings.read(made)
  assert "\n" not in str(error.value)


@pytest.mark.parametrize("changes", [{"samples_per_class": 3}, {"samples_per_class": 1, "split": "s.npz"}])
def test_an_svm_needs_three_samples_per_class_unless_they_are_given(changes):
  settings = experiment_settings.read(config(model__name="svm", **changes))
  assert settings.model.name == model_settings.SVM == "svm"


@pytest.mark.parametrize("key", ["replicas", "model.norm", "phases.phase1.frozen", "files.fields.sensor"])
def test_a_key_that_is_not_there_is_named(key):
  made = config()
  group, _, last = key.rpartition(".")
  del functools.reduce(lambda inner, name: inner[name], filter(None, group.split(".")), made)[last]
  with pytest.raises(
    RequestError, match=rf"the config has no key {re.escape(repr(last))}; .*configs/common.py"
  ):
    experiment_settings.read(made)


def test_simulated_bands_need_a_centre_and_a_width_each():
  made = config(scenes=("village",), target="village")
  made.simulate.village = {
    **{"height": 30, "width": 40, "sensor": "mine", "centres": (500.0, 600.0), "widths": (5.0,)},
    **{"classes": ("grass", "trees"), "seed": 2, "labelled_fraction": 0.5},
  }
  with pytest.raises(
    RequestError, match=r"simulate.village has 2 centres and 1 widths; expected one of each"
  ):
    experiment_settings.read(made)
