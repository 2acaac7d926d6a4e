"""Folds and mixtures that cannot be made."""

import re

import numpy as np
import pytest

from tests import launching
from tests.launching import FIELDS, ROOT

OWN = f"--config={ROOT / 'configs' / 'own.py'}:fields"
LETTER = f"--config={ROOT / 'configs' / 'letter.py'}:fields"
# No mixture.
NOTHING = {"mixture.local_patch": 0, "mixture.regression": "()", "mixture.smoothings": "()"}


@pytest.fixture
def fields(tmp_path):
  np.savez(tmp_path / "fields.npz", cube=launching.cube(FIELDS), label=FIELDS)
  return tmp_path / "fields.npz"


@pytest.mark.parametrize(
  ("overrides", "message"),
  [
    ({"folds": 1}, "config key folds is 1; expected 2 or more"),
    ({"folds": -3, "split": "random", **NOTHING}, "folds is -3; expected 2 or more, or 0 for none"),
    (
      {"scaling": "maximum", "mnf_components": 0, "mixture.regression": "('bands',)"},
      "config key scaling is 'maximum'; expected 'per_band' or 'per_band_joint' with mixture.regression",
    ),
    ({"mnf_components": 0, "mixture.regression": "('mnf',)"}, "expected 'bands' without mnf_components"),
    (
      {"mixture.regression": "('forest',)"},
      "config key mixture.regression is 'forest'; expected one of 'bands', 'mnf', 'bands_and_mnf'",
    ),
    ({"mixture.regression": "('bands', 'bands')"}, "expected every name once"),
    (
      {"mixture.local_patch": 4},
      "config key mixture.local_patch is 4; expected an odd number from 3 to 7, or 0",
    ),
    ({"mixture.local_patch": 9}, "mixture.local_patch is 9; expected an odd number from 3 to 7, or 0"),
    ({"model.patch": 3, "model.blocks": 1}, "mixture.local_patch is 5; expected 0 with model.patch=3"),
    (
      {"mixture.smoothings": "('far',)"},
      "config key mixture.smoothings is 'far'; expected one of 'none', 'light', 'middle', 'strong'",
    ),
    ({"folds": 0, "split": "random"}, "config key folds is 0; expected 2 or more"),
    ({"folds": 0}, "config key folds is 0; expected 2 or more"),
    ({"fold_units": "polygons"}, "config key fold_units is 'polygons'; expected one of 'labels', 'blocks'"),
    ({"fold_buffer": -1}, "config key fold_buffer is -1; expected 0 or more"),
    (
      {"fold_units": "blocks", "folds": 9, "block_size": 6},
      "scene 'fields': the number of blocks is .* for 9 folds; lower --config.folds, label more, or use a "
      "smaller --config.block_size than 6",
    ),
    ({"fold_buffer": 9}, "scene 'fields': class . has no training pixel left when fold . is left out"),
  ],
)
def test_folds_that_cannot_be_made(refusal, fields, overrides, message):
  changes = {"files.fields.cube": fields, **overrides}
  error = refusal(OWN, *(f"--config.{key}={value}" for key, value in changes.items()))
  assert re.search(message, error), error


@pytest.mark.parametrize("split", ["random", "folds"])
def test_an_svm_has_no_folds(refusal, fields, split):
  changes = {"files.fields.cube": fields, "split": split, "samples_per_class": 0, "folds": 5}
  changes["model.name"] = "svm"
  error = refusal(LETTER, *(f"--config.{key}={value}" for key, value in changes.items()))
  assert "config key folds is 5; expected 0, and no mixture, with model.name='svm'" in error
