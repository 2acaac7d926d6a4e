"""Estimates the floating-point operations of an experiment before it runs."""

import functools
import math
import time
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend.core import jaxprs_in_params

from mtl_hsi.models.multitask import Network
from mtl_hsi.training.batches import steps_per_epoch

# Forward, gradient of the weights, gradient of the input.
_PASSES_IN_TRAINING = 3

# Share of the speed of a large product that remains with small products, gathering and the optimiser.
_SHARE_OF_LARGE_PRODUCT = 0.6

# 110 + 225 pairs of C and gamma, three folds each (see `baselines`).
_SVM_FITS = 1005

_TILE = 32  # pixels, side of the tile whose products are counted
_LARGE, _REPEATS = 1024, 20


class Size(NamedTuple):
  """The properties of a scene that determine its cost.

  Attributes:
    pixels: H * W.
    class_counts: labelled pixels of every class.
  """

  pixels: int
  class_counts: tuple[int, ...]

  def training_pixels(self, samples_per_class: int) -> int:
    """Training pixels of a split with n samples per class."""
    return sum(min(samples_per_class, count) for count in self.class_counts)


def size(labels: np.ndarray) -> Size:
  """Returns the size of a scene from its label image `[H, W]`."""
  return Size(labels.size, tuple(np.unique(labels[labels > 0], return_counts=True)[1].tolist()))


def svm(scene: Size, samples_per_class: int, bands: int) -> float:
  """Floating-point operations of the kernels that a grid search of an SVM and its classification evaluate."""
  pixels = scene.training_pixels(samples_per_class)
  return 2.0 * bands * pixels * (_SVM_FITS * pixels + scene.pixels)


def training(
  network: Network,
  training_pixels: list[int],
  *,
  batch_size: int,
  mixed: bool,
  drop_last: bool,
  epochs: int,
  steps: int | None = None,
) -> float:
  """Returns the floating-point operations of training one replica.

  Args:
    network: to train.
    training_pixels: of every scene.
    batch_size: N.
    mixed: see `batches.epoch_order`.
    drop_last: see `batches.steps_per_epoch`.
    epochs: all epochs.
    steps: of an epoch, or None where the training pixels decide.
  """
  steps = steps_per_epoch(
    np.array([training_pixels]), batch_size, mixed=mixed, drop_last=drop_last, fixed=steps
  )
  # A mixed batch has rows for every scene, most of them empty, that are computed all the same.
  patches = steps * batch_size * network.scenes
  return _PASSES_IN_TRAINING * _of_a_patch(network) * patches * epochs


def classification(network: Network, pixels: int, snapshots: int) -> float:
  """Returns the floating-point operations of dense classification with the snapshots of one replica."""
  return _of_a_dense_pixel(network) * pixels * snapshots


def large_product_speed() -> float:
  """Floating-point operations per second of a large float32 product on the default device, measured."""
  square = jnp.ones((_LARGE, _LARGE), jnp.float32)
  product = jax.jit(jnp.matmul)
  product(square, square).block_until_ready()
  times = []
  for _ in range(_REPEATS):
    start = time.perf_counter()
    product(square, square).block_until_ready()
    times.append(time.perf_counter() - start)
  return 2 * _LARGE**3 / min(times)


def expected_speed() -> float:
  """Returns the expected speed of experiments on this machine, in floating-point operations per second."""
  return _SHARE_OF_LARGE_PRODUCT * large_product_speed()


@functools.cache
def _of_a_patch(network):
  return _products(network, Network.patch_logits, (1, network.patch, network.patch))


@functools.cache
def _of_a_dense_pixel(network):
  side = _TILE + network.patch - 1
  return _products(network, Network.dense_logits, (side, side)) / _TILE**2


def _products(network, method, shape):
  """Floating-point operations of the matrix products in a method of the network."""
  params, stats = jax.eval_shape(network.init, jax.random.key(0))
  x = jax.ShapeDtypeStruct((*shape, network.stem.bands), np.float32)
  return _products_in(jax.make_jaxpr(functools.partial(method, network, scene=0))(params, stats, x).jaxpr)


def _products_in(jaxpr):
  total = 0.0
  for equation in jaxpr.eqns:
    if equation.primitive.name == "dot_general":
      (contracted, _), _ = equation.params["dimension_numbers"]
      depth = math.prod(equation.invars[0].aval.shape[axis] for axis in contracted)
      total += 2 * depth * math.prod(equation.outvars[0].aval.shape)
    inner = [_products_in(body) for body in jaxprs_in_params(equation.params)]
    # Where the platform decides, CPUs have the branch of least arithmetic. A loop is its body many times.
    once = min(inner) if equation.primitive.name == "cond" else sum(inner)
    total += once * (equation.params["length"] if equation.primitive.name == "scan" else 1)
  return total
