"""Every config file and every cell of the letter builds and can be read."""

import csv
import importlib.resources
import itertools

import pytest

from benchmarks import large_scene
from configs import adapt, best, common, letter, mtl, own, predict, quickstart
from mtl_hsi.errors import RequestError
from mtl_hsi.paper import published
from mtl_hsi.settings import experiment_settings, image_settings, prediction_settings

SHORT = {"in": "indian_pines", "sa": "salinas", "pu": "pavia_university", "pc": "pavia_centre"}
GROUP = {"in": 160, "sa": 160, "pu": 103, "pc": 103}

SUBSETS = [["_".join(names) for names in itertools.permutations(SHORT, count)] for count in (1, 2, 3, 4)]
INVERSES = [f"{target}_inverse_{partner}" for target, partner in itertools.permutations(SHORT, 2)]


def test_there_are_as_many_cells_as_ways_to_choose_scenes():
  assert [len(cells) for cells in SUBSETS] == [4, 12, 24, 24]
  assert len(INVERSES) == 12


@pytest.mark.parametrize("cell", [cell for cells in SUBSETS for cell in cells])
def test_cells_of_scenes_together(cell):
  settings = experiment_settings.read(mtl.get_config(cell))
  names = cell.split("_")
  assert list(settings.scenes.loaders) == [SHORT[name] for name in names]
  assert (settings.scenes.target, settings.bands.count) == (SHORT[names[0]], GROUP[names[0]])
  assert settings.bands.reversed == frozenset()


@pytest.mark.parametrize("target", SHORT)
def test_cells_of_all_scenes(target):
  settings = experiment_settings.read(mtl.get_config(f"{target}_all"))
  assert next(iter(settings.scenes.loaders)) == settings.scenes.target == SHORT[target]
  assert set(settings.scenes.loaders) == set(SHORT.values())
  assert (settings.bands.count, settings.bands.reversed) == (GROUP[target], frozenset())


@pytest.mark.parametrize("cell", INVERSES)
def test_cells_of_a_reversed_partner(cell):
  settings = experiment_settings.read(mtl.get_config(cell))
  target, partner = cell.split("_inverse_")
  assert list(settings.scenes.loaders) == [SHORT[target], SHORT[partner]]
  assert (settings.scenes.target, settings.bands.count) == (SHORT[target], GROUP[target])
  assert settings.bands.reversed == {SHORT[partner]}


@pytest.mark.parametrize(
  "cell",
  [
    *[
      "",
      "xx",
      "IN",
      "pu_xx",
      "pu_pu",
      "pu_pc_pu",
      "pu_",
      "_pu",
      "all",
      "pu_all_sa",
      "pu_sa_all",
      "inverse_pu",
    ],
    *[
      "pu_inverse",
      "pu_inverse_pu",
      "pu_inverse_xx",
      "pu_inverse_all",
      "pu_inverse_pc_sa",
      "pu_pc_inverse_sa",
    ],
  ],
)
def test_other_cells_are_refused(cell):
  with pytest.raises(RequestError, match=rf"has no cell {cell!r}; expected .* scenes in, sa, pu, pc"):
    mtl.get_config(cell)


def test_every_network_column_of_the_paper_has_a_cell():
  text = importlib.resources.files("mtl_hsi.paper").joinpath("published.csv").read_text()
  rows = csv.DictReader(text.splitlines())
  columns = {(row["target"], row["column"]) for row in rows if row["column"] != "svm"}
  assert len(columns) > 30
  for target, column in columns:
    model, kind, *partners = column.split("/")
    partners = [part for name in partners for part in name.lower().replace("-", "_").split("+")]
    config = mtl.get_config("_".join([target.lower(), *partners]))
    config.model.name = model
    # A reversed partner keeps the shared first convolution, though its column stands under "without".
    config.spectral_knowledge = kind != "without" or column.split("/")[-1].startswith("INVERSE")
    settings = experiment_settings.read(config)
    others = [name for name in settings.scenes.loaders if name != settings.scenes.target]
    inverse = sorted(settings.bands.reversed)
    knowledge = settings.model.spectral_knowledge
    assert (
      published.column_of(settings.scenes.target, others, settings.model.name, knowledge, inverse) == column
    )


@pytest.mark.parametrize("target", SHORT)
def test_the_svm_column_of_the_paper_has_a_cell(target):
  config = mtl.get_config(target)
  config.model.name = "svm"
  settings = experiment_settings.read(config)
  knowledge = settings.model.spectral_knowledge
  assert published.column_of(settings.scenes.target, [], settings.model.name, knowledge, []) == "svm"


def test_the_defaults_are_the_papers_protocol():
  settings = experiment_settings.read(mtl.get_config("pu"))
  phases = [(phase.epochs, phase.learning_rate, phase.frozen) for phase in settings.training.schedule.phases]
  assert phases == [(100, 1.0, ()), (30, 0.1, ())]
  assert settings.training.schedule.snapshot_epochs == (132, 134, 136, 138, 140)
  assert (settings.replicas, settings.training.batch_size, settings.seed, settings.training.mixed) == (
    10,
    20,
    0,
    False,
  )
  model = settings.model
  assert (model.name, model.spectral_knowledge, model.norm_per_scene, model.blocks, model.pool) == (
    *("hresnet", True, True, 1, False),
  )
  assert (settings.inference.method, settings.split.file) == ("dense", None)


