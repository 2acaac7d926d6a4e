"""Shuffled epochs, and training sets."""

import collections

import jax
import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.splits.split import PADDING
from mtl_hsi.training import batches
from mtl_hsi.training.patches import SPECTRUM

MIRRORS = 4
BATCH = 5


def order(counts, *, steps=None, mixed=False, seed=0, longest=None, rows=16):
  """The order of an epoch of one replica, as NumPy arrays `[steps, T, N]`."""
  counts = np.array(counts, np.int32)
  steps = steps or batches.steps_per_epoch(counts[None], BATCH, mixed=mixed, drop_last=False)
  samples = batches.TrainingSet(
    centres=np.zeros((len(counts), rows, 2), np.int32),
    classes=np.zeros((len(counts), rows), np.int32),
    counts=counts,
    longest=np.int32(longest or counts.max()),
  )
  made = jax.jit(batches.epoch_order, static_argnames=("batch_size", "mixed"))(
    samples, jax.random.key(seed), batch_size=BATCH, mixed=mixed
  )
  assert len(made.valid) == batches.most_steps(samples, BATCH, mixed)
  return batches.Order(*(np.asarray(values)[:steps] for values in made))


def drawn(made, scene):
  """Sample and symmetry of a scene's valid slots, in their order."""
  valid = made.valid[:, scene].ravel()
  return list(
    zip(made.sample[:, scene].ravel()[valid].tolist(), made.symmetry[:, scene].ravel()[valid].tolist())
  )


def all_of(count):
  return {(sample, image) for sample in range(count) for image in range(MIRRORS)}


@pytest.mark.parametrize(
  ("counts", "mixed", "steps"),
  [
    ([[8, 3]], False, 7),  # 32 mirrored samples of the longest set in batches of 5
    ([[8, 3]], True, 9),  # 44 of both
    ([[5, 5]], False, 4),
    ([[5, 5]], True, 8),
    ([[8, 3], [9, 1]], False, 8),  # the longest replica decides
    ([[8, 3], [9, 1]], True, 9),
  ],
)
def test_steps_until_every_sample_was_drawn(counts, mixed, steps):
  counts = np.array(counts, np.int32)
  assert batches.steps_per_epoch(counts, BATCH, mixed=mixed, drop_last=False) == steps


@pytest.mark.parametrize(
  ("counts", "mixed", "steps"),
  [([[8, 3]], False, 6), ([[8, 3]], True, 8), ([[5, 5]], True, 8), ([[8, 3], [9, 1]], False, 7)],
)
def test_the_last_batch_can_be_dropped_where_it_is_partial(counts, mixed, steps):
  counts = np.array(counts, np.int32)
  assert batches.steps_per_epoch(counts, BATCH, mixed=mixed, drop_last=True) == steps
  if len(counts) == 1:
    kept = order(counts[0], steps=steps, mixed=mixed).valid
    assert kept.any(axis=1).all() if mixed else kept.all()


def test_a_fixed_number_of_steps_is_returned():
  for drop_last in (False, True):
    assert batches.steps_per_epoch(np.array([[1, 1]]), BATCH, mixed=False, drop_last=drop_last, fixed=7) == 7


def test_dropping_the_only_batch_is_refused():
  with pytest.raises(RequestError, match=r"batch_size 5, but an epoch has 4 samples, .*; lower batch_size"):
    batches.steps_per_epoch(np.array([[1, 1]]), BATCH, mixed=False, drop_last=True)


def test_the_longest_scene_is_drawn_whole_and_once():
  made = order([8, 3])
  assert len(drawn(made, 0)) == 8 * MIRRORS
  assert set(drawn(made, 0)) == all_of(8)


def test_a_shorter_scene_wraps_around():
  first, second, rest = np.split(np.array(drawn(order([8, 3]), 1)), [12, 24])
  assert set(map(tuple, first)) == all_of(3)
  assert set(map(tuple, second)) == all_of(3)
  assert len(rest) == 32 - 24
  assert len(set(map(tuple, rest))) == 32 - 24


def test_the_last_batch_is_partial_for_all_scenes():
  valid = order([8, 3]).valid
  assert valid[:-1].all()
  np.testing.assert_array_equal(valid[-1], np.tile(np.arange(BATCH) < 2, (2, 1)))


def test_a_replica_with_fewer_samples_continues_in_full_batches():
  made = order([4, 2], steps=7, longest=8)
  # 16 samples: three batches of 5 and one of 1, then three more
  assert made.valid.sum(axis=(1, 2)).tolist() == [10, 10, 10, 2, 10, 10, 10]
  counts = collections.Counter(drawn(made, 0))
  assert set(counts) == all_of(4)
  assert set(drawn(made, 0)[:16]) == all_of(4)
  assert max(counts.values()) == 2
  assert set(drawn(made, 1)) == all_of(2)


