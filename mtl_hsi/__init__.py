"""One network, trained on several hyperspectral scenes at once.

Axes, as all docstrings of the package name them:

  R replicas   T scenes (tasks)   N samples   P patch side   B bands
  D features   C classes, padded to the largest scene        S snapshots
  H, W scene rows and columns

Labels are class ids as in a scene's ground truth; 0 means unlabelled. Inside the
network, classes are numbered from 0 in ascending order of their ids.
"""

import importlib
from typing import Any

__version__ = "0.3.0"


def __getattr__(name: str) -> Any:
  """Imports `Model` when it is first used, because the import takes seconds."""
  if name == "Model":
    return importlib.import_module("mtl_hsi.estimator.model").Model
  raise AttributeError(f"module 'mtl_hsi' has no attribute {name!r}")
