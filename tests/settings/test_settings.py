"""Settings from configs."""

import functools
from pathlib import Path

import numpy as np
import optax
import pytest

from configs import own
from mtl_hsi.channels import scaling
from mtl_hsi.classification.classify import InferenceOptions
from mtl_hsi.classification.smoothing import Smoothing
from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.products.product import ProductOptions
from mtl_hsi.scenes.public import registry
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.scenes.simulated import simulate
from mtl_hsi.settings import experiment_settings, image_settings, model_settings
from mtl_hsi.training.recipe import LETTER_RECIPE, Recipe
from tests.settings.configs_of_two_scenes import config


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
  assert (settings.split.file, settings.split.by_blocks, settings.scenes.given_splits) == (
    None,
    False,
    frozenset(),
  )
  settings = experiment_settings.read(config(split="blocks", block_size=30))
  assert (settings.split.file, settings.split.by_blocks, settings.split.block_size) == (None, True, 30)
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
    "overlap": "vnir",
  }
  options = {f"files__fields__{key}": text for key, text in texts.items()}
  made = config(**options, files__fields__classes="c.csv", files__fields__label_column="crop")
  given = image_settings.read(made.files.fields, "files.fields.")
  assert given == {
    **{"nodata": (-9999.0,), "scale": 0.5, "offset": None},
    **{"wavelengths": Path("b.csv"), "wavelength_unit": "um", "bad_bands": "3"},
    **{"quality": None, "product": ProductOptions("vnir", None)},
  }
  made.files.fields.quality = "none"
  assert image_settings.read(made.files.fields)["quality"] is None
  made.files.fields.quality = "clear"
  assert image_settings.read(made.files.fields)["quality"] == "clear"
  made.files.fields.quality = ""
  told = experiment_settings.read(made).scenes.loaders["fields"].keywords
  assert told.items() >= given.items()
  assert (told["classes"], told["label_column"]) == (Path("c.csv"), "crop")


def test_a_number_of_samples_draws_pixels_instead_of_folds_of_all_labels():
  made = own.get_config("indian_pines")
  assert experiment_settings.read(made).split.by_folds
  made.samples_per_class = 7
  drawn = experiment_settings.read(made).split
  assert (drawn.by_folds, drawn.samples_per_class, drawn.folds) == (False, 7, 5)


def test_a_regression_reads_only_bands_where_there_are_no_mnf_components():
  made = own.get_config("indian_pines")
  assert experiment_settings.read(made).mixture.regression == ("bands", "bands_and_mnf")
  made.mnf_components = 0
  assert experiment_settings.read(made).mixture.regression == ("bands",)
