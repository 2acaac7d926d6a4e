"""HResNet against the description of the author's network, written with XLA's convolutions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from mtl_hsi.models import hresnet
from tests import tiny


def extractor_size(net) -> int:
  """Parameters of everything but the heads, BatchNorm's moving statistics included."""
  params, stats = jax.eval_shape(net.init, jax.random.key(0))
  return sum(leaf.size for leaf in jax.tree.leaves((params["stem"], params["backbone"], stats)))


@pytest.mark.parametrize(
  ("bands", "blocks", "size"), [(103, 1, 133_504), (160, 1, 166_336), (103, 2, 207_616), (160, 2, 240_448)]
)
def test_extractor_has_the_authors_number_of_parameters(bands, blocks, size):
  assert extractor_size(tiny.network(bands=bands, class_counts=(9,), blocks=blocks)) == size


@pytest.mark.parametrize(("pool", "features"), [(False, 3136), (True, 64)])
def test_a_class_costs_one_weight_a_feature_and_a_bias(pool, features):
  params, _ = jax.eval_shape(tiny.network(class_counts=(9,), pool=pool).init, jax.random.key(0))
  assert params["heads"]["kernel"].shape == (1, features, 9)
  assert params["heads"]["bias"].shape == (1, 9)


def test_it_reads_patches_of_nine_pixels():
  assert hresnet.PATCH == tiny.network().patch == 9


@pytest.mark.parametrize(("blocks", "pool"), [(1, False), (1, True), (2, False)])
def test_it_is_the_network_described(blocks, pool):
  net = tiny.network(class_counts=(4,), blocks=blocks, pool=pool)
  params, stats = tiny.weights(net)
  patches = tiny.batch(net).patches[0]
  expected = jax.jit(described, static_argnums=(3, 4))(params, stats, patches, blocks, pool)
  result = tiny.patch_logits(net, params, stats, patches, np.int32(0))
  np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-4)


def described(params, stats, x, blocks, pool):
  """Two 3x3x32 valid convolutions side by side, residual blocks, dense."""
  stem = params["stem"]["conv"]
  halves = [
    conv(x, {name: leaf[half] for name, leaf in stem.items()}, "VALID") for half in np.split(np.arange(64), 2)
  ]
  x = jnp.concatenate(halves, axis=-1)
  for block in range(blocks):
    residual, moving = params["backbone"][f"residuals_{block}"], stats[f"residuals_{block}"]["norm"]
    norm = residual["norm"]
    y = (x - moving["mean"].reshape(1, 1, 1, -1)) / jnp.sqrt(moving["var"] + 1e-3).reshape(1, 1, 1, -1)
    y = y * norm["scale"].reshape(1, 1, 1, -1) + norm["bias"].reshape(1, 1, 1, -1)
    y = jax.nn.relu(conv(jax.nn.relu(y), residual["conv1"], "SAME"))
    x = x + conv(y, residual["conv2"], "SAME")
  features = x.mean(axis=(1, 2)) if pool else x.reshape(len(x), -1)
  return features @ params["heads"]["kernel"][0] + params["heads"]["bias"]


def conv(x, layer, padding):
  result = lax.conv_general_dilated(
    x, layer["kernel"], (1, 1), padding, dimension_numbers=("NHWC", "OHWI", "NHWC")
  )
  return result + layer["bias"].reshape(1, 1, 1, -1)
