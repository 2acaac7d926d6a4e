import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from configs import letter, mtl
from mtl_hsi.channels import inputs, scaling
from mtl_hsi.channels.scaling import Scaling
from mtl_hsi.errors import RequestError
from mtl_hsi.experiment import introduction, problem, scenes_record
from mtl_hsi.paper.published import PaperFigure
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.settings import experiment_settings
from mtl_hsi.splits.drawn import ALL, random_split
from mtl_hsi.splits.leakage import patch_overlap
from mtl_hsi.splits.split import pixels_of, split_arrays
from mtl_hsi.storage import atomic_files
from mtl_hsi.training.recipe import LETTER_RECIPE
from tests import launching


@pytest.fixture
def settings(inputs):
  """Settings of the two tiny scenes."""
  config = letter.get_config("fields,town")
  for name in ("fields", "town"):
    config.files[name].cube = str(inputs / f"{name}.npz")
  config.samples_per_class, config.replicas = 3, 2
  return experiment_settings.read(config)


def scene(name="fields", bands=6, sensor=None, **changes):
  cube = np.repeat(launching.cube(launching.FIELDS), -(-bands // 6), axis=2)[:, :, :bands]
  names = {1: "a", 4: "b", 9: "c"}
  return Scene(name=name, cube=cube, labels=launching.FIELDS, class_names=names, sensor=sensor, **changes)


def changed(settings, **changes):
  """The settings with other values; `split__file` is the key of `settings.split.file`."""
  for key, value in changes.items():
    group, _, name = key.rpartition("__")
    if group:
      name, value = group, dataclasses.replace(getattr(settings, group), **{name: value})
    settings = dataclasses.replace(settings, **{name: value})
  return settings


def prepare(settings, *scenes, **changes):
  """The problem of scenes made here."""
  loaders = {made.name: (lambda made=made: made) for made in scenes}
  return problem.prepare(changed(settings, scenes__loaders=loaders, **changes))


def test_scenes_splits_and_network_fit_together(settings):
  made = problem.prepare(settings)
  assert list(made.scenes) == ["fields", "town"]
  assert (made.network.class_counts, made.network.stem.bands, made.network.shared_stem) == ((3, 2), 6, True)
  for name, labels in {"fields": launching.FIELDS, "town": launching.TOWN}.items():
    expected = random_split(labels, 3, seed=0, replicas=2, name=name)
    np.testing.assert_array_equal(made.splits[name].train, expected.train)
    np.testing.assert_array_equal(made.splits[name].test, expected.test)


def test_training_pixels_have_the_places_of_their_classes(settings):
  made = problem.prepare(settings)
  samples = problem.training_set(made)
  assert samples.counts.tolist() == [[9, 6], [9, 6]]
  for index, (name, labels, ids) in enumerate(
    [("fields", launching.FIELDS, [1, 4, 9]), ("town", launching.TOWN, [2, 7])]
  ):
    rows = made.splits[name].train[1]
    np.testing.assert_array_equal(samples.centres[1, index, : len(rows)], rows)
    truth = labels[tuple(rows.T)]
    np.testing.assert_array_equal(
      samples.classes[1, index, : len(rows)], [ids.index(label) for label in truth]
    )


def test_scenes_are_scaled_by_the_method_chosen_before_bands_are(settings):
  made = prepare(settings, scene(), scene("other", bands=9), scenes__band_ranges={"other": slice(0, 6)})
  fields, other = problem.layers(made)
  cube = launching.cube(launching.FIELDS)
  assert fields.inputs.scaling.scale.tolist() == [cube.max()] * 6
  assert other.inputs.scaling.scale.tolist() == [np.repeat(cube, 2, axis=2)[:, :, :9].max()] * 6
  assert fields.cube is made.scenes["fields"].cube
  assert other.inputs.chosen.tolist() == [0, 1, 2, 3, 4, 5]
  made = prepare(settings, scene(), bands__scaling=scaling.by_band)
  offset = problem.layers(made)[0].inputs.scaling.offset
  assert offset.tolist() == pytest.approx(cube.mean(axis=(0, 1)).tolist())


def test_masks_of_scenes_reach_their_layers(settings):
  nodata = np.zeros(launching.FIELDS.shape, bool)
  nodata[0, 9] = True
  masked = dataclasses.replace(scene(), nodata=nodata)
  assert problem.layers(prepare(settings, masked))[0].nodata is nodata


def test_epochs_without_a_batch_are_refused(settings):
  prepare(settings, scene(), training__drop_last=True)
  with pytest.raises(RequestError, match="batch_size 40, but an epoch has 36 samples"):
    prepare(settings, scene(), training__drop_last=True, training__batch_size=40)


def test_changed_pixels_change_what_is_written_of_a_scene(settings):
  plain = scene()
  cube = plain.cube.copy()
  cube[3, 4, 5] += 1
  texts = [
    scenes_record.describe(prepare(settings, own))["fields"]
    for own in (plain, plain, dataclasses.replace(plain, cube=cube))
  ]
  assert texts[0] == texts[1]
  assert texts[0]["cube_sha256"] != texts[2]["cube_sha256"]
  assert texts[0]["labels_sha256"] == texts[2]["labels_sha256"]


def test_bands_follow_range_rule_and_reversal_in_this_order(settings):
  scenes = scene("rosis", 102, "ROSIS"), scene("aviris", 204, "AVIRIS")
  made = prepare(
    settings,
    *scenes,
    bands__count=103,
    bands__reversed=frozenset({"rosis"}),
    scenes__band_ranges={"aviris": slice(4, 200)},
  )
  assert made.inputs["rosis"].chosen.tolist() == [101, *range(101, -1, -1)]
  assert made.inputs["aviris"].chosen.tolist() == list(range(14, 117))
  assert made.network.stem.bands == 103


def test_bands_are_told_in_words(settings):
  scenes = scene("rosis", 102, "ROSIS"), scene("aviris", 204, "AVIRIS"), scene("plain", 103)
  made = prepare(settings, *scenes, bands__count=103)
  words = [introduction.bands_used(made, name) for name in ("rosis", "aviris", "plain")]
  assert words == ["102 bands as 103 channels", "103 of 204 bands", "103 bands"]


def test_ranges_that_end_behind_the_last_band_are_refused(settings):
  with pytest.raises(RequestError, match=r"files.fields.bands ends at 7; the scene has 6 bands"):
    prepare(settings, scene(), scenes__band_ranges={"fields": slice(2, 7)})


def test_unequal_counts_are_refused_with_both_named(settings):
  message = r"scene 'fields' has 6 bands and scene 'other' has 9; .*files.other.bands=0:6"
  with pytest.raises(RequestError, match=message):
    prepare(settings, scene(), scene("other", bands=9))


def test_scenes_with_first_convolutions_of_their_own_may_have_unequal_counts(settings):
  own = dataclasses.replace(settings.model, spectral_knowledge=False)
  made = prepare(settings, scene(), scene("other", bands=9), model=own)
  assert made.network.stem.bands == 9
  assert [introduction.bands_used(made, name) for name in made.scenes] == [
    "6 bands and 3 empty channels",
    "9 bands",
  ]
  fields, other = problem.layers(made)
  np.testing.assert_array_equal(fields.inputs(fields.cube, None)[..., 6:], 0)
  assert other.inputs(other.cube, None).all()


def test_noise_fractions_are_common_to_those_who_share_the_first_convolution(settings):
  noisy = np.random.default_rng(0).normal(0, 90, (12, 10, 6)) + scene().cube
  scenes = scene(), dataclasses.replace(scene("other"), cube=noisy)
  changes = {"bands__scaling": scaling.by_band, "bands__mnf_components": 4}
  shared = prepare(settings, *scenes, **changes)
  first, second = (own.components for own in shared.inputs.values())
  np.testing.assert_array_equal(first, second)
  assert (first.shape, shared.network.stem.bands) == ((6, 4), 10)
  assert introduction.bands_used(shared, "other") == "6 bands, with 4 noise fractions of them"
  for model in (dataclasses.replace(settings.model, spectral_knowledge=False), svm(settings)["model"]):
    made = prepare(settings, *scenes, model=model, **changes)
    for own in scenes:
      alone = prepare(settings, own, **changes).inputs[own.name].components
      np.testing.assert_array_equal(made.inputs[own.name].components, alone)
    assert not np.array_equal(alone, first)


def test_noise_fractions_of_other_numbers_of_bands_are_filled_up(settings):
  own = dataclasses.replace(settings.model, spectral_knowledge=False)
  scenes = scene("wide", bands=9), scene("narrow", bands=4)
  made = prepare(settings, *scenes, model=own, bands__scaling=scaling.by_band, bands__mnf_components=5)
  assert [introduction.bands_used(made, name) for name in made.scenes] == [
    "9 bands, with 5 noise fractions of them",
    "4 bands, with 4 noise fractions of them and 6 empty channels",
  ]
  assert made.network.stem.bands == 14


def test_rounding_of_components_and_contrast_is_no_change_of_the_scenes(settings, tmp_path):
  made = prepare(settings, scene(), bands__scaling=scaling.by_band, bands__mnf_components=3)
  own, path = dataclasses.replace(made.inputs["fields"], contrast=0.5), tmp_path / "scenes.json"

  def described(**changes):
    return scenes_record.describe(
      dataclasses.replace(made, inputs={"fields": dataclasses.replace(own, **changes)})
    )

  written = described()
  assert scenes_record.as_known(written, path) == written
  path.write_bytes(atomic_files.json_bytes({"scenes": written}))
  for change, kept in [(1e-6, True), (0.1, False)]:
    for changes in ({"components": own.components + np.float32(change)}, {"contrast": 0.5 + change}):
      found = described(**changes)
      assert found != written
      assert (scenes_record.as_known(found, path) == written) == kept
  other = dataclasses.replace(made, scenes={"fields": dataclasses.replace(scene(), cube=scene().cube + 1)})
  assert scenes_record.as_known(scenes_record.describe(other), path) != written
  for damaged in (b"[]", b"{", b'{"scenes": {"fields": {"components": [["x"]], "contrast": 1}}}'):
    path.write_bytes(damaged)
    assert scenes_record.as_known(written, path) == written


def svm(settings):
  return {"model": dataclasses.replace(settings.model, name="svm")}


def test_svms_have_no_network_and_see_single_pixels_of_any_number_of_bands(settings):
  assert problem.prepare(settings).patch == 9
  made = prepare(settings, scene(), scene("other", bands=9), **svm(settings))
  assert (made.network, made.patch) == (None, 1)
  assert [own.channels for own in made.inputs.values()] == [6, 9]


def test_svms_need_three_training_pixels_of_each_class(settings):
  rare = scene("rare")
  labels = np.where(rare.labels == 1, 4, rare.labels)
  labels[5, 5:7] = 1
  rare = dataclasses.replace(rare, labels=labels)
  assert prepare(settings, scene(), rare).network is not None
  message = r"scene 'rare': class 1 \(a\) has 2 training pixels in replica 0 and svm needs 3 for "
  with pytest.raises(RequestError, match=message):
    prepare(settings, scene(), rare, **svm(settings))


@pytest.mark.parametrize("name", ["svm", "ccnn"])
def test_the_introduction_tells_what_is_about_to_happen(settings, name):
  settings = changed(settings, model=dataclasses.replace(settings.model, name=name))
  *scenes, model = introduction.introduction(problem.prepare(settings), settings).splitlines()
  assert scenes == [
    "fields: 12 x 10 pixels, 6 bands, 3 classes, 9 training and 99 test pixels",
    "town: 11 x 8 pixels, 6 bands, 2 classes, 6 training and 76 test pixels",
  ]
  assert model.startswith(f"{name}, ")
  assert "2 replicas" in model
  assert ("100 + 30 epochs and 10 more for the vote" in model) == (name != "svm")


def test_new_scenes_of_different_bands_are_adapted_to_one_at_a_time(settings):
  origin = experiment_settings.Origin(Path("runs/first"), True, None)
  scenes = scene("fields"), scene("town", bands=4)
  with pytest.raises(RequestError, match=r"\(fields 6, town 4\) .*; adapt to them one at a time"):
    prepare(changed(settings, origin=origin), *scenes)


@pytest.mark.parametrize(
  ("new_stem", "fresh"), [(False, "new heads"), (True, "new heads and a new first convolution")]
)
def test_the_introduction_names_the_run_that_training_starts_from(settings, new_stem, fresh):
  origin = experiment_settings.Origin(Path("runs/first"), new_stem, None)
  settings = changed(settings, origin=origin)
  last = introduction.introduction(problem.prepare(settings), settings).splitlines()[-1]
  assert last == f"{fresh} on the networks of runs/first"


@pytest.mark.parametrize(
  "changes",
  [{}, {"split__block_size": 4}, {"split__samples_per_class": ALL}, {"given": True}],
  ids=["random", "blocks", "all", "given"],
)
def test_more_labels_train_in_every_replica_and_are_never_tested(settings, changes):
  labels = np.tile(np.repeat([[1] * 9, [4] * 9], 3, axis=0), (5, 4)).astype(np.int32)
  more = np.zeros(labels.shape, bool)
  more[0, :2] = True
  given = {"tested": labels * np.eye(*labels.shape, 5) > 0} if changes.pop("given", False) else {}
  fields = Scene("fields", launching.cube(labels), labels, {1: "a", 4: "b"}, trained=more, **given)
  split = prepare(settings, fields, scenes__target="fields", **changes).splits["fields"]
  for train, test in zip(*split, strict=True):
    train, test = (pixels_of(rows).tolist() for rows in (train, test))
    assert {(0, 0), (0, 1)} <= set(map(tuple, train))
    assert len(set(map(tuple, train))) == len(train)
    assert not set(map(tuple, train)) & set(map(tuple, test))
    assert bool(test) == (changes.get("split__samples_per_class") != ALL)


def test_more_labels_that_are_all_there_are_leave_nothing_to_test(settings):
  made = scene(trained=launching.FIELDS > 0)
  with pytest.raises(RequestError, match="'fields': all labels are among more_labels"):
    prepare(settings, made, scenes__target="fields")
  split = prepare(settings, made, scenes__target="fields", split__samples_per_class=ALL).splits["fields"]
  assert (split.train.shape, split.test.shape) == ((2, np.count_nonzero(launching.FIELDS), 2), (2, 0, 2))


def test_channels_of_other_wavelengths_are_told(settings):
  near, far = (np.linspace(first, first + 100, 6) for first in (400, 1000))
  note = (
    "note: the first convolution that the scenes share reads their bands by number: channel 0 is 400 nm in "
    "fields and 1000 nm in town; --config.alignment=wavelength resamples all to common bands"
  )
  made = prepare(settings, scene(wavelengths=near), scene("town", wavelengths=far))
  assert introduction.introduction(made, settings).splitlines()[-1] == note
  alike = prepare(settings, scene(wavelengths=near), scene("town", wavelengths=near + 5))
  own = changed(settings, model=dataclasses.replace(settings.model, spectral_knowledge=False))
  for problem_made, told in ((alike, settings), (made, own)):
    assert "note:" not in introduction.introduction(problem_made, told)


def test_a_split_from_a_file_takes_the_place_of_chance(settings, tmp_path):
  drawn = problem.prepare(changed(settings, seed=5)).splits
  atomic_files.write_npz(tmp_path / "split.npz", split_arrays(drawn))
  read = problem.prepare(changed(settings, split__file=tmp_path / "split.npz")).splits
  for name, split in drawn.items():
    np.testing.assert_array_equal(read[name].train, split.train)
    np.testing.assert_array_equal(read[name].test, split.test)


def test_what_new_images_need_is_described(settings):
  def six(_):
    return Scaling(np.arange(6.0), 10 * np.arange(1.0, 7.0))

  made = prepare(
    settings,
    scene(sensor="camera", provenance="made up"),
    bands__reversed=frozenset({"fields"}),
    bands__scaling=six,
  )
  assert scenes_record.describe(made) == {
    "fields": {
      "shape": [12, 10, 6],
      "sensor": "camera",
      "simulated": False,
      "provenance": "made up",
      "classes": {"1": "a", "4": "b", "9": "c"},
      "cube_sha256": hashlib.sha256(made.scenes["fields"].cube.tobytes()).hexdigest(),
      "labels_sha256": hashlib.sha256(launching.FIELDS.tobytes()).hexdigest(),
      "bands": [5, 4, 3, 2, 1, 0],
      "offset": [5.0, 4.0, 3.0, 2.0, 1.0, 0.0],
      "scale": [60.0, 50.0, 40.0, 30.0, 20.0, 10.0],
    }
  }


def test_splits_by_blocks_keep_the_networks_patches_apart(settings):
  labels = np.kron([[1, 4, 9, 1], [9, 1, 4, 9]], np.ones((15, 15))).astype(np.int32)
  wide = dataclasses.replace(scene(), cube=np.ones((30, 60, 6)), labels=labels)
  made = prepare(settings, wide, split__block_size=15)
  assert patch_overlap(made.splits["fields"], labels.shape, made.patch) == 0
  assert patch_overlap(made.splits["fields"], labels.shape, made.patch + 8) > 0
  recipe = dataclasses.replace(settings.training.recipe, steps=1, shift=3)
  made = prepare(changed(settings, training__recipe=recipe), wide, split__block_size=15)
  assert patch_overlap(made.splits["fields"], labels.shape, made.patch + 3) == 0
  assert "3 samples per class from blocks" in introduction.description(
    changed(settings, split__block_size=15)
  )


def test_test_pixels_given_are_those_of_all_replicas(settings):
  rows, columns = np.indices(launching.FIELDS.shape)
  tested = (launching.FIELDS > 0) & (columns >= 7) & (rows >= 4)
  labels = np.where((columns < 6) | tested, launching.FIELDS, 0).astype(np.int32)
  given = dataclasses.replace(scene(), labels=labels, tested=tested)
  made = prepare(settings, given)
  for rows in made.splits["fields"].test:
    assert rows.tolist() == np.argwhere(tested).tolist()
  assert made.splits["fields"].train.shape == (2, 9, 2)
  every = prepare(settings, given, split__samples_per_class=0)
  assert every.splits["fields"].train.shape == (2, 72, 2)
  assert "all pixels for training" in introduction.description(changed(settings, split__samples_per_class=0))


def test_classes_without_test_pixels_are_told(settings):
  made = prepare(settings, scene())
  assert "warning" not in introduction.introduction(made, settings)
  labels = np.where(launching.FIELDS == 9, 4, launching.FIELDS)
  labels[11, 4:7] = 9
  few = dataclasses.replace(scene(), labels=labels)
  made = prepare(settings, few)
  expected = "warning: fields: no test pixel of class 9 (c) in 2 of 2 replicas"
  assert expected in introduction.introduction(made, settings)


BLUE_TO_RED = {"wavelengths": np.array([400.0, 450, 500, 550, 600, 650])}
GREEN_TO_INFRARED = {"wavelengths": np.arange(510.0, 810, 30), "widths": np.full(10, 60.0)}


def test_scenes_of_other_bands_are_resampled_to_those_they_share(settings):
  scenes = scene(**BLUE_TO_RED), scene("other", bands=10, **GREEN_TO_INFRARED)
  made = prepare(settings, *scenes, bands__alignment="wavelength")
  assert made.channels.centres.tolist() == [550, 600, 650]
  assert made.channels.widths.tolist() == [60] * 3
  assert made.network.stem.bands == 3
  words = [introduction.bands_used(made, name) for name in ("fields", "other")]
  assert words[0].endswith("of 6 bands resampled to 3 of 550 to 650 nm")
  assert "3 of 550 to 650 nm" in introduction.introduction(made, settings)
  # Scaled before it is resampled: by the maximum over all bands.
  fields = problem.layers(made)[0]
  assert set(fields.inputs.scaling.scale.tolist()) == {fields.cube.max()}
  given = prepare(settings, *scenes, bands__alignment="wavelength", bands__grid=np.arange(400.0, 700, 20))
  assert given.channels.centres.tolist() == [520, 540, 560, 580, 600, 620, 640]


def test_resampled_bands_are_reversed_like_others(settings):
  scenes = scene(**BLUE_TO_RED), scene("other", bands=10, **GREEN_TO_INFRARED)
  plain, inverse = (
    prepare(settings, *scenes, bands__alignment="wavelength", bands__reversed=frozenset(names))
    for names in ([], ["other"])
  )
  for this, other in zip(problem.layers(plain), problem.layers(inverse), strict=True):
    step = -1 if this.cube is scenes[1].cube else 1
    np.testing.assert_array_equal(other.inputs(this.cube, None)[..., ::step], this.inputs(this.cube, None))


def test_a_band_range_bounds_what_is_resampled(settings):
  made = prepare(
    settings, scene(**BLUE_TO_RED), bands__alignment="wavelength", scenes__band_ranges={"fields": slice(1, 4)}
  )
  assert made.channels.centres.tolist() == [450, 500, 550]
  assert made.inputs["fields"].chosen.tolist() == [1, 2, 3]


def test_resampling_is_restored_from_what_is_written_of_it(settings):
  scenes = scene(**BLUE_TO_RED), scene("other", bands=10, **GREEN_TO_INFRARED)
  made = prepare(settings, *scenes, bands__alignment="wavelength", bands__scaling=scaling.by_band)
  written = json.loads(atomic_files.json_bytes(scenes_record.describe(made)))
  assert written["other"]["channels"] == {"centres": [550.0, 600.0, 650.0], "widths": [60.0] * 3}
  for layer, name in zip(problem.layers(made), scenes, strict=True):
    restored = inputs.read_inputs(written[name.name])
    np.testing.assert_array_equal(restored(layer.cube, None), layer.inputs(layer.cube, None))


@pytest.fixture(scope="module")
def indian_pines():
  """Settings and problem of the paper's cell, Indian Pines alone with 5 samples of each class."""
  config = mtl.get_config("in")
  config.samples_per_class, config.replicas = 5, 1
  settings = experiment_settings.read(config)
  return settings, problem.prepare(settings)


def test_the_papers_figure_stands_beside_the_papers_run(indian_pines):
  settings, made = indian_pines
  assert problem.paper_figure(made, settings) == PaperFigure(39.17, 3.06)
  ccnn = dataclasses.replace(settings.model, name="ccnn")
  other = problem.paper_figure(made, changed(settings, model=ccnn))
  assert other not in (None, PaperFigure(39.17, 3.06))
  svm = dataclasses.replace(settings.model, name="svm")
  assert problem.paper_figure(made, changed(settings, model=svm)) == PaperFigure(38.29, 4.44)


@pytest.mark.parametrize(
  "change",
  [
    {"split__samples_per_class": 7},
    {"split__file": "split.npz"},
    {"split__block_size": 24},
    {"scenes__given_splits": frozenset({"indian_pines"})},
    {"bands__count": None},
    {"bands__alignment": "wavelength"},
    {"bands__count": 103},
    {"scenes__band_ranges": {"indian_pines": slice(40, 200)}},
    {"bands__reversed": frozenset({"indian_pines"})},
    {"blocks": 2},
    {"pool": True},
    {"training__recipe": dataclasses.replace(LETTER_RECIPE, smoothing=0.1)},
  ],
)
def test_the_papers_figure_does_not_stand_beside_other_runs(indian_pines, change):
  settings, made = indian_pines
  if change.keys() <= {"blocks", "pool"}:
    change = {"model": dataclasses.replace(settings.model, **change)}
  assert problem.paper_figure(made, changed(settings, **change)) is None


@pytest.mark.parametrize("change", ["simulated", "cropped", "relabelled", "partner"])
def test_the_papers_figure_needs_the_papers_scenes(indian_pines, change):
  settings, made = indian_pines
  real = made.scenes["indian_pines"]
  labels = np.where(real.labels == 2, 3, real.labels).astype(np.int32)
  names = {label: name for label, name in real.class_names.items() if label != 2}
  scenes = {
    "simulated": [dataclasses.replace(real, simulated=True)],
    "cropped": [dataclasses.replace(real, cube=real.cube[:, :-1], labels=real.labels[:, :-1])],
    "relabelled": [dataclasses.replace(real, labels=labels, class_names=names)],
    "partner": [real, dataclasses.replace(real, name="salinas")],
  }[change]
  other = dataclasses.replace(made, scenes={given.name: given for given in scenes})
  assert problem.paper_figure(other, settings) is None
