"""Classification of whole scenes in tiles, by the votes of snapshots."""

import functools

import jax
import numpy as np
import pytest

from mtl_hsi.classification import classify, smoothing
from mtl_hsi.classification.smoothing import Smoothing
from tests import tiny

SMOOTH = classify.PLAIN._replace(smoothing=Smoothing(2, 0.1, 1.0))


def no_tick():
  """Reports no progress."""


def stacked(trees):
  """The same tree with a leading axis."""
  return jax.tree.map(lambda *leaves: np.stack(leaves), *trees)


def networks_of(seeds):
  """Random networks, one per seed, with leading axis R."""
  params, stats = stacked([tiny.weights(tiny.SMALL, seed) for seed in seeds])
  return {"params": params, "stats": stats}


def padded_cubes(net) -> list[np.ndarray]:
  """Random padded scenes with squares of high contrast, so that random networks find several classes."""
  generator = np.random.default_rng(5)
  squares = [generator.normal(0, 10, (4, 4, tiny.BANDS)).astype(np.float32) for _ in tiny.SHAPES]
  return [
    np.repeat(np.repeat(square, 5, axis=0), 5, axis=1)[: height + net.patch - 1, : width + net.patch - 1]
    for square, (height, width) in zip(squares, tiny.SHAPES)
  ]


@functools.cache
def classifier_of(method, pixels, devices=1):
  return classify.Classifier((tiny.SMALL,), jax.devices()[:devices], method, pixels)


def scene_regions():
  return [classify.SceneRegion(cube, scene) for scene, cube in enumerate(padded_cubes(tiny.SMALL))]


@functools.cache
def labels_of(method, pixels, seeds=(0, 1), devices=1):
  """Class indices of both scenes by one snapshot of random networks, in tiles of at most `pixels`."""
  classifier = classifier_of(method, pixels, devices)
  placed = classifier.place_snapshots([networks_of(seeds)])
  return [classifier.vote(placed, region, no_tick).labels for region in scene_regions()]


def test_dense_and_patchwise_labels_are_equal():
  dense, by_patch = labels_of("dense", 4096), labels_of("patches", 4096)
  for shape, classes, one, other in zip(tiny.SHAPES, tiny.CLASSES, dense, by_patch, strict=True):
    assert one.shape == (2, *shape)
    np.testing.assert_array_equal(one, other)
    assert one.max() < classes
    assert all(len(np.unique(labels)) > 1 for labels in one), "constant labels would not show a difference"


@pytest.mark.parametrize(("method", "pixels"), [("dense", 16), ("patches", 330), ("patches", 10)])
def test_tiles_change_no_label(method, pixels):
  for whole, tiled in zip(labels_of("dense", 4096), labels_of(method, pixels), strict=True):
    np.testing.assert_array_equal(whole, tiled)


def test_devices_change_no_label():
  for spread, alone in zip(labels_of("dense", 16, devices=2), labels_of("dense", 16), strict=True):
    np.testing.assert_array_equal(spread, alone)


def test_a_replicas_labels_are_those_of_its_own_network():
  net, labels = tiny.SMALL, labels_of("dense", 4096)
  for scene, (height, width) in enumerate(tiny.SHAPES):
    cut = tiny.all_patches(padded_cubes(net)[scene], net.patch)
    for replica in range(2):
      logits = tiny.patch_logits(net, *tiny.weights(net, replica), cut, np.int32(scene))
      np.testing.assert_array_equal(labels[scene][replica], np.argmax(logits, axis=1).reshape(height, width))
  assert (labels[0][0] != labels[0][1]).any(), "replicas are different networks"


# Seeds of two replicas in each of three snapshots.
SNAPSHOTS = ((0, 1), (10, 11), (20, 21))


