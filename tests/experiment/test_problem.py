"""Scenes, splits and network of an experiment."""

import dataclasses

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.experiment import introduction, problem
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.splits.drawn import ALL, random_split
from mtl_hsi.splits.leakage import patch_overlap
from mtl_hsi.splits.split import pixels_of, split_arrays
from mtl_hsi.storage import atomic_files
from tests import launching
from tests.experiment.problems import changed, prepare, scene, svm


def test_scenes_splits_and_network_fit_together(settings):
  made = problem.prepare(settings)
  assert list(made.scenes) == ["fields", "town"]
  assert (made.network.class_counts, made.network.stem.bands, made.network.shared_stem) == ((3, 2), 6, True)
  for name, labels in {"fields": launching.FIELDS, "town": launching.TOWN}.items():
    expected = random_split(labels, 3, seed=0, replicas=2, name=name)
    np.testing.assert_array_equal(made.splits[name].train, expected.train)
    np.testing.assert_array_equal(made.splits[name].test, expected.test)


def test_training_pixels_have_the_places_of_their_classes(settings):
  made = problem.prepare(settings)
  samples = problem.training_set(made)
  assert samples.counts.tolist() == [[9, 6], [9, 6]]
  for index, (name, labels, ids) in enumerate(
    [("fields", launching.FIELDS, [1, 4, 9]), ("town", launching.TOWN, [2, 7])]
  ):
    rows = made.splits[name].train[1]
    np.testing.assert_array_equal(samples.centres[1, index, : len(rows)], rows)
    truth = labels[tuple(rows.T)]
    np.testing.assert_array_equal(
      samples.classes[1, index, : len(rows)], [ids.index(label) for label in truth]
    )


def test_masks_of_scenes_reach_their_layers(settings):
  nodata = np.zeros(launching.FIELDS.shape, bool)
  nodata[0, 9] = True
  masked = dataclasses.replace(scene(), nodata=nodata)
  assert problem.layers(prepare(settings, masked))[0].nodata is nodata


def test_epochs_without_a_batch_are_refused(settings):
  prepare(settings, scene(), training__drop_last=True)
  with pytest.raises(RequestError, match="batch_size 40, but an epoch has 36 samples"):
    prepare(settings, scene(), training__drop_last=True, training__batch_size=40)


def test_svms_have_no_network_and_see_single_pixels_of_any_number_of_bands(settings):
  assert problem.prepare(settings).patch == 9
  made = prepare(settings, scene(), scene("other", bands=9), **svm(settings))
  assert (made.network, made.patch) == (None, 1)
  assert [own.channels for own in made.inputs.values()] == [6, 9]


def test_svms_need_three_training_pixels_of_each_class(settings):
  rare = scene("rare")
  labels = np.where(rare.labels == 1, 4, rare.labels)
  labels[5, 5:7] = 1
  rare = dataclasses.replace(rare, labels=labels)
  assert prepare(settings, scene(), rare).network is not None
  message = r"scene 'rare': class 1 \(a\) has 2 training pixels in replica 0 and svm needs 3 for "
  with pytest.raises(RequestError, match=message):
    prepare(settings, scene(), rare, **svm(settings))


@pytest.mark.parametrize(
  "changes",
  [
    {},
    {"split__by_blocks": True, "split__block_size": 4},
    {"split__samples_per_class": ALL},
    {"given": True},
  ],
  ids=["random", "blocks", "all", "given"],
)
def test_more_labels_train_in_every_replica_and_are_never_tested(settings, changes):
  labels = np.tile(np.repeat([[1] * 9, [4] * 9], 3, axis=0), (5, 4)).astype(np.int32)
  more = np.zeros(labels.shape, bool)
  more[0, :2] = True
  given = {"tested": labels * np.eye(*labels.shape, 5) > 0} if changes.pop("given", False) else {}
  fields = Scene("fields", launching.cube(labels), labels, {1: "a", 4: "b"}, trained=more, **given)
  split = prepare(settings, fields, scenes__target="fields", **changes).splits["fields"]
  for train, test in zip(*split, strict=True):
    train, test = (pixels_of(rows).tolist() for rows in (train, test))
    assert {(0, 0), (0, 1)} <= set(map(tuple, train))
    assert len(set(map(tuple, train))) == len(train)
    assert not set(map(tuple, train)) & set(map(tuple, test))
    assert bool(test) == (changes.get("split__samples_per_class") != ALL)


def test_more_labels_that_are_all_there_are_leave_nothing_to_test(settings):
  made = scene(trained=launching.FIELDS > 0)
  with pytest.raises(RequestError, match="'fields': all labels are in more_labels"):
    prepare(settings, made, scenes__target="fields")
  split = prepare(settings, made, scenes__target="fields", split__samples_per_class=ALL).splits["fields"]
  assert (split.train.shape, split.test.shape) == ((1, np.count_nonzero(launching.FIELDS), 2), (1, 0, 2))


def test_a_split_from_a_file_takes_the_place_of_chance(settings, tmp_path):
  drawn = problem.prepare(changed(settings, seed=5)).splits
  atomic_files.write_npz(tmp_path / "split.npz", split_arrays(drawn))
  read = problem.prepare(changed(settings, split__file=tmp_path / "split.npz")).splits
  for name, split in drawn.items():
    np.testing.assert_array_equal(read[name].train, split.train)
    np.testing.assert_array_equal(read[name].test, split.test)


def test_splits_by_blocks_keep_the_networks_patches_apart(settings):
  labels = np.kron([[1, 4, 9, 1], [9, 1, 4, 9]], np.ones((15, 15))).astype(np.int32)
  wide = dataclasses.replace(scene(), cube=np.arange(10800.0).reshape(30, 60, 6), labels=labels)
  made = prepare(settings, wide, split__by_blocks=True, split__block_size=15)
  assert patch_overlap(made.splits["fields"], labels.shape, made.patch) == 0
  assert patch_overlap(made.splits["fields"], labels.shape, made.patch + 8) > 0
  recipe = dataclasses.replace(settings.training.recipe, steps=1, shift=3)
  made = prepare(
    changed(settings, training__recipe=recipe), wide, split__by_blocks=True, split__block_size=15
  )
  assert patch_overlap(made.splits["fields"], labels.shape, made.patch + 3) == 0
  assert "3 samples per class from blocks" in introduction.description(
    changed(settings, split__by_blocks=True, split__block_size=15)
  )


def test_a_shift_beyond_the_patch_is_refused(settings):
  recipe = dataclasses.replace(settings.training.recipe, steps=1, shift=9)
  with pytest.raises(RequestError, match=r"patch_shift is 9; expected at most 8, .* of 9 x 9 pixels overlap"):
    problem.prepare(changed(settings, training__recipe=recipe))


def test_test_pixels_given_are_those_of_all_replicas(settings):
  rows, columns = np.indices(launching.FIELDS.shape)
  tested = (launching.FIELDS > 0) & (columns >= 7) & (rows >= 4)
  labels = np.where((columns < 6) | tested, launching.FIELDS, 0).astype(np.int32)
  given = dataclasses.replace(scene(), labels=labels, tested=tested)
  made = prepare(settings, given)
  for rows in made.splits["fields"].test:
    assert rows.tolist() == np.argwhere(tested).tolist()
  assert made.splits["fields"].train.shape == (2, 9, 2)
  every = prepare(settings, given, split__samples_per_class=0)
  assert every.splits["fields"].train.shape == (1, 72, 2)
  assert "all training labels" in introduction.description(changed(settings, split__samples_per_class=0))
