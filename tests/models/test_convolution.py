"""Convolutions as products, against SciPy's correlation and XLA's convolution."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import signal

from mtl_hsi.models import convolution

GENERATOR = np.random.default_rng(0)
IMAGES = GENERATOR.normal(size=(1, 2, 7, 6, 4)).astype(np.float32)


def kernel(size: int) -> np.ndarray:
  return GENERATOR.normal(size=(5, size, size, 4)).astype(np.float32)


def correlate(x, weights, mode):
  """Sum over input channels of SciPy's two-dimensional correlations."""
  outputs = [
    sum(signal.correlate(x[..., d], weights[o, ..., d], mode) for d in range(x.shape[-1]))
    for o in range(len(weights))
  ]
  return np.stack(outputs, axis=-1)


@pytest.mark.parametrize("form", convolution.FORMS)
@pytest.mark.parametrize("mode", ["valid", "same"])
@pytest.mark.parametrize("size", [1, 3, 5])
def test_convolutions_are_scipy_correlations(form, mode, size):
  weights = kernel(size)
  result = jax.jit(getattr(convolution.FORMS[form], mode))(IMAGES, weights)
  for i, j in np.ndindex(1, 2):
    np.testing.assert_allclose(result[i, j], correlate(IMAGES[i, j], weights, mode), atol=1e-4)


# CPUs compute regions by rows, other devices by taps; both must work here.
REGIONS = [convolution.valid_region, convolution.valid_by_rows, convolution.valid_by_taps]


@pytest.mark.parametrize("function", REGIONS)
@pytest.mark.parametrize("size", [1, 3, 5])
def test_every_window_of_a_region_gives_the_result_of_its_patch(size, function):
  region, weights = IMAGES[0, 1], kernel(size)
  result = jax.jit(function)(region, weights)
  assert result.shape == (region.shape[0] - size + 1, region.shape[1] - size + 1, 5)
  for row, column in np.ndindex(result.shape[:2]):
    patch = region[row : row + size, column : column + size]
    np.testing.assert_allclose(result[row, column], np.tensordot(weights, patch, 3), atol=1e-4)


@pytest.mark.parametrize("mode", ["valid", "same"])
@pytest.mark.parametrize("size", [1, 3])
def test_both_forms_have_equal_gradients(mode, size):
  images, weights = IMAGES[0], kernel(size)

  def gradients(convolve):
    return jax.jit(jax.grad(lambda x, k: jnp.sum(jnp.sin(convolve(x, k))), argnums=(0, 1)))(images, weights)

  products, xla = (gradients(getattr(convolution.FORMS[form], mode)) for form in ("products", "xla"))
  for one, other in zip(products, xla, strict=True):
    np.testing.assert_allclose(one, other, atol=2e-4)


def test_a_tap_reads_its_own_neighbour():
  weights = np.zeros((5, 3, 3, 4), np.float32)
  weights[3, 0, 2, 1] = 1
  result = convolution.same(IMAGES[0], weights)
  np.testing.assert_allclose(result[:, 1:, :-1, 3], IMAGES[0, :, :-1, 1:, 1])
  assert not np.any(result[:, 0]), "above the first row is nothing but zeros"
  assert not np.any(result[:, :, -1]), "right of the last column is nothing but zeros"


@pytest.mark.parametrize("function", [convolution.valid, convolution.same])
def test_a_product_stays_a_product_when_trained_under_vmap(function):
  def loss(weights):
    return jnp.sum(function(IMAGES[0], weights) ** 2)

  program = jax.jit(jax.vmap(jax.grad(loss))).lower(jnp.stack([kernel(3), kernel(3)])).as_text()
  assert "dot_general" in program
  assert "stablehlo.convolution" not in program, "XLA's convolution is slow inside a scan on CPUs"


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_sum_of_every_window(size):
  windows = np.lib.stride_tricks.sliding_window_view(IMAGES, (size, size), axis=(2, 3))
  np.testing.assert_allclose(convolution.stride1_sum(IMAGES, size), windows.sum(axis=(-2, -1)), atol=1e-5)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_maximum_of_every_window(size):
  windows = np.lib.stride_tricks.sliding_window_view(IMAGES, (size, size), axis=(2, 3))
  np.testing.assert_array_equal(convolution.stride1_max(IMAGES, size), windows.max(axis=(-2, -1)))
