"""Shares of test pixels near training pixels, counted by hand."""

import numpy as np
import pytest

from mtl_hsi.splits.leakage import leaked_share, patch_overlap
from mtl_hsi.splits.split import Split


def test_leakage_is_the_share_of_test_pixels_near_training_pixels():
  # Training pixel (3, 3); of the test pixels one touches it, one is two columns away, two are far.
  train = [[3, 3], [-1, -1]]
  test = [[2, 2], [3, 5], [0, 0], [6, 6]]
  first = Split(np.array([train]), np.array([test]))
  assert leaked_share(first, (7, 7), patch=3) == pytest.approx(1 / 4)
  assert leaked_share(first, (7, 7), patch=5) == pytest.approx(2 / 4)
  assert leaked_share(first, (7, 7), patch=7) == pytest.approx(4 / 4)


def test_leakage_is_the_mean_over_replicas_and_does_not_reach_around_the_scene():
  train = np.array([[[0, 0]], [[0, 5]]])
  test = np.array([[[0, 6], [6, 0]], [[0, 6], [-1, -1]]])
  assert leaked_share(Split(train, test), (7, 7), patch=3) == pytest.approx((0 / 2 + 1 / 1) / 2)


@pytest.mark.parametrize(("patch", "share"), [(1, 0), (3, 0.25), (5, 0.5), (9, 1)])
def test_overlap_is_the_share_of_test_pixels_whose_patch_overlaps_a_training_patch(patch, share):
  # Test pixels 2, 3, 6 and 8 columns from the training pixel, the first one in another row.
  split = Split(np.array([[[0, 0]]]), np.array([[[1, 2], [0, 3], [0, 6], [0, 8]]]))
  assert patch_overlap(split, (2, 9), patch) == share


def test_overlap_is_the_mean_over_replicas_without_their_padding():
  train = np.array([[[0, 0], [-1, -1]], [[0, 0], [0, 8]]])
  test = np.array([[[0, 4], [0, 7]], [[0, 7], [-1, -1]]])
  assert patch_overlap(Split(train, test), (1, 9), 3) == 0.5
