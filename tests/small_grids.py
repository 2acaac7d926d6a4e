"""Grids of an SVM that take a hundredth of the time."""

from unittest import mock

import numpy as np

from mtl_hsi.training import svm_baseline


def small_grids():
  """A context in which SVMs are searched over 2 x 2 and 3 x 3 pairs."""
  return mock.patch.multiple(
    svm_baseline,
    COARSE_C=np.array([2.0, 128.0]),
    COARSE_GAMMA=np.array([0.125, 2.0]),
    REFINEMENT=np.array([0.5, 1.0, 2.0]),
  )
