"""Whole scenes in tiles, and votes."""

import functools
import itertools

import jax
import numpy as np
import pytest

from mtl_hsi.classification import classify, smoothing
from mtl_hsi.classification.smoothing import Smoothing
from tests import tiny

SYMMETRIC = classify.PLAIN._replace(symmetric=True)
SMOOTH = classify.PLAIN._replace(smoothing=Smoothing(2, 0.1, 1.0))
SIZES = [(1, 1), (7, 10), (9, 6), (1, 50), (50, 1), (145, 145), (83, 86)]


@pytest.mark.parametrize("devices", [1, 2, 3])
@pytest.mark.parametrize("pixels", [1, 2, 16, 17, 100, 4096, 10**6])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_tiles_of_one_size_cover_every_pixel_within_their_bound(height, width, pixels, devices):
  seen = np.zeros((height, width), int)
  shapes = set()
  for rows, columns in classify.tiles(height, width, pixels, devices=devices, margin=8):
    assert 0 <= rows.start < rows.stop <= height
    assert 0 <= columns.start < columns.stop <= width
    seen[rows, columns] += 1
    shapes.add((rows.stop - rows.start, columns.stop - columns.start))
  assert seen.all()
  assert len(shapes) == 1, "every further shape is one more program to compile"
  assert np.prod(shapes.pop()) <= pixels
  assert seen.sum() <= 4 * height * width


@pytest.mark.parametrize(
  ("devices", "pixels", "shape", "count"),
  [
    (1, 10**6, (145, 145), 1),
    (2, 10**6, (73, 145), 2),  # one for each device
    (1, 4096, (49, 73), 6),
    (2, 4096, (49, 73), 6),
    (4, 4096, (37, 73), 8),  # six would keep four devices busy for two rounds, too
  ],
)
def test_tiles_are_those_of_least_work(devices, pixels, shape, count):
  found = list(classify.tiles(145, 145, pixels, devices=devices, margin=8))
  assert len(found) == count
  rows, columns = found[0]
  assert (rows.stop - rows.start, columns.stop - columns.start) in (shape, shape[::-1])


def padded_cubes(net) -> list[np.ndarray]:
  """Random padded scenes of fields with such contrast that random networks see several classes."""
  generator = np.random.default_rng(5)
  fields = [generator.normal(0, 10, (4, 4, tiny.BANDS)).astype(np.float32) for _ in tiny.SHAPES]
  return [
    np.repeat(np.repeat(field, 5, axis=0), 5, axis=1)[: height + net.patch - 1, : width + net.patch - 1]
    for field, (height, width) in zip(fields, tiny.SHAPES)
  ]


@functools.cache
def classifier_of(method, pixels, devices=1):
  return classify.Classifier(tiny.network(), jax.devices()[:devices], method, pixels)


def labels_of(method, pixels, count=2, devices=1):
  """Class indices of both scenes by random networks, in tiles of so many pixels."""
  net, classifier = tiny.network(), classifier_of(method, pixels, devices)
  drawn = [tiny.weights(net, seed) for seed in range(count)]
  params, stats = jax.tree.map(lambda *leaves: np.stack(leaves), *drawn)
  networks = classifier.place({"params": params, "stats": stats})
  parts = [classify.Part(cube, scene) for scene, cube in enumerate(padded_cubes(net))]
  return [classifier.classify(networks, part) for part in parts]


def test_dense_and_patchwise_labels_are_equal():
  dense, by_patch = labels_of("dense", 4096), labels_of("patches", 4096)
  for shape, classes, one, other in zip(tiny.SHAPES, tiny.CLASSES, dense, by_patch, strict=True):
    assert one.shape == (2, *shape)
    np.testing.assert_array_equal(one, other)
    assert one.max() < classes
    assert all(len(np.unique(labels)) > 1 for labels in one), "constant labels would not show a difference"


