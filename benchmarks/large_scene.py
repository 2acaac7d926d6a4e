"""Measures memory and time for a scene as large as Pavia Centre, from simulation to report.

  /usr/bin/time -v -o results/large_scene/time.txt \\
    .venv/bin/python launch.py --config=benchmarks/large_scene.py --workdir=runs/large_scene \\
    --compile_cache=runs/cold_cache

The simulated scene has the size of the public one and its share of labelled
pixels: 1096 x 715 pixels, 102 bands, 9 classes. One network trains for a few
epochs, because memory does not depend on the length of training. The compile
cache is a new one, so that the compilation of a first run counts. time.txt has
the memory as "Maximum resident set size"; metrics.json has the seconds.
"""

from ml_collections import config_dict

from configs import common
from mtl_hsi.scenes.public import sensors

_SCENE = "simulated_city"


def get_config() -> config_dict.ConfigDict:
  """Returns the config of one scene, 10 samples per class, one network, 5 epochs, five snapshots."""
  centres, widths = sensors.rosis_bands(102)
  config = common.get_config()
  config.scenes, config.target = (_SCENE,), _SCENE
  config.simulate[_SCENE] = {
    "height": 1096,
    "width": 715,
    "sensor": "ROSIS",
    "centres": tuple(centres.tolist()),
    "widths": tuple(widths.tolist()),
    "classes": (
      *("asphalt road", "concrete road", "clay tile roof", "metal roof", "asphalt roof"),
      *("bare soil", "grass", "trees", "dry grass"),
    ),
    "seed": 0,
    "labelled_fraction": 0.19,
  }
  config.bands = 103
  config.replicas = 1
  config.phases.phase1.epochs = 2
  config.phases.phase2.epochs = 1
  config.snapshots = (-2, -1, 0, 1, 2)
  return config
