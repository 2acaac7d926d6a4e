"""Heads: linear classifiers on shared features. Classes that a scene lacks are masked here.

Every scene has a head, or all scenes share one. Scenes have different numbers of classes, but their heads are
stacked in one array that is padded to the largest number C; a shared head has an output for every class of
any scene. The logits of absent classes are minus infinity, so their probability is exactly 0.
Source: letter, section II-B, equation (3).
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import Array

from mtl_hsi.models.layers import KERNEL_INIT


def present_classes(class_counts: Sequence[int]) -> Array:
  """Returns which classes each scene has, bool `[T, C]`."""
  return jnp.arange(max(class_counts)).reshape(1, -1) < jnp.array(class_counts).reshape(-1, 1)


def present_outputs(outputs: Sequence[Sequence[int]]) -> Array:
  """Returns which outputs of a shared head each scene has, bool `[T + 1, C]`.

  The last row is that of an image of no scene of the network, which may have any class.

  Args:
    outputs: for every scene, the outputs that stand for its classes.
  """
  number = jnp.arange(1 + max(map(max, outputs)))
  return jnp.stack([*(jnp.isin(number, jnp.array(row)) for row in outputs), jnp.ones(number.shape, bool)])


def init_heads(key: Array, scenes: int, features: int, classes: int) -> dict[str, Array]:
  """Draws new heads: kernels `[T, D, C]` from N(0, 0.01), biases `[T, C]` of zeros."""
  kernels = jax.vmap(lambda k: KERNEL_INIT(k, (features, classes)))(jax.random.split(key, scenes))
  return {"kernel": kernels, "bias": jnp.zeros((scenes, classes))}


def head_of_scene(heads: dict[str, Array], scene: Array) -> dict[str, Array]:
  """Returns the kernel `[D, C]` and the bias `[C]` of one scene, selected by its index, or those of all."""
  return {name: stacked[scene if len(stacked) > 1 else 0] for name, stacked in heads.items()}


def head_logits(head: dict[str, Array], features: Array, present: Array) -> Array:
  """Computes the masked logits `[N, C]` of one scene.

  Args:
    head: kernel `[D, C]` and bias `[C]` of the scene.
    features: `[N, D]`.
    present: which classes the scene has, bool `[C]`, or the scene of every sample, bool `[N, C]`.
  """
  return mask_absent(features @ head["kernel"] + head["bias"].reshape(1, -1), present)


def mask_absent(logits: Array, present: Array) -> Array:
  """Sets the logits `[..., C]` of absent classes to minus infinity; `present` is bool `[C]` or `[..., C]`."""
  return jnp.where(present.reshape((1,) * (logits.ndim - present.ndim) + present.shape), logits, -jnp.inf)
