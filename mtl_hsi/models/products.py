"""Matrix products in the precision that an experiment asks for."""

import contextlib

import jax
import jax.numpy as jnp
from jax import Array

# What JAX calls them. Sums are float32 in all of them.
_BFLOAT16 = "BF16_BF16_F32"
PRECISIONS = {"float32": "highest", "tf32": "tensorfloat32", "bfloat16": _BFLOAT16}


def precision(name: str) -> contextlib.AbstractContextManager:
  """Within it functions are compiled with products of this precision, of `PRECISIONS`.

  TF32 (10 bits of mantissa) means something on NVIDIA GPUs only; elsewhere it is float32.
  """
  return jax.default_matmul_precision(PRECISIONS[name])


def in_force() -> str | None:
  """JAX's name of the context's precision."""
  return jax.config.jax_default_matmul_precision


def matmul(a: Array, b: Array) -> Array:
  """`jnp.matmul` of float32 arrays in the precision of the context; its own gradient is not cared for."""
  # JAX leaves it to the backend whether operands are rounded to bfloat16, and CPUs do not.
  if in_force() == _BFLOAT16:
    a, b = a.astype(jnp.bfloat16), b.astype(jnp.bfloat16)
    return jnp.matmul(a, b, preferred_element_type=jnp.float32)
  return jnp.matmul(a, b)
