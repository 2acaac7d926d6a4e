"""Settings of the tiny scenes."""

import pytest

from configs import letter
from mtl_hsi.settings import experiment_settings


@pytest.fixture
def settings(inputs):
  """Settings of the two tiny scenes."""
  config = letter.get_config("fields,town")
  for name in ("fields", "town"):
    config.files[name].cube = str(inputs / f"{name}.npz")
  config.samples_per_class, config.replicas = 3, 2
  return experiment_settings.read(config)
