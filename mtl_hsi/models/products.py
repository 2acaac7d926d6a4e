"""Matrix products in the precision that a config chooses."""

import contextlib

import jax
import jax.numpy as jnp
from jax import Array

# JAX's names of the precisions. All of them sum in float32.
_BFLOAT16 = "BF16_BF16_F32"
PRECISIONS = {"float32": "highest", "tf32": "tensorfloat32", "bfloat16": _BFLOAT16}


def precision(name: str) -> contextlib.AbstractContextManager:
  """Returns a context in which functions are compiled with products of a precision, a key of `PRECISIONS`.

  TF32 (10 bits of mantissa) exists on NVIDIA GPUs only; elsewhere it is float32.
  """
  return jax.default_matmul_precision(PRECISIONS[name])


def in_force() -> str | None:
  """Returns JAX's name of the precision of the current context."""
  return jax.config.jax_default_matmul_precision


def matmul(a: Array, b: Array) -> Array:
  """Multiplies float32 arrays in the precision of the current context.

  Its automatic gradient may have another precision; `convolution.valid` defines that of convolutions.
  """
  # Whether operands are rounded to bfloat16 depends on the backend: CPUs do not round them.
  if in_force() == _BFLOAT16:
    a, b = a.astype(jnp.bfloat16), b.astype(jnp.bfloat16)
    return jnp.matmul(a, b, preferred_element_type=jnp.float32)
  return jnp.matmul(a, b)
