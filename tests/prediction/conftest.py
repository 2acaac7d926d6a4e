"""Fixtures of the tests of predictions."""

from pathlib import Path

import pytest

from tests.launching import FIELDS, cube
from tests.prediction.predicting import write_raster


@pytest.fixture
def fields(tmp_path) -> Path:
  """The training scene `fields` as an image without labels."""
  path = tmp_path / "flight.tif"
  write_raster(path, cube(FIELDS, 1))
  return path
