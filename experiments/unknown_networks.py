"""Short trainings of one network without a class, with or without a second head that reconstructs spectra."""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from mtl_hsi.models.heads import mask_absent
from mtl_hsi.models.multitask import Network
from mtl_hsi.models.registry import make_network
from mtl_hsi.training import patches
from mtl_hsi.training.patches import Pixels

STEPS, BATCH = 200, 32
_PEAK, _DECAY, _SMOOTHING = 2e-3, 0.05, 0.1
# Weight of the reconstruction, as in Liu, Shi and Zhang; its error is the mean absolute one.
RECONSTRUCTION = 0.5
# Patches whose features are computed at once.
_CHUNK = 256


class Trained(NamedTuple):
  """Weights of a network with a second head, "decoder", and the statistics of its norms."""

  params: dict
  stats: dict


def make(channels: int, classes: int) -> Network:
  """Returns the network of configs/fields.py for one scene."""
  return make_network(
    "vresnet", bands=channels, class_counts=(classes,), spectral_knowledge=True, norm_per_scene=True,
    blocks=4, pool=False, glorot=True, convolution="products", patch=9, width=64,
  )  # fmt: skip


@functools.partial(jax.jit, static_argnames=("network", "bands", "weight"))
def train(
  network: Network,
  pixels: Pixels,
  centres: jax.Array,
  classes: jax.Array,
  count: jax.Array,
  present: jax.Array,
  key: jax.Array,
  *,
  bands: int,
  weight: float,
) -> Trained:
  """Trains a network with drawn batches in all symmetries.

  Args:
    network: from `make`.
    pixels: of the scene.
    centres: rows and columns of the training pixels, padded, int32 `[M, 2]`.
    classes: their outputs, int32 `[M]`.
    count: number of training pixels.
    present: classes that train, bool `[C]`.
    key: random key.
    bands: channels that the second head reconstructs: the first ones of the pixel.
    weight: of the reconstruction in the loss; 0 trains the classifier alone.
  """
  start, steps_key = jax.random.split(key)
  params, stats = network.init(start)
  features = network.backbone.features
  params |= {"decoder": {"kernel": jnp.zeros((features, bands)), "bias": jnp.zeros(bands)}}
  schedule = optax.warmup_cosine_decay_schedule(0, _PEAK, STEPS // 10, STEPS)
  tx = optax.adamw(schedule, weight_decay=_DECAY)

  def loss(params, stats, rows, symmetry):
    x = patches.gather(pixels, jnp.zeros_like(rows), centres[rows], symmetry, network.patch)
    found, moved = _features(network, params, stats, x, train=True)
    logits = mask_absent(_head(params["heads"], found), present)
    targets = optax.smooth_labels(jax.nn.one_hot(classes[rows], present.size), _SMOOTHING) * present
    total = optax.softmax_cross_entropy(logits, targets, where=jnp.broadcast_to(present, logits.shape)).mean()
    if weight:
      centre = x[:, network.patch // 2, network.patch // 2, :bands]
      error = jnp.abs(_decoded(params, found) - centre).mean()
      total = (1 - weight) * total + weight * error
    return total, moved

  def step(state, key):
    params, stats, opt = state
    draw, turn = jax.random.split(key)
    rows = jax.random.randint(draw, (BATCH,), 0, count)
    symmetry = jax.random.randint(turn, (BATCH,), 0, len(patches.SYMMETRIES))
    grads, stats = jax.grad(loss, has_aux=True)(params, stats, rows, symmetry)
    updates, opt = tx.update(grads, opt, params)
    return (optax.apply_updates(params, updates), stats, opt), None

  state, _ = jax.lax.scan(step, (params, stats, tx.init(params)), jax.random.split(steps_key, STEPS))
  return Trained(*state[:2])


def outputs(network: Network, trained: Trained, pixels: Pixels, places: np.ndarray, bands: int) -> dict:
  """Returns "features" `[n, D]`, "logits" `[n, C]` and "error" `[n]`, that of the reconstructed spectrum."""
  parts = []
  for start in range(0, len(places), _CHUNK):
    rows = places[start : start + _CHUNK]
    filled = np.concatenate([rows, np.repeat(rows[-1:], _CHUNK - len(rows), axis=0)])
    found = _outputs(network, trained, pixels, filled, bands)
    parts.append(found)
  return jax.tree.map(lambda *x: np.concatenate(x)[: len(places)], *parts)


@functools.partial(jax.jit, static_argnames=("network", "bands"))
def _outputs(network, trained, pixels, places, bands):
  zeros = jnp.zeros(len(places), jnp.int32)
  x = patches.gather(pixels, zeros, places, zeros, network.patch)
  found, _ = _features(network, trained.params, trained.stats, x, train=False)
  centre = x[:, network.patch // 2, network.patch // 2, :bands]
  error = jnp.linalg.norm(_decoded(trained.params, found) - centre, axis=-1)
  return {"features": found, "logits": _head(trained.params["heads"], found), "error": error}


def _features(network, params, stats, x, *, train):
  maps = network.stem.apply({"params": params["stem"]}, x[None])
  variables = {"params": params["backbone"], "batch_stats": stats}
  valid = jnp.ones(maps.shape[:2], bool)
  found, moved = network.backbone.apply(variables, maps, valid, train=train, mutable=["batch_stats"])
  return found[0], moved.get("batch_stats", stats)


def _head(heads, features):
  return features @ heads["kernel"][0] + heads["bias"][0].reshape(1, -1)


def _decoded(params, features):
  return features @ params["decoder"]["kernel"] + params["decoder"]["bias"].reshape(1, -1)
