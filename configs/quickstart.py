"""A first run: the real scene Indian Pines, trained together with a simulated partner.

  make quickstart

It downloads nothing: Indian Pines comes with the package tensorly, and the partner is
simulated from field spectra. The recipe is that of configs/best.py with a sixth of
its steps.
"""

from ml_collections import config_dict

from configs import best


def get_config() -> config_dict.ConfigDict:
  """Returns the config: two scenes, 5 samples per class, one replica."""
  config = best.get_config("indian_pines")
  config.scenes += ("simulated_village",)
  config.bands = 160
  config.simulate.simulated_village = {
    "height": 120,
    "width": 120,
    # "AVIRIS", "ROSIS", or any name with band centres and widths in nm.
    "sensor": "AVIRIS",
    "centres": (),
    "widths": (),
    "classes": (
      "asphalt road",
      "composite shingle roof",
      "clay tile roof",
      "bare soil",
      "stubble",
      "grass",
      "green crop",
      "trees",
    ),
    "seed": 1,
    "labelled_fraction": 0.5,
  }
  config.samples_per_class = 5
  config.replicas = 1
  config.phases.phase1.epochs = 5
  return config
