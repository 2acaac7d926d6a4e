"""The recommended recipe, for one scene or many, from a few samples per class.

  python launch.py --config=configs/best.py:indian_pines --config.samples_per_class=5
  python launch.py --config=configs/best.py:fields,town --config.files.fields.cube=fields.tif ...
  python launch.py --config=configs/best.py --config.scenes_file=scenes.yaml

Scenes are named and given as in configs/own.py. The recipe is that of
configs/fields.py, and beside each network there are two more experts: a network that
sees 5 x 5 pixels, and a regression on the spectrum of a single pixel. All are trained
three more times, each without a third of the training pixels. By these pixels every
scene gets the weights of its experts, the reach of smoothing, and a temperature that
calibrates the confidence. Test pixels choose nothing. As every map needs several
networks, they train for 2,000 steps instead of 3,000.

  --config.phases.phase1.epochs=30      as many steps as configs/fields.py
  --config.mixture.local_patch=0        without the network of 5 x 5 pixels
"""

from ml_collections import config_dict

from configs import fields


def get_config(names: str = "") -> config_dict.ConfigDict:
  """Returns the config of the scenes in `names`, separated by commas. No names: `scenes_file` names them."""
  config = fields.get_config(names)
  config.folds = 3
  config.phases.phase1.epochs = 20
  config.mixture.local_patch = 5
  config.mixture.regression = ("bands", "bands_and_mnf")
  config.mixture.smoothings = ("none", "light", "middle", "strong")
  return config
