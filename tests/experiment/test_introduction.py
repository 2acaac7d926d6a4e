"""The text before an experiment."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from mtl_hsi.experiment import introduction, problem
from mtl_hsi.settings import experiment_settings
from tests import launching
from tests.experiment.problems import changed, prepare, scene


def test_bands_are_told_in_words(settings):
  scenes = scene("rosis", 102, "ROSIS"), scene("aviris", 204, "AVIRIS"), scene("plain", 103)
  made = prepare(settings, *scenes, bands__count=103)
  words = [introduction.bands_used(made, name) for name in ("rosis", "aviris", "plain")]
  assert words == ["102 bands as 103 channels", "103 of 204 bands", "103 bands"]


@pytest.mark.parametrize("name", ["svm", "ccnn"])
def test_the_introduction_tells_what_is_about_to_happen(settings, name):
  settings = changed(settings, model=dataclasses.replace(settings.model, name=name))
  *scenes, model = introduction.introduction(problem.prepare(settings), settings).splitlines()
  assert scenes == [
    "fields: 12 rows x 10 columns, 6 bands, 3 classes; 9 training and 99 test pixels",
    "town: 11 rows x 8 columns, 6 bands, 2 classes; 6 training and 76 test pixels",
  ]
  assert (
    model
    == {
      "svm": "Model svm. Training: 3 samples per class, 2 replicas.",
      "ccnn": "Model ccnn, shared first layer. Training: 100 + 30 epochs and 10 more for the vote, 3 samples "
      "per class, 2 replicas.",
    }[name]
  )


@pytest.mark.parametrize(
  ("new_stem", "fresh"), [(False, "New heads"), (True, "New heads and a new first layer")]
)
def test_the_introduction_names_the_run_that_training_starts_from(settings, new_stem, fresh):
  origin = experiment_settings.Origin(Path("runs/first"), new_stem, None)
  settings = changed(settings, origin=origin)
  last = introduction.introduction(problem.prepare(settings), settings).splitlines()[-1]
  assert last == f"{fresh} on the networks of runs/first."


def test_channels_of_other_wavelengths_are_told(settings):
  near, far = (np.linspace(first, first + 100, 6) for first in (400, 1000))
  note = (
    "note: the shared first layer matches bands by number, and channel 0 is 400 nm in fields and 1000 nm in "
    "town; use --config.alignment=wavelength to resample all scenes to common bands"
  )
  made = prepare(settings, scene(wavelengths=near), scene("town", wavelengths=far))
  assert introduction.introduction(made, settings).splitlines()[-1] == note
  alike = prepare(settings, scene(wavelengths=near), scene("town", wavelengths=near + 5))
  own = changed(settings, model=dataclasses.replace(settings.model, spectral_knowledge=False))
  for problem_made, told in ((alike, settings), (made, own)):
    assert "note:" not in introduction.introduction(problem_made, told)


@pytest.mark.parametrize(("wanted", "told"), [(6, False), (7, True)])
def test_more_components_than_bands_are_told(settings, wanted, told):
  bands = dataclasses.replace(settings.bands, mnf_components=wanted)
  settings = changed(settings, bands=bands)
  text = introduction.introduction(problem.prepare(settings), settings)
  note = f"note: fields: mnf_components is {wanted}, but 6 bands give at most 6 MNF components"
  assert (note in text.splitlines()) == told


def test_classes_without_test_pixels_are_told(settings):
  made = prepare(settings, scene())
  assert "warning" not in introduction.introduction(made, settings)
  labels = np.where(launching.FIELDS == 9, 4, launching.FIELDS)
  labels[11, 4:7] = 9
  few = dataclasses.replace(scene(), labels=labels)
  made = prepare(settings, few)
  expected = "warning: fields: class 9 (c) has no test pixel in 2 of 2 replicas; it is excluded"
  assert expected in introduction.introduction(made, settings)