def test_quickstart_needs_no_file():
  settings = experiment_settings.read(quickstart.get_config())
  assert (settings.model.name, settings.training.schedule.epochs * settings.training.recipe.steps) == (
    "vresnet",
    500,
  )
  target, partner = [load() for load in settings.scenes.loaders.values()]
  assert (settings.scenes.target, target.name, target.simulated) == ("indian_pines", "indian_pines", False)
  assert partner.simulated
  made = quickstart.get_config().simulate[partner.name]
  assert list(partner.class_names.values()) == list(made.classes)
  assert partner.cube.shape[:2] == (made.height, made.width)


def test_own_scenes_take_their_files_and_stand_beside_public_ones(tmp_path):
  config = own.get_config("fields, town,salinas")
  config.files.fields.cube = str(tmp_path / "fields.npz")
  config.files.town.update({"cube": "town.mat", "labels": "gt.mat", "cube_key": "a", "labels_key": "b"})
  config.files.town.update({"bands": "40:143", "sensor": "ROSIS"})
  settings = experiment_settings.read(config)
  assert (settings.scenes.target, list(settings.scenes.loaders)) == ("fields", ["fields", "town", "salinas"])
  assert settings.scenes.band_ranges == {"town": slice(40, 143)}
  assert settings.bands.count is None
  with pytest.raises(RequestError, match=f"no such file: {tmp_path / 'fields.npz'}"):
    settings.scenes.loaders["fields"]()
  with pytest.raises(RequestError, match=r"no such file: .*/town.mat"):
    settings.scenes.loaders["town"]()


def test_own_scenes_are_trained_by_the_recommended_recipe():
  names = "fields,town"
  recommended, whole = best.get_config(names), own.get_config(names)
  assert (whole.split, whole.samples_per_class, whole.folds, whole.replicas) == ("folds", 0, 5, 3)
  for key in ("split", "samples_per_class", "folds", "replicas"):
    whole[key] = recommended[key]
  assert whole.to_dict() == recommended.to_dict()
  assert adapt.get_config(names).optimizer == best.get_config(names).optimizer


def test_the_letters_recipe_takes_scenes_as_own_does():
  config, defaults = letter.get_config("fields,indian_pines"), common.get_config()
  own_keys = ("scenes", "target", "files", "proposals", "scenes_file")
  assert {key: value for key, value in config.items() if key not in own_keys} == {
    key: value for key, value in defaults.items() if key not in own_keys
  }
  assert config.scenes == ("fields", "indian_pines")


def test_the_best_recipe_takes_scenes_as_own_does_and_as_many_steps_of_any():
  config = best.get_config("fields,indian_pines")
  config.files.fields.cube = "fields.npz"
  settings = experiment_settings.read(config)
  assert (settings.scenes.target, list(settings.scenes.loaders)) == ("fields", ["fields", "indian_pines"])
  assert (settings.bands.count, settings.bands.mnf_components) == (None, 40)
  model, recipe = settings.model, settings.training.recipe
  assert (model.name, model.patch, model.width, model.blocks) == ("vresnet", 9, 64, 4)
  assert settings.training.schedule.epochs * recipe.steps == 2000
  assert (recipe.augmentation, recipe.decay) == ("symmetries", "cosine")
  assert settings.training.schedule.snapshot_epochs == (20,)
  assert best.get_config().scenes == ()


@pytest.mark.parametrize("names", [" , ", "fields,a.b", "fields town", "1st", "Fields", "items", "class"])
def test_own_scenes_need_names(names):
  with pytest.raises(RequestError, match=rf"invalid scene names {names!r} after the colon"):
    own.get_config(names)


def test_the_large_scene_is_as_large_as_pavia_centre():
  settings = experiment_settings.read(large_scene.get_config())
  assert settings.training.schedule.snapshot_epochs == (1, 2, 3, 4, 5)
  made = large_scene.get_config().simulate.simulated_city
  assert (made.height, made.width, len(made.centres), len(made.classes)) == (1096, 715, 102, 9)


def test_common_is_no_config_of_its_own():
  with pytest.raises(RequestError, match=r"scenes is \(\); expected the names of one scene or more"):
    experiment_settings.read(common.get_config())


def test_predictions_have_every_key_that_is_read(tmp_path):
  config = predict.get_config()
  config.run, config.image, config.nodata, config.replicas = "runs/mine", "a.tif", "-1", "3"
  settings = prediction_settings.read(config)
  assert (str(settings.run), settings.scene, str(settings.image), settings.output) == (
    *("runs/mine", None, "a.tif", None),
  )
  assert (settings.replica, settings.tile_pixels) == (3, None)
  assert settings.image_key is None
  assert settings.image_keys == {**dict.fromkeys(image_settings.KEYS, ""), "nodata": "-1"}


@pytest.mark.parametrize(
  ("own", "expected"),
  [
    ({}, {"nodata": "-9999", "scale": "0.0001", "offset": "2"}),
    ({"nodata": "0"}, {"scale": "0.0001", "offset": "2"}),
    # Scale and offset of training make no sense apart.
    ({"offset": "0"}, {"nodata": "-9999"}),
    ({"bad_bands": "none"}, {"nodata": "-9999", "scale": "0.0001", "offset": "2"}),
  ],
)
def test_an_image_has_what_was_said_of_its_scene_and_is_not_said_of_it(own, expected):
  scene = {"cube": "a.tif", "nodata": "-9999", "scale": "0.0001", "offset": "2", "wavelengths": "b.csv"}
  assert image_settings.inherit({**dict.fromkeys(image_settings.KEYS, ""), **own}, scene, ()) == expected


def test_an_adaptation_asks_the_run_for_what_it_must_not_choose():
  config = adapt.get_config("meadow")
  assert (config.scenes, config.target, config.stem, config.replicas) == (("meadow",), "meadow", "run", None)
  assert "model" not in config
  assert [phase.frozen for phase in config.phases.values()] == [("stem", "backbone")] * 2
