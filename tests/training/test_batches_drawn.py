"""Batches that are drawn step by step."""

import collections
import functools

import jax
import numpy as np
import pytest

from mtl_hsi.training import batches
from mtl_hsi.training.batches import Order

# Eight samples of three classes, three of one.
CLASSES = [[0, 0, 0, 1, 1, 1, 1, 2], [1, 1, 1]]
BATCH = 5

_draw = jax.jit(batches.draw_step, static_argnames=("batch_size", "mixed", "balanced", "images"))


@functools.cache
def drawn(*, seed=0, mixed=False, balanced=False, images=8, rows=16, batch_size=BATCH) -> Order:
  """A step's samples as NumPy arrays `[T, N]`."""
  classes = np.full((2, rows), 3, np.int32)
  for scene, of_samples in enumerate(CLASSES):
    classes[scene, : len(of_samples)] = of_samples
  counts = np.array([8, 3], np.int32)
  samples = batches.TrainingSet(np.zeros((2, rows, 2), np.int32), classes, counts, np.int32(8))
  options = {"batch_size": batch_size, "mixed": mixed, "balanced": balanced, "images": images}
  return jax.tree.map(np.asarray, _draw(samples, jax.random.key(seed), **options))


def classes_of(made, scene):
  """How often the valid slots of a scene hold each class."""
  chosen = made.sample[scene][made.valid[scene]]
  return collections.Counter(CLASSES[scene][sample] for sample in chosen)


def test_a_step_draws_different_samples_and_wraps_around_where_there_are_too_few():
  for seed in range(5):
    first, second = drawn(seed=seed).sample
    assert len(set(first)) == BATCH
    assert set(first) <= set(range(8))
    assert sorted(collections.Counter(second).values()) == [1, 2, 2]
    assert set(second) == {0, 1, 2}
  assert drawn().valid.all()


def test_every_sample_has_the_same_chance():
  counts = collections.Counter(sample for seed in range(80) for sample in drawn(seed=seed).sample[0])
  # 50 each are expected, with a standard deviation of 4.3.
  assert set(counts) == set(range(8))
  assert all(32 < count < 68 for count in counts.values())


@pytest.mark.parametrize("batch_size", [3, 5, 9])
def test_a_balanced_step_draws_every_class_equally_often_up_to_one(batch_size):
  for seed in range(3):
    made = drawn(seed=seed, balanced=True, batch_size=batch_size)
    counts = classes_of(made, 0)
    assert set(counts) == {0, 1, 2}
    assert max(counts.values()) - min(counts.values()) <= 1
    # The samples 0 to 2 of the first class are used evenly.
    uses = collections.Counter(sample for sample in made.sample[0] if sample < 3)
    assert max(uses.values()) == 1
    assert classes_of(made, 1) == {1: batch_size}


def test_which_class_has_one_more_is_left_to_chance():
  counts = [classes_of(drawn(seed=seed, balanced=True), 0) for seed in range(9)]
  # Two of three classes occur twice in a batch of five.
  assert {min(count, key=count.get) for count in counts} == {0, 1, 2}


@pytest.mark.parametrize("balanced", [False, True])
def test_a_mixed_step_has_pooled_samples_each_in_the_row_of_its_scene(balanced):
  for seed in range(3):
    made = drawn(seed=seed, mixed=True, balanced=balanced)
    np.testing.assert_array_equal(made.valid.sum(axis=0), np.ones(BATCH))
    counts = [classes_of(made, scene) for scene in range(2)]
    assert sum(sum(count.values()) for count in counts) == BATCH
    if balanced:
      # Four classes in two scenes: one of them twice.
      assert sorted([*counts[0].values(), *counts[1].values()]) == [1, 1, 1, 2]


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("balanced", [False, True])
def test_padding_rows_change_no_draw(mixed, balanced):
  few, many = (drawn(rows=rows, mixed=mixed, balanced=balanced) for rows in (8, 16))
  jax.tree.map(np.testing.assert_array_equal, few, many)


def test_images_are_drawn_from_the_first_symmetries():
  found = {image for seed in range(20) for image in drawn(seed=seed).symmetry.flat}
  assert found == set(range(8))
  assert not drawn(images=1).symmetry.any()


def test_the_key_draws():
  first, other = drawn(seed=0), drawn(seed=1)
  assert first.sample[0].tolist() != other.sample[0].tolist()
  assert first.symmetry.tolist() != other.symmetry.tolist()
