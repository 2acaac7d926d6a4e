"""The first run: real Indian Pines trained together with a simulated partner scene.

  make quickstart

No download: Indian Pines comes with the package tensorly, the partner is
simulated from real field spectra. The network has the average-pooling head, a
later variant of the author's, which does far better on Indian Pines than the
paper's (about 58 against 42 % overall accuracy at 5 samples per class).
"""

from ml_collections import config_dict

from configs import common


def get_config() -> config_dict.ConfigDict:
  """Two scenes, 5 samples per class, two replicas."""
  config = common.get_config()
  config.scenes = ("indian_pines", "simulated_village")
  config.target = "indian_pines"
  config.bands = 160
  config.simulate.simulated_village = {
    "height": 120,
    "width": 120,
    # A sensor known by name, or any name with band centres and widths in nm.
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
  config.replicas = 2
  config.model.pool = True
  return config
