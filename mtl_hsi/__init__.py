"""One network trained on many hyperspectral scenes at once.

Axes used in every docstring of the package:

  R replicas   T scenes (tasks)   N samples   P patch side   B bands
  D features   C classes, padded to the largest scene        S snapshots
  H, W scene rows and columns

Labels are class ids as in a scene's ground truth, 0 is unlabelled. Inside the
network classes count from 0 in ascending order of their ids.
"""

__version__ = "0.1.0"
