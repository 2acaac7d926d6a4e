"""VResNet against its description, written with XLA's convolutions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from mtl_hsi.errors import RequestError
from tests import tiny

SMALL = {"patch": 7, "width": 6, "blocks": 2}


def test_it_is_the_network_described():
  net = tiny.network("vresnet", class_counts=(4,), **SMALL)
  params, stats = tiny.weights(net)
  patches = tiny.batch(net).patches[0]
  result = tiny.patch_logits(net, params, stats, patches, np.int32(0))
  np.testing.assert_allclose(result, jax.jit(described)(params, stats, patches), rtol=1e-4, atol=1e-4)


def described(params, stats, x):
  """A 1x1 convolution, two 3x3 ones with skips that lose the border, the mean of what is left, dense."""
  backbone = params["backbone"]
  x = conv(x, params["stem"]["conv"])
  for block in ("residuals_0", "residuals_1"):
    norm, moving = backbone[block]["norm"], stats[block]["norm"]
    y = conv(x, backbone[block]["conv"])
    y = (y - moving["mean"].reshape(1, 1, 1, -1)) / jnp.sqrt(moving["var"] + 1e-3).reshape(1, 1, 1, -1)
    y = y * norm["scale"].reshape(1, 1, 1, -1) + norm["bias"].reshape(1, 1, 1, -1)
    x = x[:, 1:-1, 1:-1] + jax.nn.gelu(y)
  assert x.shape[1:] == (3, 3, 6)
  return x.mean(axis=(1, 2)) @ params["heads"]["kernel"][0] + params["heads"]["bias"]


def conv(x, layer):
  result = lax.conv_general_dilated(
    x, layer["kernel"], (1, 1), "VALID", dimension_numbers=("NHWC", "OHWI", "NHWC")
  )
  return result + layer["bias"].reshape(1, 1, 1, -1)


def test_parameters_are_those_of_its_layers():
  net = tiny.network("vresnet", bands=200, class_counts=(16,), patch=13, width=64, blocks=4)
  params, _ = jax.eval_shape(net.init, jax.random.key(0))
  sizes = {group: sum(leaf.size for leaf in jax.tree.leaves(params[group])) for group in params}
  assert sizes == {"stem": 201 * 64, "backbone": 4 * (9 * 64 * 64 + 3 * 64), "heads": 65 * 16}
  assert net.patch == 13


@pytest.mark.parametrize(
  ("changes", "message"),
  [
    ({"patch": 6}, r"model\.patch is 6; expected an odd number of at least 5, since each of the 2 residual"),
    ({"patch": 3}, r"model\.patch is 3; expected an odd number of at least 5"),
    ({"patch": None}, r"model\.patch is None; vresnet needs a number of 1 or more, as in configs/best\.py"),
    ({"width": 0}, r"model\.width is 0; vresnet needs a number of 1 or more"),
    ({"blocks": 0}, r"model\.blocks is 0; vresnet needs a number of 1 or more"),
    ({"pool": True}, r"model\.pool is True, but vresnet has no such option; set it to False"),
  ],
)
def test_impossible_networks_are_refused(changes, message):
  with pytest.raises(RequestError, match=message):
    tiny.network("vresnet", **{**SMALL, **changes})


def test_a_patch_may_be_used_up_to_its_centre():
  net = tiny.network("vresnet", **{**SMALL, "patch": 5})
  params, stats = tiny.weights(net)
  padded = np.random.default_rng(0).normal(size=(6, 5, tiny.BANDS)).astype(np.float32)
  dense = tiny.dense_logits(net, params, stats, padded, np.int32(0))
  by_patch = tiny.patch_logits(net, params, stats, tiny.all_patches(padded, 5), np.int32(0))
  np.testing.assert_allclose(dense.reshape(by_patch.shape), by_patch, rtol=1e-4, atol=1e-4)
