"""Channels of the scenes of an experiment: ranges, alignment, resampling, MNF components."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from mtl_hsi.channels import scaling
from mtl_hsi.errors import RequestError
from mtl_hsi.experiment import introduction, problem
from mtl_hsi.settings import experiment_settings
from tests import launching
from tests.experiment.problems import BLUE_TO_RED, GREEN_TO_INFRARED, changed, prepare, scene, svm


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


@pytest.mark.parametrize("labelled", [True, False])
def test_a_scene_without_variation_is_refused(settings, labelled):
  fields = scene()
  constant = fields.labels > 0 if labelled else np.ones(fields.labels.shape, bool)
  cube = np.where(constant[..., None], np.arange(1, 7), fields.cube)
  with pytest.raises(RequestError, match="scene 'fields': all labelled pixels have the same values"):
    prepare(settings, dataclasses.replace(fields, cube=cube))


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
  assert introduction.bands_used(shared, "other") == "6 bands, plus 4 MNF components"
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
    "9 bands, plus 5 MNF components",
    "4 bands, plus 4 MNF components and 6 empty channels",
  ]
  assert made.network.stem.bands == 14


def test_new_scenes_of_different_bands_are_adapted_to_one_at_a_time(settings):
  origin = experiment_settings.Origin(Path("runs/first"), True, None)
  scenes = scene("fields"), scene("town", bands=4)
  with pytest.raises(RequestError, match=r"\(fields 6, town 4\); adapt to them one at a time"):
    prepare(changed(settings, origin=origin), *scenes)


def test_scenes_of_other_bands_are_resampled_to_those_they_share(settings):
  scenes = scene(**BLUE_TO_RED), scene("other", bands=10, **GREEN_TO_INFRARED)
  made = prepare(settings, *scenes, bands__alignment="wavelength")
  assert made.channels.centres.tolist() == [550, 600, 650]
  assert made.channels.widths.tolist() == [60] * 3
  assert made.network.stem.bands == 3
  words = [introduction.bands_used(made, name) for name in ("fields", "other")]
  assert words[0].endswith("of 6 bands, resampled to 3 bands (550 to 650 nm)")
  assert "3 bands (550 to 650 nm)" in introduction.introduction(made, settings)
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
