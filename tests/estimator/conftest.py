"""Fixtures of the tests of `Model`."""

import numpy as np
import pytest

from mtl_hsi import Model
from tests import launching


@pytest.fixture(scope="session")
def loaded(finished_by_folds) -> Model:
  """The model of the run by folds."""
  return Model.load(finished_by_folds)


@pytest.fixture(scope="session")
def fields() -> np.ndarray:
  """The image of the scene `fields`."""
  return launching.cube(launching.FIELDS, 1)
