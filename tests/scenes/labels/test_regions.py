"""Connected regions of a label image."""

import numpy as np

from mtl_hsi.scenes.labels.regions import number_regions


def test_regions_are_connected_by_edges_and_corners_and_have_one_class():
  image = np.array([[1, 0, 7, 7], [0, 1, 0, 0], [7, 1, 2, 0], [0, 0, 0, 1]], np.int32)
  regions = number_regions(image)
  np.testing.assert_array_equal(regions, [[1, 0, 4, 4], [0, 1, 0, 0], [5, 1, 3, 0], [0, 0, 0, 2]])
  assert regions.dtype == np.int32


def test_an_image_without_labels_has_no_regions():
  np.testing.assert_array_equal(number_regions(np.zeros((2, 3), np.int32)), np.zeros((2, 3)))