@pytest.mark.parametrize(("method", "pixels"), [("dense", 16), ("patches", 1100), ("patches", 10)])
def test_tiles_change_no_label(method, pixels):
  for whole, tiled in zip(labels_of(method, 4096), labels_of(method, pixels), strict=True):
    np.testing.assert_array_equal(whole, tiled)


def test_devices_change_no_label():
  for spread, alone in zip(labels_of("dense", 16, devices=2), labels_of("dense", 16), strict=True):
    np.testing.assert_array_equal(spread, alone)


def test_a_replicas_labels_are_those_of_its_own_network():
  net, count = tiny.network(), 3
  labels = labels_of("dense", 4096, count)
  for scene, (height, width) in enumerate(tiny.SHAPES):
    cut = tiny.all_patches(padded_cubes(net)[scene], net.patch)
    for replica in range(count):
      logits = tiny.patch_logits(net, *tiny.weights(net, replica), cut, np.int32(scene))
      np.testing.assert_array_equal(labels[scene][replica], np.argmax(logits, axis=1).reshape(height, width))
  assert (labels[0][0] != labels[0][1]).any(), "replicas are different networks"


def votes_of(method, pixels, count=2, snapshots=3):
  """Votes on both scenes by random networks, the labels of each snapshot, and how often a tile was done."""
  net, classifier = tiny.network(), classifier_of(method, pixels)
  drawn = [[tiny.weights(net, 10 * s + r) for r in range(count)] for s in range(snapshots)]
  trees = []
  for own in drawn:
    params, stats = jax.tree.map(lambda *leaves: np.stack(leaves), *own)
    trees.append({"params": params, "stats": stats})
  placed, ticks, found = classifier.place_snapshots(trees), [], []
  for scene, cube in enumerate(padded_cubes(net)):
    part = classify.Part(cube, scene)
    each = np.stack([classifier.classify(classifier.place(tree), part) for tree in trees])
    votes = classifier.vote(placed, part, lambda: ticks.append(1))
    found.append((cube, drawn, each, votes))
  return found, len(ticks)


@pytest.mark.parametrize(("method", "pixels"), [("dense", 16), ("patches", 1100)])
def test_snapshots_vote_with_the_labels_that_they_give_alone(method, pixels):
  found, ticks = votes_of(method, pixels)
  for (_, _, each, votes), classes in zip(found, tiny.CLASSES, strict=True):
    counts = np.stack([(each == c).sum(0) for c in range(classes)])
    np.testing.assert_array_equal(votes.labels, counts.argmax(0))
    np.testing.assert_array_equal(votes.share, (counts.max(0) / 3).astype(np.float32))
    assert len(np.unique(votes.share)) > 1, "unanimous snapshots would not show a difference"
  assert ticks == sum(len(classifier_of(method, pixels).tiles(classify.Part(cube, 0))) for cube, *_ in found)


def test_probability_is_the_mean_over_snapshots_of_the_voted_class():
  net = tiny.network()
  found, _ = votes_of("dense", 16)
  for scene, (cube, drawn, _, votes) in enumerate(found):
    cut = tiny.all_patches(cube, net.patch)
    for replica in range(2):
      logits = [tiny.patch_logits(net, *own[replica], cut, np.int32(scene)) for own in drawn]
      mean = np.mean([jax.nn.softmax(x) for x in logits], axis=0)
      voted = votes.labels[replica].reshape(-1)
      np.testing.assert_allclose(
        votes.probability[replica].reshape(-1), mean[np.arange(len(voted)), voted], atol=6e-4
      )