@pytest.mark.parametrize(("method", "pixels"), [("dense", 16), ("patches", 330)])
def test_snapshots_vote_with_the_labels_that_each_gives_alone(method, pixels):
  classifier, ticks = classifier_of(method, pixels), []
  alone = [labels_of(method, pixels, seeds) for seeds in SNAPSHOTS]
  placed = classifier.place_snapshots([networks_of(seeds) for seeds in SNAPSHOTS])
  for scene, (region, classes) in enumerate(zip(scene_regions(), tiny.CLASSES, strict=True)):
    votes = classifier.vote(placed, region, lambda: ticks.append(1))
    ballots = np.stack([labels[scene] for labels in alone])
    counts = np.stack([(ballots == c).sum(0) for c in range(classes)])
    np.testing.assert_array_equal(votes.labels, counts.argmax(0))
    np.testing.assert_array_equal(votes.share, (counts.max(0) / 3).astype(np.float32))
    assert len(np.unique(votes.share)) > 1, "unanimous snapshots would not show a difference"
  assert len(ticks) == sum(len(classifier.tiles(region)) for region in scene_regions())


def test_probability_is_the_mean_over_snapshots_of_the_voted_class():
  net, classifier = tiny.SMALL, classifier_of("dense", 16)
  placed = classifier.place_snapshots([networks_of(seeds) for seeds in SNAPSHOTS])
  for scene, region in enumerate(scene_regions()):
    votes = classifier.vote(placed, region, no_tick)
    cut = tiny.all_patches(region.padded, net.patch)
    for replica in range(2):
      logits = [
        tiny.patch_logits(net, *tiny.weights(net, seeds[replica]), cut, np.int32(scene))
        for seeds in SNAPSHOTS
      ]
      mean = np.mean([jax.nn.softmax(x) for x in logits], axis=0)
      voted = votes.labels[replica].reshape(-1)
      np.testing.assert_allclose(
        votes.probability[replica].reshape(-1), mean[np.arange(len(voted)), voted], atol=6e-4
      )


@functools.cache
def smoothing_classifier(pixels, devices=1, method="dense"):
  classifier = classify.Classifier((tiny.SMALL,), jax.devices()[:devices], method, pixels, SMOOTH)
  return classifier, classifier.place_snapshots([networks_of((0,))])


def smooth_votes(pixels, devices=1, method="dense", **changes):
  """Votes of one random network on the first scene, or on a part of it, in tiles of at most `pixels`."""
  classifier, placed = smoothing_classifier(pixels, devices, method)
  region = scene_regions()[0]._replace(contrast=80.0, **changes)
  return classifier.vote(placed, region, no_tick)


def test_probabilities_are_smoothed_before_they_are_compared():
  net = tiny.SMALL
  cube, margin = padded_cubes(net)[0], net.patch // 2
  values = cube[margin:-margin, margin:-margin]
  measured = np.ones(values.shape[:2], bool)
  measured[3:6, 4] = False
  plain = jax.nn.softmax(tiny.dense_logits(net, *tiny.weights(net), cube, np.int32(0)))
  expected = smoothing.smooth(plain, smoothing.weights(values, measured, 80.0), SMOOTH.smoothing)
  votes = smooth_votes(4096, measured=measured)
  np.testing.assert_array_equal(votes.labels[0], np.argmax(expected, axis=-1))
  np.testing.assert_allclose(votes.probability[0], np.max(expected, axis=-1), atol=6e-4)
  assert (np.argmax(plain, axis=-1) != votes.labels[0]).any(), "an equal map would not show a difference"


@pytest.mark.parametrize(
  ("pixels", "devices", "method"), [(16, 1, "dense"), (30, 2, "dense"), (280, 1, "patches")]
)
def test_tiles_devices_and_method_do_not_change_a_smoothed_map(pixels, devices, method):
  whole, tiled = smooth_votes(4096), smooth_votes(pixels, devices, method)
  np.testing.assert_array_equal(whole.labels, tiled.labels)
  np.testing.assert_allclose(whole.probability, tiled.probability, atol=1e-3)


def test_a_window_with_its_halo_gets_the_result_of_the_whole_scene():
  (height, width), halo = tiny.SHAPES[0], SMOOTH.smoothing.steps
  rows, columns = slice(halo + 1, height - halo), slice(0, width - halo)
  # Without the first row of the scene, which is no part of the halo.
  cube = padded_cubes(tiny.SMALL)[0][1:, :]
  votes = smooth_votes(16, padded=cube, window=(slice(rows.start - 1, rows.stop - 1), columns))
  np.testing.assert_array_equal(votes.labels, smooth_votes(4096).labels[:, rows, columns])
