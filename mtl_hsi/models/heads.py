"""Heads: one linear classifier per scene on shared features. Classes that a scene lacks are masked here.

Scenes have different numbers of classes, but their heads are stacked in one array that is padded to the
largest number C. The logits of absent classes are minus infinity, so their probability is exactly 0.
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


def init_heads(key: Array, scenes: int, features: int, classes: int) -> dict[str, Array]:
  """Draws new heads: kernels `[T, D, C]` from N(0, 0.01), biases `[T, C]` of zeros."""
  kernels = jax.vmap(lambda k: KERNEL_INIT(k, (features, classes)))(jax.random.split(key, scenes))
  return {"kernel": kernels, "bias": jnp.zeros((scenes, classes))}


def head_of_scene(heads: dict[str, Array], scene: Array) -> dict[str, Array]:
  """Returns the kernel `[D, C]` and the bias `[C]` of one scene, selected by its index."""
  return {name: stacked[scene] for name, stacked in heads.items()}


def head_logits(head: dict[str, Array], features: Array, present: Array) -> Array:
  """Computes the masked logits `[N, C]` of one scene.

  Args:
    head: kernel `[D, C]` and bias `[C]` of the scene.
    features: `[N, D]`.
    present: which classes the scene has, bool `[C]`.
  """
  return mask_absent(features @ head["kernel"] + head["bias"].reshape(1, -1), present)


def mask_absent(logits: Array, present: Array) -> Array:
  """Sets the logits `[..., C]` of absent classes to minus infinity; `present` is bool `[C]`."""
  return jnp.where(present.reshape((1,) * (logits.ndim - 1) + present.shape), logits, -jnp.inf)