def test_a_mixed_batch_has_pooled_samples_each_in_the_row_of_its_scene():
  made = order([8, 3], mixed=True)
  assert (made.valid.sum(axis=1) <= 1).all(), "a slot holds one sample"
  assert made.valid.sum(axis=(1, 2)).tolist() == [5] * 8 + [4]
  for scene, count in enumerate([8, 3]):
    assert len(drawn(made, scene)) == count * MIRRORS
    assert set(drawn(made, scene)) == all_of(count)
  both = made.valid.any(axis=2).all(axis=1)
  assert both.any(), "scenes do mix"


def test_a_mixed_replica_with_fewer_samples_continues_in_full_batches():
  made = order([2, 1], mixed=True, steps=5, longest=8)
  assert made.valid.sum(axis=(1, 2)).tolist() == [5, 5, 2, 5, 5]
  assert set(drawn(made, 0)) == all_of(2)
  assert set(drawn(made, 1)) == all_of(1)


@pytest.mark.parametrize("mixed", [False, True])
def test_padding_rows_change_no_draw(mixed):
  for few, many in zip(order([8, 3], mixed=mixed, rows=8), order([8, 3], mixed=mixed, rows=32), strict=True):
    np.testing.assert_array_equal(few, many)


@pytest.mark.parametrize("mixed", [False, True])
def test_the_key_shuffles(mixed):
  first, same, other = (order([8, 3], mixed=mixed, seed=seed) for seed in (0, 0, 1))
  assert drawn(first, 0) == drawn(same, 0)
  assert drawn(first, 0) != drawn(other, 0)
  assert drawn(first, 0) != sorted(drawn(first, 0))


def test_the_authors_first_image_has_its_rows_flipped():
  """Mirror image m of sample i has draw m * longest + i; the author's order is rows, columns, both, none."""
  key, counts = jax.random.key(0), [8, 8]
  ranks = np.asarray(jax.random.uniform(key, (2 * MIRRORS * 16,)))[: 8 * MIRRORS]
  by_hand = [(draw % 8, [1, 2, 3, 0][draw // 8]) for draw in np.argsort(ranks)]
  assert drawn(order(counts), 0) == by_hand


def test_scenes_are_shuffled_independently():
  made = order([8, 8])
  assert drawn(made, 0) != drawn(made, 1)


def test_training_sets_of_replicas_of_unequal_length():
  # Ids with gaps count from 0 in ascending order.
  fields = np.array([[2, 5], [9, 5]], np.int32)
  town = np.array([[7, 0, 3]], np.int32)
  train = [
    np.array([[[1, 0], [0, 1], [0, 0]], [[0, 0], [-1, -1], [-1, -1]]], np.int32),
    np.array([[[0, 2]], [[0, 0]]], np.int32),
  ]
  made = batches.training_set(train, [fields, town], [np.array([2, 5, 9]), np.array([3, 7])])
  assert made.centres.shape == (2, 2, 64, 2), "few sizes, so that few programs serve all sets"
  assert made.longest.tolist() == [3, 3]
  assert made.counts.tolist() == [[3, 1], [1, 1]]
  assert made.centres[0, 0, :3].tolist() == [[1, 0], [0, 1], [0, 0]]
  assert made.classes[0, 0, :3].tolist() == [2, 1, 0]
  assert made.centres[1, 1, 0].tolist() == [0, 0]
  assert [made.classes[0, 1, 0], made.classes[1, 0, 0], made.classes[1, 1, 0]] == [0, 0, 1]
  assert (made.centres >= 0).all(), "padding must not point outside the scene"


def test_the_spectra_of_libraries_are_in_all_training_sets_after_the_pixels():
  images = [np.array([[1, 2, 2]], np.int32), np.array([[5, 7]], np.int32)]
  train = [
    np.array([[[0, 0], [0, 2]], [[0, 1], [PADDING, PADDING]]]),
    np.array([[[0, 0]], [[0, 1]]]),
  ]
  libraries = [np.array([2, 1], np.int32), np.array([9, 5, 9], np.int32)]
  found = batches.training_set(train, images, [np.array([1, 2]), np.array([5, 7, 9])], libraries)
  assert found.counts.tolist() == [[4, 4], [3, 4]]
  assert found.longest.tolist() == [4, 4]
  assert found.classes[0, 0, :4].tolist() == [0, 1, 1, 0]
  assert found.classes[1, 0, :3].tolist() == [1, 1, 0]
  assert found.classes[1, 1, :4].tolist() == [1, 2, 0, 2]
  assert found.centres[0, 0, :4].tolist() == [[0, 0], [0, 2], [SPECTRUM, 0], [SPECTRUM, 1]]
  assert found.centres[1, 1, :4].tolist() == [[0, 1], [SPECTRUM, 2], [SPECTRUM, 3], [SPECTRUM, 4]]
