"""Checks that both sides do the same job, without which no time means anything."""

import jax
import jax.numpy as jnp
import numpy as np
import torch

from benchmarks import pytorch_peer
from benchmarks.job import Job, Samples
from mtl_hsi import train

# Of a scene's pixels, two rounding errors may tip as many into another class.
_TIES = 1e-3


def check_network_and_step(job: Job) -> None:
  """Same logits in use, and same loss and weights after an update, of the same random network on one batch.

  Raises:
    AssertionError: they differ beyond rounding.
  """
  network, make_optimizer = job.given.network, job.options.make_optimizer
  patches, classes = (rows[:: len(rows) // job.options.batch_size] for rows in job.sets[0])
  params, stats = _random_weights(network)
  expected = network.patch_logits(params, stats, jnp.asarray(patches), 0)
  valid = jnp.ones((1, len(classes)), bool)
  batch = train.Batch(jnp.asarray(patches)[None], jnp.asarray(classes)[None], valid, valid / len(classes))
  rate = job.adadelta["lr"]
  state = train.start_phase({"params": params, "stats": stats}, make_optimizer, rate, ())
  step = jax.jit(train.make_train_step(network, make_optimizer, ()))
  state, entropies = step(state, batch, rate, jax.random.key(0))
  weights = pytorch_peer.weights_of(params, stats)
  updated = pytorch_peer.weights_of(*jax.tree.map(np.asarray, (state["params"], state["stats"])))
  for name, layout in pytorch_peer.LAYOUTS.items():
    peer = pytorch_peer.Training(
      weights, Samples(patches, classes), layout, batch_size=len(classes), optimizer=job.adadelta
    )
    with torch.inference_mode():
      _check_close(peer.network.eval()(peer.patches), expected, f"logits, {name}")
    peer.network.train()
    _check_close(peer.step(torch.arange(len(classes))), jnp.mean(entropies), f"loss, {name}")
    for key, value in peer.network.named_parameters():
      _check_close(value.detach(), updated[key], f"{key} after an update, {name}")


def _check_close(actual, expected, what):
  np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5, err_msg=what, verbose=False)


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
