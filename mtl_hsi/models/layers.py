"""The layers of all models, with the initialisation and constants of the author's code."""

import math
from collections.abc import Callable

import flax.linen as nn
import jax.numpy as jnp
from jax import Array, lax

from mtl_hsi.models import convolution

# N(0, 0.01) for every kernel, zero for every bias (author's Keras code).
_KERNEL_DEVIATION = 0.01
KERNEL_INIT = nn.initializers.normal(_KERNEL_DEVIATION)

# Keras constants of the author's BatchNormalization layers.
MOMENTUM = 0.9
_EPSILON = 1e-3


def glorot(kernel: Array, inputs: int, outputs: int) -> Array:
  """Rescales a kernel drawn by `KERNEL_INIT` to the standard deviation that its fan-in and fan-out call for.

  Source: Glorot & Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010).
  """
  return kernel * (math.sqrt(2 / (inputs + outputs)) / _KERNEL_DEVIATION)


class Convolution(nn.Module):
  """A convolution with bias: `[..., H, W, D]` to `[..., H', W', features]`.

  Attributes:
    features: output channels.
    size: side of the kernel.
    inputs: input channels D.
    convolve: `valid` or `same` of a `convolution.Form`.
  """

  features: int
  size: int
  inputs: int
  convolve: Callable[[Array, Array], Array]

  def setup(self):
    self.kernel = self.param("kernel", KERNEL_INIT, (self.features, self.size, self.size, self.inputs))
    self.bias = self.param("bias", nn.initializers.zeros, (self.features,))

  def __call__(self, x: Array) -> Array:
    return self.convolve(x, self.kernel) + _to_rank(self.bias, x.ndim)

  def region(self, x: Array) -> Array:
    """Convolves a large region `[H, W, D]` without padding, in inference only."""
    return convolution.valid_region(x, self.kernel) + _to_rank(self.bias, x.ndim)


class BatchNorm(nn.Module):
  """Batch normalisation of a step's batch of several scenes.

  In training, the statistics are those of the step's valid samples, either per scene (`per_scene`) or joint
  over all scenes. Inference uses moving statistics of the same kind: one set per scene, or one for all.
  Scenes differ in level, so statistics per scene in training and one set in inference would fit no scene.

  Attributes:
    features: channels D.
    scenes: number of scenes T.
    per_scene: whether statistics are kept per scene instead of jointly.
  """

  features: int
  scenes: int
  per_scene: bool

  def setup(self):
    rows = self.scenes if self.per_scene else 1
    self.scale = self.param("scale", nn.initializers.ones, (self.features,))
    self.bias = self.param("bias", nn.initializers.zeros, (self.features,))
    self.mean = self.variable("batch_stats", "mean", jnp.zeros, (rows, self.features))
    self.var = self.variable("batch_stats", "var", jnp.ones, (rows, self.features))

  def __call__(self, x: Array, valid: Array, train: bool) -> Array:
    """Normalises `x [T, N, ..., D]`; `valid` bool `[T, N]` marks the samples that count."""
    if train:
      mean, var = self._batch_statistics(x, valid)
    else:
      mean, var = (_rows_to_rank(moving.value, x.ndim) for moving in (self.mean, self.var))
    return self._normalise(x, mean, var)

  def scene(self, x: Array, scene: Array) -> Array:
    """Normalises `x [..., D]` by the moving statistics of one scene, given by its index."""
    row = scene if self.per_scene else 0
    return self._normalise(x, _to_rank(self.mean.value[row], x.ndim), _to_rank(self.var.value[row], x.ndim))

  def _normalise(self, x, mean, var):
    factor = lax.rsqrt(var + _EPSILON) * _to_rank(self.scale, x.ndim)
    return x * factor + (_to_rank(self.bias, x.ndim) - mean * factor)

  def _batch_statistics(self, x, valid):
    """Returns mean and variance over the valid samples and updates the moving statistics."""
    weight = valid.astype(x.dtype).reshape(valid.shape + (1,) * (x.ndim - 2))
    axes = tuple(range(1 if self.per_scene else 0, x.ndim - 1))
    count = jnp.sum(weight, axis=axes, keepdims=True) * x[0, 0, ..., 0].size
    safe = jnp.maximum(count, 1)
    mean = jnp.sum(x * weight, axis=axes, keepdims=True) / safe
    var = jnp.sum(jnp.square(x - mean) * weight, axis=axes, keepdims=True) / safe
    if not self.is_initializing():
      seen = count.reshape(-1, 1) > 0
      for moving, batch in ((self.mean, mean), (self.var, var)):
        moved = MOMENTUM * moving.value + (1 - MOMENTUM) * batch.reshape(moving.value.shape)
        moving.value = jnp.where(seen, moved, moving.value)
    return mean, var


def _to_rank(vector: Array, rank: int) -> Array:
  """Reshapes `[D]` to `[1, ..., 1, D]`."""
  return vector.reshape((1,) * (rank - 1) + vector.shape)


def _rows_to_rank(rows: Array, rank: int) -> Array:
  """Reshapes `[T, D]` to `[T, 1, ..., 1, D]`."""
  return rows.reshape(rows.shape[:1] + (1,) * (rank - 2) + rows.shape[1:])
