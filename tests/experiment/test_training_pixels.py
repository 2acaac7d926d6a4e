"""Which pixels train every network, and which are left out."""

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.experiment import problem, training_pixels
from mtl_hsi.splits.drawn import ALL
from mtl_hsi.splits.split import pixels_of
from tests import launching
from tests.experiment.problems import changed, prepare, scene

LABELLED = int((launching.FIELDS > 0).sum())


def by_folds(settings, **changes):
  """The settings of 3 folds of all labels."""
  split = {"split__by_folds": True, "split__samples_per_class": ALL, "split__folds": 3}
  return changed(settings, **(split | changes))


def as_set(pixels):
  return set(map(tuple, pixels.tolist()))


def networks(made, name="fields"):
  """Training pixels of every network, without padding."""
  found = training_pixels.network_splits(made.ensemble, made.splits, made.folds)
  return [as_set(pixels_of(rows)) for rows in found[name]]


def test_voters_train_on_all_labels_and_the_others_on_all_but_a_fold(settings):
  made = prepare(by_folds(settings), scene())
  assert made.ensemble == (1, 2, 3)
  whole = as_set(np.argwhere(launching.FIELDS))
  first, second, *others = networks(made)
  assert first == second == whole
  (folds,) = made.folds["fields"]
  left_out = [as_set(pixels) for pixels in folds.left_out]
  assert sum(map(len, left_out)) == LABELLED
  assert set.union(*left_out) == whole
  for trained, without in zip(others, left_out, strict=True):
    assert trained == whole - without
  assert made.network is not None
  assert problem.training_set(made).counts.tolist() == [[LABELLED]] * 2 + [[len(one)] for one in others]


def test_a_buffer_takes_training_pixels_away_and_nothing_that_is_left_out(settings):
  plain = prepare(by_folds(settings, split__fold_units="blocks", split__block_size=4), scene())
  apart = prepare(
    by_folds(settings, split__fold_units="blocks", split__block_size=4, split__fold_buffer=1), scene()
  )
  for one, other in zip(plain.folds["fields"], apart.folds["fields"], strict=True):
    for left_out, same in zip(one.left_out, other.left_out, strict=True):
      np.testing.assert_array_equal(left_out, same)
    for train, fewer, left_out in zip(one.train, other.train, one.left_out, strict=True):
      assert as_set(fewer) < as_set(train)
      distance = np.abs(fewer[:, None] - left_out[None]).max(axis=-1).min()
      assert distance > 1


def test_drawn_pixels_have_folds_of_their_own_in_every_replica(settings):
  made = prepare(changed(settings, split__folds=3), scene())
  assert made.ensemble == (2, 1, 3)
  found = networks(made)
  assert len(found) == 8
  for drawn, folds in enumerate(made.folds["fields"]):
    train = as_set(pixels_of(made.splits["fields"].train[drawn]))
    assert found[drawn] == train
    assert set.union(*map(as_set, folds.left_out)) == train
    for fold, left_out in enumerate(folds.left_out):
      assert found[made.ensemble.without_fold(drawn, fold)] == train - as_set(left_out)
      assert not as_set(left_out) & as_set(pixels_of(made.splits["fields"].test[drawn]))


@pytest.mark.parametrize("all_labels", [True, False])
def test_more_labels_are_never_left_out(settings, all_labels):
  fixed = np.zeros(launching.FIELDS.shape, bool)
  fixed[[0, 5, 9], [1, 1, 1]] = True
  wanted = by_folds(settings) if all_labels else changed(settings, split__folds=3)
  made = prepare(wanted, scene(trained=fixed))
  always = as_set(np.argwhere(fixed))
  assert all(always <= one for one in networks(made))
  for folds in made.folds["fields"]:
    assert not always & set.union(*map(as_set, folds.left_out))


def test_test_labels_that_are_given_are_in_no_fold(settings):
  tested = np.zeros(launching.FIELDS.shape, bool)
  tested[:, :2] = launching.FIELDS[:, :2] > 0
  made = prepare(by_folds(settings), scene(tested=tested))
  given = as_set(np.argwhere(tested))
  assert as_set(pixels_of(made.splits["fields"].test[0])) == given
  assert not any(given & one for one in networks(made))
  assert not given & set.union(*map(as_set, made.folds["fields"][0].left_out))


def test_a_class_in_a_single_region_is_cut_and_a_note_says_so(settings):
  (folds,) = prepare(by_folds(settings), scene()).folds["fields"]
  assert len(folds.notes) == 3
  assert "has a single region, which is cut in two" in folds.notes[0]


def test_fewer_units_than_folds_are_refused(settings):
  with pytest.raises(RequestError, match=r"'fields': the number of blocks is 4, .* for 9 folds; lower"):
    prepare(by_folds(settings, split__folds=9, split__fold_units="blocks", split__block_size=6), scene())


def test_without_folds_nothing_is_left_out(settings):
  made = prepare(settings, scene())
  assert made.folds == {}
  assert made.ensemble == (2, 1, 0)
  assert len(networks(made)) == 2
