"""One network, trained on several hyperspectral scenes at once.

Axes, as all docstrings of the package name them:

  R replicas   T scenes (tasks)   N samples   P patch side   B bands
  D features   C classes, padded to the largest scene        S snapshots
  H, W scene rows and columns

Labels are class ids as in a scene's ground truth; 0 means unlabelled. Inside the
network, classes are numbered from 0 in ascending order of their ids.
"""

__version__ = "0.2.0"
