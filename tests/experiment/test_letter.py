"""Which experiments have a published figure."""

import dataclasses

import numpy as np
import pytest

from configs import mtl
from mtl_hsi.experiment import problem
from mtl_hsi.experiment.letter import paper_figure
from mtl_hsi.paper.published import PaperFigure
from mtl_hsi.settings import experiment_settings
from mtl_hsi.training.recipe import LETTER_RECIPE
from tests.experiment.problems import changed


@pytest.fixture(scope="module")
def indian_pines():
  """Settings and problem of the letter's cell, Indian Pines alone with 5 samples of each class."""
  config = mtl.get_config("in")
  config.samples_per_class, config.replicas = 5, 1
  settings = experiment_settings.read(config)
  return settings, problem.prepare(settings)


def test_the_papers_figure_stands_beside_the_papers_run(indian_pines):
  settings, made = indian_pines
  assert paper_figure(made, settings) == PaperFigure(39.17, 3.06)
  ccnn = dataclasses.replace(settings.model, name="ccnn")
  other = paper_figure(made, changed(settings, model=ccnn))
  assert other not in (None, PaperFigure(39.17, 3.06))
  svm = dataclasses.replace(settings.model, name="svm")
  assert paper_figure(made, changed(settings, model=svm)) == PaperFigure(38.29, 4.44)


@pytest.mark.parametrize(
  "change",
  [
    {"split__samples_per_class": 7},
    {"split__file": "split.npz"},
    {"split__by_blocks": True},
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
  assert paper_figure(made, changed(settings, **change)) is None


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
  assert paper_figure(other, settings) is None
