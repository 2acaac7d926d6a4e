"""The search of an SVM, and its maps."""

import itertools
from unittest import mock

import numpy as np
import pytest
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import SVC

from mtl_hsi.errors import RequestError
from mtl_hsi.training import svm_baseline
from tests import launching
from tests.small_grids import small_grids

COARSE_C = [0.03125, 0.125, 0.5, 2, 8, 32, 128, 512, 2048, 8192, 32768]
COARSE_GAMMA = [
  *[0.000030517578125, 0.0001220703125, 0.00048828125, 0.001953125, 0.0078125],
  *[0.03125, 0.125, 0.5, 2, 8],
]
REFINEMENT = [
  *[0.29730178, 0.35355339, 0.42044821, 0.5, 0.59460356, 0.70710678, 0.84089642],
  *[1, 1.18920712, 1.41421356, 1.68179283, 2, 2.37841423, 2.82842712, 3.36358566],
]

NAMES = {1: "a", 4: "b", 9: "c"}


def no_tick():
  """Never cancels."""


def noisy(each, seed=0):
  """Spectra and classes 1, 4 and 9 that overlap."""
  classes = np.repeat(np.array([1, 4, 9], np.int32), each)
  values = np.random.default_rng(seed).normal(classes[:, None] / 9, 0.4, (len(classes), 5))
  return values.astype(np.float32), classes


def test_the_grids_are_the_authors():
  assert svm_baseline.COARSE_C.tolist() == COARSE_C
  assert svm_baseline.COARSE_GAMMA.tolist() == COARSE_GAMMA
  np.testing.assert_allclose(svm_baseline.REFINEMENT, REFINEMENT, rtol=1e-8)
  assert svm_baseline.FOLDS == 3


def search_by_hand(spectra, classes, costs, gammas):
  """The pair of highest accuracy over three folds; of equal pairs, the one that comes first."""
  folds = list(StratifiedKFold(3).split(spectra, classes))
  scores = {}
  for pair in itertools.product(costs, gammas):
    svm = SVC(C=pair[0], gamma=pair[1])
    hits = [
      np.mean(svm.fit(spectra[fitted], classes[fitted]).predict(spectra[held]) == classes[held])
      for fitted, held in folds
    ]
    scores[pair] = round(float(np.mean(hits)), 9)
  return max(scores, key=scores.get), scores


def test_the_search_goes_from_coarse_to_fine_and_of_equal_pairs_the_smallest_wins():
  spectra, classes = noisy(5)
  coarse, scores = search_by_hand(spectra, classes, COARSE_C, COARSE_GAMMA)
  assert list(scores.values()).count(scores[coarse]) > 1, "without equal pairs, no tie is broken"
  fine, scores = search_by_hand(
    spectra, classes, *((value * svm_baseline.REFINEMENT).tolist() for value in coarse)
  )
  assert list(scores.values()).count(scores[fine]) > 1, "without equal pairs, no tie is broken"
  svm = svm_baseline.train(spectra, classes, no_tick)
  assert (svm.C, svm.gamma) == fine
  assert not set(fine) & set(coarse), "the example does not distinguish refined from coarse"


def test_the_winner_is_fitted_to_all_pixels():
  spectra, classes = noisy(4)
  with small_grids():
    svm = svm_baseline.train(spectra, classes, no_tick)
  again = SVC(kernel="rbf", C=svm.C, gamma=svm.gamma).fit(spectra, classes)
  assert svm.shape_fit_ == spectra.shape
  np.testing.assert_array_equal(svm.support_, again.support_)
  np.testing.assert_array_equal(svm.dual_coef_, again.dual_coef_)


def test_separable_classes_are_learnt():
  labels = launching.TOWN
  cube = (launching.cube(labels) / np.float32(2000)).astype(np.float32)
  pixels = tuple(np.concatenate([np.argwhere(labels == name)[:3] for name in (2, 7)]).T)
  with small_grids():
    svm = svm_baseline.train(cube[pixels], labels[pixels], no_tick)
  prediction = svm_baseline.classify(svm, cube, 1000, no_tick)
  np.testing.assert_array_equal(prediction[labels > 0], labels[labels > 0])


@pytest.mark.parametrize("chunk", [1, 7, 119, 120, 121])
def test_every_pixel_gets_the_class_that_the_svm_gives_it(chunk):
  spectra, classes = noisy(6)
  svm = SVC(C=2, gamma=2).fit(spectra, classes)
  cube = np.random.default_rng(1).normal(0.5, 0.5, (12, 10, 5)).astype(np.float32)
  prediction = svm_baseline.classify(svm, cube, chunk, no_tick)
  assert (prediction.shape, prediction.dtype) == ((12, 10), np.int32)
  np.testing.assert_array_equal(prediction, [svm.predict(row) for row in cube])
  assert set(prediction.flat) == {1, 4, 9}, "the example does not distinguish the classes"


def test_at_most_a_chunk_of_pixels_is_classified_at_once():
  svm = mock.Mock(predict=lambda spectra: np.full(len(spectra), len(spectra)))
  prediction = svm_baseline.classify(svm, np.zeros((3, 4, 2), np.float32), 5, no_tick)
  assert prediction.tolist() == [[5, 5, 5, 5], [5, 5, 5, 5], [5, 5, 2, 2]]


def rows(*groups, length=None):
  """Training pixels of one replica: (class id, count) pairs, padded to a length."""
  pixels = np.concatenate([np.argwhere(name == launching.FIELDS)[:count] for name, count in groups])
  padding = np.full(((length or len(pixels)) - len(pixels), 2), -1)
  return np.concatenate([pixels, padding]).astype(np.int32)


@pytest.mark.parametrize(
  ("second", "message"),
  [
    (
      [(1, 3), (4, 1), (9, 2)],
      r"scene 'fields': class 4 \(b\) has 1 training pixel in replica 1 and svm needs 3 for cross.*give",
    ),
    ([(1, 3), (9, 2)], r"scene 'fields': class 9 \(c\) has 2 training pixels in replica 1 and svm needs 3 "),
    (
      [(4, 5)],
      r"scene 'fields': all training pixels of replica 1 are of class 4 \(b\) and svm needs two classes",
    ),
  ],
)
def test_pixels_that_cannot_be_cross_validated_are_refused(second, message):
  train = np.stack([rows((1, 3), (4, 3), (9, 3)), rows(*second, length=9)])
  with pytest.raises(RequestError, match=message) as error:
    svm_baseline.check_samples("fields", launching.FIELDS, NAMES, train)
  assert "\n" not in str(error.value)
