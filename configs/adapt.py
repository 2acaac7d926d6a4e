r"""New scenes on the trained backbone of a finished run, each with a head of its own.

  python launch.py --config=configs/adapt.py:meadow --config.run=runs/quickstart \
    --config.files.meadow.cube=meadow.tif --config.files.meadow.labels=meadow.gpkg

Scenes and their files are given as for configs/own.py. Replica r starts from
replica r of the run, from the last of its networks that vote; network,
alignment, scaling and precision are the run's. The run itself is only read: its
scenes stay in it, as they are, and with a frozen stem and backbone the new
network differs from theirs in nothing but heads and batch statistics.

What comes out is a work directory as any run's: the same command goes on after
an interruption, and configs/predict.py takes it.
"""

from ml_collections import config_dict

from configs import own

# What the run decides, or its stem.
_OF_THE_RUN = (
  *("model", "spectral_knowledge", "precision"),
  *("alignment", "grid", "bands", "scaling", "mnf_components"),
)


def get_config(names: str = "") -> config_dict.ConfigDict:
  """The config of the new scenes, named as for configs/own.py."""
  config = own.get_config(names)
  for key in _OF_THE_RUN:
    del config[key]
  # Work directory of the finished run.
  config.run = ""
  # First convolution: "run", that of the run, for scenes that have its bands; or "new", trained here on the
  # scenes' bands as they are, whichever these be.
  config.stem = "run"
  # None: as many as the run has.
  del config.replicas
  config.replicas = config_dict.placeholder(int)
  # Only heads train, and a new stem, which is never frozen. To fine-tune everything in the second phase:
  # --config.phases.phase2.frozen='()'.
  frozen = ("stem", "backbone")
  config.phases = {
    "phase1": {"epochs": 10, "learning_rate": 2e-3, "frozen": frozen},
    "phase2": {"epochs": 5, "learning_rate": 5e-4, "frozen": frozen},
  }
  return config
