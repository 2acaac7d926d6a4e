"""A backbone without batch normalisation, added as docs/architecture.md describes."""

import sys

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mtl_hsi.models import registry
from mtl_hsi.models.backbone import Parts
from mtl_hsi.models.multitask import Network
from tests import tiny


class Stem(nn.Module):
  bands: int

  @nn.compact
  def __call__(self, x):
    return nn.tanh(nn.Dense(8)(x))

  def dense(self, x):
    return self(x)


class Backbone(nn.Module):
  """The mean over a 3 x 3 patch, then a dense layer."""

  features: int = 6

  def setup(self):
    self.layer = nn.Dense(self.features)

  def __call__(self, x, valid, train):
    return nn.tanh(self.layer(jnp.mean(x, axis=(2, 3))))

  def dense(self, x, kernel, bias, scene):
    height, width = x.shape[0] - 2, x.shape[1] - 2
    shifted = [x[i : i + height, j : j + width] for i in range(3) for j in range(3)]
    return nn.tanh(self.layer(sum(shifted) / 9)) @ kernel + bias.reshape(1, 1, -1)


def check(options):
  options.refuse_unused("mean")


def build(options, layout):
  return Parts(Stem(layout.bands), Backbone(), 3)


@pytest.fixture(params=[True, False], ids=["shared stem", "stem per scene"])
def net(request, monkeypatch):
  monkeypatch.setitem(registry.MODELS, "mean", sys.modules[__name__])
  return tiny.network("mean", spectral_knowledge=request.param, glorot=True)


def test_it_trains_without_batch_statistics(net):
  params, stats = tiny.init(net, jax.random.key(0))
  assert stats == {}
  batch = tiny.batch(net)

  def loss(params):
    logits, moved = net.train_logits(params, stats, batch.patches, batch.valid, jax.random.key(0), ())
    assert moved == {}
    return jnp.sum(logits[:, :, 0] ** 2)

  gradient = jax.jit(jax.grad(loss))(params)
  assert all(np.abs(x).max() > 0 for x in jax.tree.leaves(gradient["backbone"]))
  assert net.batch_statistics(params, stats, batch.patches, batch.valid) == {}


def test_dense_classification_equals_that_of_patches(net):
  params, stats = tiny.init(net, jax.random.key(0))
  padded = np.random.default_rng(0).normal(size=(7, 6, tiny.BANDS)).astype(np.float32)
  dense = tiny.dense_logits(net, params, stats, padded, np.int32(1))
  by_patch = tiny.patch_logits(net, params, stats, tiny.all_patches(padded, 3), np.int32(1))
  np.testing.assert_allclose(dense.reshape(by_patch.shape), by_patch, rtol=1e-4, atol=1e-5)
  assert (np.asarray(dense[..., 2:]) == -np.inf).all()


def test_a_module_that_lacks_a_member_is_refused_with_its_name():
  with pytest.raises(TypeError, match=r"Dense lacks bands, dense; see mtl_hsi/models/backbone\.py"):
    Network(nn.Dense(3), Backbone(), 3, (2,), True, False)
