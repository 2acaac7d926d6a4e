"""The average over all symmetries of the square."""

import itertools

import jax
import numpy as np

from mtl_hsi.classification import logits
from tests import tiny


def test_softmax_is_the_mean_over_all_eight_images_of_the_region():
  net = tiny.network("vresnet", patch=5, width=6, blocks=1)
  params, stats = tiny.weights(net)
  height, width = tiny.SHAPES[0]
  cube = np.random.default_rng(5).normal(0, 10, (height + 4, width + 4, tiny.BANDS)).astype(np.float32)

  def probabilities(view):
    return jax.nn.softmax(tiny.dense_logits(net, params, stats, view, np.int32(0)))

  expected = np.zeros((height, width, 4))
  for turns, mirrored in itertools.product(range(4), (False, True)):
    view = np.rot90(cube[:, ::-1] if mirrored else cube, turns)
    back = np.rot90(probabilities(view), -turns)
    expected += (back[:, ::-1] if mirrored else back) / 8
  mean = jax.jit(logits.average_symmetries(logits.dense), static_argnums=0)
  found = jax.nn.softmax(mean(net, params, stats, cube, np.int32(0)))
  np.testing.assert_allclose(found, expected, atol=1e-5)
  assert np.abs(probabilities(cube) - expected).max() > 0.01
