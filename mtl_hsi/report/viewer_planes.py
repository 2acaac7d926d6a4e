"""The maps of the viewer as planes of bytes, subsampled by a stride, deflated and in base64."""

import itertools
from collections.abc import Sequence

import numpy as np

from mtl_hsi.report.map_classes import classes_of
from mtl_hsi.report.run_report import ReplicaMap, SceneReport
from mtl_hsi.report.spectra import deflate_base64

_NEITHER, _TRAIN, _TEST, _NO_DATA = range(4)


def encode_truth(report: SceneReport, stride: int) -> str:
  """Returns the planes of the labels."""
  return _encode(_class_planes(_ids(report), _thinned(report.scene.labels, stride)))


def encode_map(report: SceneReport, one: ReplicaMap, prediction: np.ndarray, stride: int) -> str:
  """Returns the planes of a map: prediction, use and, where known, vote share and probability.

  Args:
    report: the scene.
    one: the map.
    prediction: class ids of the map as they are shown, 0 without measurement, `[H, W]`.
    stride: distance between rows and columns.
  """
  use = np.full(report.scene.labels.shape, _NEITHER, np.uint8)
  use[tuple(one.test.T)] = _TEST
  use[tuple(one.train.T)] = _TRAIN
  use[~report.scene.measured] = _NO_DATA
  planes = [*_class_planes(_ids(report), _thinned(prediction, stride)), _thinned(use, stride)]
  for share in (one.vote_share, one.probability):
    if share is not None:
      planes.append(_bytes(_thinned(share, stride)))
  return _encode(planes)


def encode_agreement(maps: Sequence[ReplicaMap], stride: int) -> str:
  """Returns a plane: share of the maps that predict the most frequent class of a pixel."""
  thinned = [_thinned(one.prediction, stride) for one in maps]
  plane = np.empty(thinned[0].shape, np.uint8)
  # Row by row, so that the maps are not copied.
  for row, target in enumerate(plane):
    target[:] = _bytes(_largest_share(np.sort([one[row] for one in thinned], axis=0)))
  return _encode([plane])


def encode_left_out(report: SceneReport, stride: int) -> str:
  """Returns the planes of the left-out labels: predicted class and fold, both from 1, 0 for none.

  A class that the scene lacks is 0 too.
  """
  found, ids = report.left_out_labels, _ids(report)
  predicted, fold = (np.zeros(report.scene.labels.shape, np.int32) for _ in range(2))
  places = tuple(found.pixels.T)
  predicted[places] = np.where(np.isin(found.predicted, ids), found.predicted, 0)
  fold[places] = 1 + found.fold
  return _encode([*_class_planes(ids, _thinned(predicted, stride)), *_pairs(_thinned(fold, stride))])


def _ids(report):
  return np.array([one.class_id for one in classes_of(report.scene, report.unknown_id)])


def _thinned(image, stride):
  return np.asarray(image[::stride, ::stride])


def _bytes(shares):
  return (255 * np.asarray(shares, np.float32)).round().astype(np.uint8)


def _largest_share(ordered: np.ndarray) -> np.ndarray:
  """Returns the share of the most frequent value in every column of sorted values `[R, W]`."""
  largest = run = np.ones(ordered.shape[1], int)
  for before, value in itertools.pairwise(ordered):
    run = np.where(value == before, run + 1, 1)
    largest = np.maximum(largest, run)
  return largest / len(ordered)


def _class_planes(class_ids: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
  """Returns positions of classes from 1, 0 for none: low bytes and, of more than 255 classes, high bytes."""
  positions = np.where(labels > 0, 1 + np.searchsorted(class_ids, labels), 0)
  pairs = _pairs(positions)
  return pairs[:1] if len(class_ids) <= 255 else pairs


def _pairs(numbers: np.ndarray) -> list[np.ndarray]:
  """Returns the low and the high bytes of numbers below 65,536."""
  return [(numbers & 255).astype(np.uint8), (numbers >> 8).astype(np.uint8)]


def _encode(planes: Sequence[np.ndarray]) -> str:
  return deflate_base64(np.stack(planes))
