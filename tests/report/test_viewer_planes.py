import base64
import dataclasses
import zlib

import numpy as np
import pytest

from mtl_hsi.report import viewer_planes
from mtl_hsi.report.run_report import LeftOutLabels, ReplicaMap


def decode(text, shape):
  return np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).reshape(-1, *shape)


def replica(*rows):
  none = np.zeros((0, 2), np.int32)
  return ReplicaMap(np.array(rows, np.int32), none, none)


def test_agreement_is_the_share_of_the_most_frequent_class():
  maps = [replica([2, 5, 9]), replica([2, 9, 9]), replica([2, 2, 5]), replica([2, 2, 9])]
  (plane,) = decode(viewer_planes.encode_agreement(maps, 1), (1, 3))
  np.testing.assert_allclose(plane / 255, [[1, 0.5, 0.75]], atol=0.002)


def test_left_out_labels_have_predicted_class_and_fold(fields_report):
  found = LeftOutLabels(
    pixels=np.array([[0, 0], [3, 1], [1, 1]]), predicted=np.array([5, 9, 7]), fold=np.array([0, 299, 1])
  )
  report = dataclasses.replace(fields_report, left_out_labels=found)
  predicted, low, high = decode(viewer_planes.encode_left_out(report, 1), (4, 5))
  # Class 7 is none of the scene's.
  assert (predicted[0, 0], predicted[3, 1], predicted[1, 1]) == (2, 3, 0)
  fold = low + 256 * high.astype(int)
  assert (fold[0, 0], fold[3, 1], fold[1, 1], fold[2, 2]) == (1, 300, 2, 0)


@pytest.mark.parametrize("stride", [1, 2])
def test_a_further_map_has_its_own_training_pixels(fields_report, stride):
  one = ReplicaMap(fields_report.prediction, np.array([[2, 2]]), np.array([[0, 0]]))
  shape = (4 // stride, -(-5 // stride))
  prediction, use = decode(viewer_planes.encode_map(fields_report, one, one.prediction, stride), shape)
  assert (use[2 // stride, 2 // stride], use[0, 0], (use > 0).sum()) == (1, 2, 2)
  assert prediction[0, 0] == 1
