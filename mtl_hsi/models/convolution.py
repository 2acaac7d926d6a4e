"""Convolutions in two forms that agree up to rounding: as matrix products and as XLA's convolution.

`FORMS` has both by name. Dense classification uses products in either case. Products are the default on
every backend: inside a `lax.scan`, `lax.conv` uses a slow path of XLA on CPUs, and under `vmap` over weights
it becomes a grouped convolution, whereas a product remains a product. The form is not chosen by a timing at
the start: a resumed run could then end with other bits.

Kernels are `[O, k, k, D]`, outputs first. Their gradient is then a product that needs no transpose, which is
a sixth faster on CPUs.
"""

import functools
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from mtl_hsi.models.products import in_force, matmul


class Form(NamedTuple):
  """An implementation of the convolutions of patches.

  Attributes:
    valid: maps `x [..., H, W, D]` and a kernel `[O, k, k, D]` to `[..., H - k + 1, W - k + 1, O]`.
    same: pads with zeros and maps to `[..., H, W, O]`; k is odd.
  """

  valid: Callable[[Array, Array], Array]
  same: Callable[[Array, Array], Array]


def columns(x: Array, size: int) -> Array:
  """Gathers the k x k neighbourhood of every position in one row.

  Args:
    x: `[..., H, W, D]`.
    size: side k of the neighbourhood.

  Returns:
    `[..., H - k + 1, W - k + 1, k * k * D]`, taps in row-major order.
  """
  height, width = x.shape[-3] - size + 1, x.shape[-2] - size + 1
  taps = [x[..., i : i + height, j : j + width, :] for i in range(size) for j in range(size)]
  return jnp.concatenate(taps, axis=-1)


def valid(x: Array, kernel: Array) -> Array:
  """Cross-correlates without padding.

  Args:
    x: `[..., H, W, D]`.
    kernel: `[O, k, k, D]`.

  Returns:
    `[..., H - k + 1, W - k + 1, O]`.
  """
  outputs, size = kernel.shape[:2]
  rows = columns(x, size) if size > 1 else x
  product = _product(in_force(), rows.reshape(-1, rows.shape[-1]), kernel.reshape(outputs, -1))
  return product.reshape(*rows.shape[:-1], outputs)


def valid_region(x: Array, kernel: Array) -> Array:
  """Cross-correlates a large region without padding, in inference: its gradient would be slow.

  It does as `valid`, but never stores the columns of the whole region, which are k * k times its size.

  Args:
    x: `[H, W, D]`.
    kernel: `[O, k, k, D]`.

  Returns:
    `[H - k + 1, W - k + 1, O]`.
  """
  if kernel.shape[1] == 1:
    return valid(x, kernel)
  return lax.platform_dependent(x, kernel, cpu=valid_by_rows, default=valid_by_taps)


def valid_by_rows(x: Array, kernel: Array) -> Array:
  """Does as `valid_region`, one row of results at a time: its columns stay in a CPU core's cache."""
  size = kernel.shape[1]

  def row(index):
    return valid(lax.dynamic_slice_in_dim(x, index, size), kernel)[0]

  return lax.map(row, jnp.arange(x.shape[0] - size + 1))


def valid_by_taps(x: Array, kernel: Array) -> Array:
  """Does as `valid_region`, with one product for all taps, then their sum: a loop would leave a GPU idle."""
  outputs, size, _, inputs = kernel.shape
  height, width = x.shape[0] - size + 1, x.shape[1] - size + 1
  products = matmul(x, kernel.transpose(3, 1, 2, 0).reshape(inputs, -1))
  return sum(
    products[i : i + height, j : j + width, tap * outputs : (tap + 1) * outputs]
    for tap, (i, j) in enumerate(np.ndindex(size, size))
  )


def same(x: Array, kernel: Array) -> Array:
  """Cross-correlates with zero padding that keeps the size: `[..., H, W, D]` to `[..., H, W, O]`.

  The kernel `[O, k, k, D]` has an odd side k.
  """
  margin = kernel.shape[1] // 2
  edges = [(0, 0)] * (x.ndim - 3) + [(margin, margin), (margin, margin), (0, 0)]
  return valid(jnp.pad(x, edges), kernel)


def stride1_max(x: Array, size: int) -> Array:
  """Computes the maximum over every k x k window: `[..., H, W, D]` to `[..., H - k + 1, W - k + 1, D]`."""
  height, width = x.shape[-3] - size + 1, x.shape[-2] - size + 1
  rows = x[..., :height, :, :]
  for i in range(1, size):
    rows = jnp.maximum(rows, x[..., i : i + height, :, :])
  result = rows[..., :width, :]
  for j in range(1, size):
    result = jnp.maximum(result, rows[..., j : j + width, :])
  return result


def stride1_sum(x: Array, size: int) -> Array:
  """Computes the sum over every k x k window: `[..., H, W, D]` to `[..., H - k + 1, W - k + 1, D]`."""
  height, width = x.shape[-3] - size + 1, x.shape[-2] - size + 1
  rows = sum(x[..., i : i + height, :, :] for i in range(size))
  return sum(rows[..., j : j + width, :] for j in range(size))


@functools.partial(jax.custom_vjp, nondiff_argnums=(0,))
def _product(precision: str | None, rows: Array, kernel: Array) -> Array:
  """Multiplies `[M, K]` and `[O, K]` to `[M, O]`; the gradient has the precision of the product."""
  return matmul(rows, kernel.T)


def _product_forward(precision, rows, kernel):
  return _product(precision, rows, kernel), (rows, kernel)


def _product_backward(precision, residuals, cotangent):
  # Without the barrier, XLA transposes the cotangent and calls a product that is a quarter slower on CPUs.
  rows, kernel, cotangent = lax.optimization_barrier((*residuals, cotangent))
  with jax.default_matmul_precision(precision):
    return matmul(cotangent, kernel), matmul(cotangent.T, rows)


_product.defvjp(_product_forward, _product_backward)


def _xla(padding: str) -> Callable[[Array, Array], Array]:
  def convolve(x, kernel):
    images = x.reshape(-1, *x.shape[-3:])
    result = lax.conv_general_dilated(
      images, kernel, (1, 1), padding, dimension_numbers=("NHWC", "OHWI", "NHWC")
    )
    return result.reshape(*x.shape[:-3], *result.shape[1:])

  return convolve


FORMS = {"products": Form(valid, same), "xla": Form(_xla("VALID"), _xla("SAME"))}
