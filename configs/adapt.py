r"""Adds new scenes to the networks of a finished run, each with its own head.

  python launch.py --config=configs/adapt.py:meadow --config.run=runs/quickstart \
    --config.files.meadow.cube=meadow.tif --config.files.meadow.labels=meadow.gpkg

Scenes and their files are given as in configs/own.py. Replica r starts from replica
r of the run, from its last voting network. The run decides on network, alignment,
scaling and precision. The run is only read and keeps its scenes. With a frozen stem
and backbone, the new network differs from the run's only in its heads and batch
normalisation statistics. If the run has a shared legend, --config.legend=shared
starts the outputs of classes that the run knows by name from those of its head.

The result is a work directory like that of any run: the same command resumes it
after an interruption, and configs/predict.py uses it.
"""

from ml_collections import config_dict

from configs import own

# Keys that the run or its stem decides.
_OF_THE_RUN = (
  *("model", "spectral_knowledge", "precision"),
  *("alignment", "grid", "bands", "scaling", "mnf_components"),
)


def get_config(names: str = "") -> config_dict.ConfigDict:
  """Returns the config of the new scenes, listed as in configs/own.py."""
  config = own.get_config(names)
  for key in _OF_THE_RUN:
    del config[key]
  # Work directory of the finished run.
  config.run = ""
  # First layer: "run" uses that of the run, for scenes that have its bands. "new" trains another one, for
  # scenes with any bands.
  config.stem = "run"
  # Number of replicas. None: all replicas of the run.
  del config.replicas
  config.replicas = config_dict.placeholder(int)
  frozen = ("stem", "backbone")
  # Training phases, as in configs/common.py. Default: 10 epochs at 2e-3 and 5 at 5e-4; only the
  # heads train, and a new stem, which is never frozen. Use --config.phases.phase2.frozen='()' to fine-tune
  # everything in the second phase.
  config.phases = {
    "phase1": {"epochs": 10, "learning_rate": 2e-3, "frozen": frozen},
    "phase2": {"epochs": 5, "learning_rate": 5e-4, "frozen": frozen},
  }
  return config