def test_all_symmetries_of_the_surroundings_are_averaged():
  net = tiny.network("vresnet", patch=5, width=6, blocks=1)
  params, stats = tiny.weights(net)
  cube = padded_cubes(net)[0]
  classifier = classify.Classifier(net, jax.devices()[:1], "dense", 4096, SYMMETRIC)
  placed = classifier.place_snapshots([jax.tree.map(lambda x: x[None], {"params": params, "stats": stats})])
  votes = classifier.vote(placed, classify.Part(cube, 0), lambda: None)
  expected = np.zeros((*tiny.SHAPES[0], 4))
  for turns, mirrored in itertools.product(range(4), (False, True)):
    view = np.rot90(cube[:, ::-1] if mirrored else cube, turns)
    back = np.rot90(jax.nn.softmax(tiny.dense_logits(net, params, stats, view, np.int32(0))), -turns)
    expected += (back[:, ::-1] if mirrored else back) / 8
  np.testing.assert_array_equal(votes.labels[0], expected.argmax(axis=-1))
  np.testing.assert_allclose(votes.probability[0], expected.max(axis=-1), atol=6e-4)
  plain = jax.nn.softmax(tiny.dense_logits(net, params, stats, cube, np.int32(0)))
  assert np.abs(plain.max(axis=-1) - expected.max(axis=-1)).max() > 0.01


def smooth_votes(pixels, devices=1, method="dense", **options):
  """Of one random network on the first scene, in tiles of so many pixels."""
  net = tiny.network()
  params, stats = tiny.weights(net)
  classifier = classify.Classifier(net, jax.devices()[:devices], method, pixels, SMOOTH)
  placed = classifier.place_snapshots([jax.tree.map(lambda x: x[None], {"params": params, "stats": stats})])
  part = classify.Part(padded_cubes(net)[0], 0, contrast=80.0, **options)
  return classifier.vote(placed, part, lambda: None)


def test_probabilities_are_smoothed_before_they_are_compared():
  net = tiny.network()
  cube, margin = padded_cubes(net)[0], net.patch // 2
  values = cube[margin:-margin, margin:-margin]
  measured = np.ones(values.shape[:2], bool)
  measured[3:6, 4] = False
  own = jax.nn.softmax(tiny.dense_logits(net, *tiny.weights(net), cube, np.int32(0)))
  expected = smoothing.smooth(own, smoothing.weights(values, measured, 80.0), SMOOTH.smoothing)
  votes = smooth_votes(4096, measured=measured)
  np.testing.assert_array_equal(votes.labels[0], np.argmax(expected, axis=-1))
  np.testing.assert_allclose(votes.probability[0], np.max(expected, axis=-1), atol=6e-4)
  assert (np.argmax(own, axis=-1) != votes.labels[0]).any(), "a map that stays would not show a difference"


@pytest.mark.parametrize(
  ("pixels", "devices", "method"), [(16, 1, "dense"), (30, 2, "dense"), (900, 1, "patches")]
)
def test_tiles_devices_and_method_change_nothing_of_a_smooth_map(pixels, devices, method):
  whole, tiled = smooth_votes(4096), smooth_votes(pixels, devices, method)
  np.testing.assert_array_equal(whole.labels, tiled.labels)
  np.testing.assert_allclose(whole.probability, tiled.probability, atol=1e-3)


def test_a_window_with_its_surroundings_gets_what_the_whole_scene_does():
  (height, width), reach, patch = tiny.SHAPES[0], SMOOTH.smoothing.steps, tiny.network().patch
  rows, columns = slice(reach + 1, height - reach), slice(0, width - reach)
  net, whole = tiny.network(), smooth_votes(4096)
  cube = padded_cubes(net)[0][1:, :]
  params, stats = tiny.weights(net)
  classifier = classify.Classifier(net, jax.devices()[:1], "dense", 16, SMOOTH)
  placed = classifier.place_snapshots([jax.tree.map(lambda x: x[None], {"params": params, "stats": stats})])
  assert cube.shape[0] == height + patch - 2
  part = classify.Part(cube, 0, 80.0, window=(slice(rows.start - 1, rows.stop - 1), columns))
  votes = classifier.vote(placed, part, lambda: None)
  np.testing.assert_array_equal(votes.labels, whole.labels[:, rows, columns])
