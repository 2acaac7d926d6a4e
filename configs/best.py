"""The recommended recipe: one for all scenes, one or many, past the paper's accuracies.

  python launch.py --config=configs/best.py:indian_pines --config.samples_per_class=5
  python launch.py --config=configs/best.py:fields,town --config.files.fields.cube=fields.tif ...
  python launch.py --config=configs/best.py --config.scenes_file=scenes.yaml

Scenes are named and given as for configs/own.py. All bands are used, each
standardised, and beside them 40 contrasts of all, the minimum noise fractions
that show most above the noise; VResNet, four residual blocks of valid
convolutions, which leave one position of patches of 9 x 9 pixels; AdamW takes
3,000 steps of 32 samples of every scene, whatever the number of samples, each
shifted by up to two pixels and in one of the eight symmetries of the square,
with smoothed labels; the last network alone classifies, and every pixel's class
probabilities are drawn to those of pixels around it that look alike.

  --config.phases.phase1.epochs=15      half the cost; about a point less at 10 samples per class, none at 5
  --config.snapshots='(-4,-2,0)'        a vote of three networks
  --config.classify.smoothing.steps=0   what the network says of every pixel alone
"""

from ml_collections import config_dict

from configs import named


def get_config(names: str = "") -> config_dict.ConfigDict:
  """The config of the scenes named, separated by commas; of none, where `scenes_file` is to name them."""
  config = named.get_config(names)
  config.scaling = "per_band"
  config.mnf_components = 40
  config.model.update({"name": "vresnet", "blocks": 4, "patch": 9, "width": 64, "init": "glorot"})
  config.batch_size = 32
  config.steps_per_epoch = 100
  config.augmentation = "symmetries"
  config.patch_shift = 2
  config.label_smoothing = 0.1
  config.optimizer = {"name": "adamw", "weight_decay": 0.05}
  config.phases = {"phase1": {"epochs": 30, "learning_rate": 2e-3, "frozen": ()}}
  config.warmup = 0.1
  config.learning_rate_decay = "cosine"
  config.snapshots = (0,)
  config.classify.smoothing.steps = 40
  # With the surroundings that smoothing reaches, small tiles would cost several times the work.
  config.classify.tile_pixels = 2**16
  return config
