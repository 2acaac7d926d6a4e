"""Checks that both sides do the same job, without which no time means anything."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import torch

from benchmarks import pytorch_peer
from mtl_hsi import train
from mtl_hsi.models.multitask import Network
from mtl_hsi.optim import Factory

# Of a scene's pixels, two rounding errors may tip as many into another class.
_TIES = 1e-3


def check_network_and_step(
  network: Network,
  make_optimizer: Factory,
  patches: np.ndarray,
  classes: np.ndarray,
  optimizer: dict[str, float],
) -> None:
  """Same logits in use, and same weights after an update, from the same random weights on the same batch.

  Args:
    network: ours.
    make_optimizer: ours.
    patches: the batch `[N, P, P, B]`.
    classes: class indices `[N]`.
    optimizer: arguments of PyTorch's Adadelta.

  Raises:
    AssertionError: there is a difference beyond rounding.
  """
  params, stats = _random_weights(network)
  before = pytorch_peer.weights_of(params, stats)
  expected = network.patch_logits(params, stats, jnp.asarray(patches), 0)
  valid = jnp.ones((1, len(classes)), bool)
  batch = train.Batch(jnp.asarray(patches)[None], jnp.asarray(classes)[None], valid, valid / len(classes))
  state = train.start_phase({"params": params, "stats": stats}, make_optimizer, optimizer["lr"], ())
  step = jax.jit(train.make_train_step(network, make_optimizer, ()))
  state, entropies = step(state, batch, optimizer["lr"], jax.random.key(0))
  after = pytorch_peer.weights_of(*jax.tree.map(np.asarray, (state["params"], state["stats"])))
  for name, layout in pytorch_peer.LAYOUTS.items():
    close = functools.partial(np.testing.assert_allclose, rtol=1e-4, atol=1e-5, verbose=False)
    peer = pytorch_peer.Training(
      before, patches, classes, layout, batch_size=len(classes), optimizer=optimizer
    )
    with torch.inference_mode():
      close(peer.network.eval()(peer.patches), expected, err_msg=f"logits, {name}")
    peer.network.train()
    close(peer.step(torch.arange(len(classes))), jnp.mean(entropies), err_msg=f"loss, {name}")
    for key, value in peer.network.named_parameters():
      close(value.detach(), after[key], err_msg=f"{key} after one update, {name}")


def check_labels(ours: np.ndarray, peer: np.ndarray) -> None:
  """Same label for every pixel but near-ties.

  Raises:
    AssertionError: more than one pixel in a thousand differs.
  """
  different = int(np.sum(ours != peer))
  assert different <= _TIES * peer.size, f"{different} of {peer.size} labels differ"
  print(f"labels from equal weights: {different} of {peer.size} differ")


def _random_weights(network):
  """A fresh network with every number moved, so that none hides by being 0 or 1."""
  generator = np.random.default_rng(0)

  def moved(x):
    change = generator.uniform(0.01, 0.05, x.shape) * generator.choice([-1, 1], x.shape)
    return np.asarray(x + change, np.float32)

  return jax.tree.map(moved, network.init(jax.random.key(0)))
