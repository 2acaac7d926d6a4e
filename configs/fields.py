"""A recipe for scenes of large fields: one network of context, smoothed far.

  python launch.py --config=configs/fields.py:indian_pines --config.samples_per_class=5

Scenes are named and given as in configs/own.py. The network is VResNet: four
residual blocks of valid convolutions, which reduce a patch of 9 x 9 pixels to one
position. It reads all bands, each standardised, and 40 MNF components. AdamW
trains for 3,000 steps of 32 samples per scene, whatever the number of labels.
Every patch is shifted by up to two pixels and shown in one of eight symmetries;
labels are smoothed. The last network classifies, and the class probabilities are
smoothed along similar spectra over up to 40 pixels.

configs/best.py adds experts to it and chooses the smoothing by the labels.

  --config.phases.phase1.epochs=15      half the cost; about a point less at 10 samples per class, none at 5
  --config.snapshots='(-4,-2,0)'        three networks vote
  --config.classify.smoothing.steps=0   no smoothing
"""

from ml_collections import config_dict

from configs import named


def get_config(names: str = "") -> config_dict.ConfigDict:
  """Returns the config of the scenes in `names`, separated by commas. No names: `scenes_file` names them."""
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
  # Pixels per tile. Smoothing needs a halo of 40 pixels, so small tiles would cost several times the work.
  # Large tiles need much memory: 1 GB per core with 65,536 pixels.
  config.classify.tile_pixels = 32768
  return config
