"""CCNN against the description of the author's network, written with XLA's convolutions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from mtl_hsi.models import ccnn
from tests import tiny


@pytest.mark.parametrize(("bands", "size"), [(103, 628_736), (160, 884_096)])
def test_extractor_has_the_papers_number_of_parameters(bands, size):
  params, stats = jax.eval_shape(tiny.network("ccnn", bands=bands, class_counts=(9,)).init, jax.random.key(0))
  assert sum(leaf.size for leaf in jax.tree.leaves((params["stem"], params["backbone"], stats))) == size


def test_classifier_has_129_parameters_a_class():
  params, _ = jax.eval_shape(tiny.network("ccnn", class_counts=(9,)).init, jax.random.key(0))
  assert sum(leaf.size for leaf in jax.tree.leaves(params["heads"])) == 129 * 9


def test_it_reads_patches_of_five_pixels():
  assert ccnn.PATCH == tiny.network("ccnn").patch == 5


def test_it_is_the_network_described():
  net = tiny.network("ccnn", class_counts=(4,))
  params, stats = tiny.weights(net)
  patches = tiny.batch(net).patches[0]
  result = tiny.patch_logits(net, params, stats, patches, np.int32(0))
  np.testing.assert_allclose(result, jax.jit(described)(params, stats, patches), rtol=1e-4, atol=1e-4)


def test_half_of_the_features_drop_out_before_each_of_the_last_two_layers():
  net = tiny.network("ccnn", class_counts=(128,))
  params, stats = tiny.weights(net)
  silent = {"kernel": np.zeros((128, 1, 1, 128), np.float32), "bias": np.ones(128, np.float32)}
  identity = {"kernel": np.eye(128, dtype=np.float32)[:, None, None], "bias": np.zeros(128, np.float32)}
  params["backbone"].update(last_0=silent, last_1=identity, last_2=identity)
  params["heads"] = {"kernel": np.eye(128, dtype=np.float32)[None], "bias": np.zeros((1, 128), np.float32)}
  batch = tiny.batch(net, samples=40)
  logits, _ = tiny.train_logits(net, params, stats, batch.patches, batch.valid, jax.random.key(0), frozen=())
  # A feature that both layers keep is doubled twice.
  assert set(np.unique(logits)) == {0, 4}
  assert np.mean(np.asarray(logits) == 4) == pytest.approx(1 / 4, abs=0.03)
  in_use = tiny.patch_logits(net, params, stats, batch.patches[0], np.int32(0))
  np.testing.assert_array_equal(in_use, np.ones((40, 128)))


def described(params, stats, x):
  """The multi-scale bank at 1 x 1, then 1 x 1 convolutions."""
  stem, backbone = params["stem"], params["backbone"]
  bank = [pool(conv(x, stem["conv1"])), pool(conv(x, stem["conv3"])), conv(x, stem["conv5"])]
  x = jnp.concatenate(bank, axis=-1)
  x = conv(norm(jax.nn.relu(x), backbone["norm1"], stats["norm1"]), backbone["conv1"])
  y = conv(norm(jax.nn.relu(x), backbone["norm2"], stats["norm2"]), backbone["residual1_0"])
  x = x + conv(jax.nn.relu(y), backbone["residual1_1"])
  y = conv(jax.nn.relu(x), backbone["residual2_0"])
  x = x + conv(jax.nn.relu(y), backbone["residual2_1"])
  x = jax.nn.relu(conv(jax.nn.relu(x), backbone["last_0"]))
  x = conv(jax.nn.relu(conv(x, backbone["last_1"])), backbone["last_2"])
  assert x.shape[1:] == (1, 1, 128)
  return x.reshape(len(x), 128) @ params["heads"]["kernel"][0] + params["heads"]["bias"]


def conv(x, layer):
  result = lax.conv_general_dilated(
    x, layer["kernel"], (1, 1), "VALID", dimension_numbers=("NHWC", "OHWI", "NHWC")
  )
  return result + layer["bias"].reshape(1, 1, 1, -1)


def pool(x):
  """Maximum over everything that is left: 5 x 5 after the 1 x 1 convolution, 3 x 3 after the 3 x 3 one."""
  return x.max(axis=(1, 2), keepdims=True)


def norm(x, layer, moving):
  y = (x - moving["mean"].reshape(1, 1, 1, -1)) / jnp.sqrt(moving["var"] + 1e-3).reshape(1, 1, 1, -1)
  return y * layer["scale"].reshape(1, 1, 1, -1) + layer["bias"].reshape(1, 1, 1, -1)
