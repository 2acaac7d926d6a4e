"""Products in less than full precision."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from mtl_hsi.models import convolution, products, window
from tests import tiny

GENERATOR = np.random.default_rng(0)
ROWS = GENERATOR.normal(size=(30, 40)).astype(np.float32)
WEIGHTS = GENERATOR.normal(size=(40, 20)).astype(np.float32)
IMAGE = GENERATOR.normal(size=(9, 8, 4)).astype(np.float32)
KERNEL = GENERATOR.normal(size=(5, 3, 3, 4)).astype(np.float32)


def rounded(x):
  """To the 8 significant bits of bfloat16."""
  return np.asarray(jnp.asarray(x).astype(jnp.bfloat16).astype(jnp.float32))


def compiled(name, function, *arguments):
  with products.precision(name):
    return np.asarray(jax.jit(function)(*arguments))


@pytest.mark.parametrize("name", ["float32", "tf32"])
def test_cpus_know_nothing_between_float32_and_bfloat16(name):
  np.testing.assert_allclose(compiled(name, products.matmul, ROWS, WEIGHTS), ROWS @ WEIGHTS, atol=1e-5)


def test_bfloat16_rounds_the_operands_and_sums_in_float32():
  result = compiled("bfloat16", products.matmul, ROWS, WEIGHTS)
  assert result.dtype == np.float32
  np.testing.assert_allclose(result, rounded(ROWS) @ rounded(WEIGHTS), atol=1e-5)
  assert np.abs(result - ROWS @ WEIGHTS).max() > 1e-3


def reference(x, k):
  return lax.conv_general_dilated(x[None], k, (1, 1), "VALID", dimension_numbers=("NHWC", "OHWI", "NHWC"))[0]


@pytest.mark.parametrize(
  "function", [convolution.valid, convolution.valid_by_rows, convolution.valid_by_taps]
)
def test_convolutions_round_their_operands(function):
  result = compiled("bfloat16", function, IMAGE, KERNEL)
  np.testing.assert_array_equal(result, compiled("bfloat16", function, rounded(IMAGE), rounded(KERNEL)))
  exact = compiled("float32", function, IMAGE, KERNEL)
  assert 1e-3 < np.abs(result - exact).max() < 0.1


@pytest.mark.parametrize("argument", [0, 1])
def test_so_do_their_gradients(argument):
  weight = GENERATOR.normal(size=(7, 6, 5)).astype(np.float32)

  def gradient(convolve, weight):
    return jax.grad(lambda x, k: jnp.sum(convolve(x, k) * weight), argnums=argument)

  ours = compiled("bfloat16", gradient(convolution.valid, weight), IMAGE, KERNEL)
  expected = gradient(reference, rounded(weight))(rounded(IMAGE), rounded(KERNEL))
  np.testing.assert_allclose(ours, expected, atol=1e-4)


def test_the_dense_form_rounds_too():
  head = GENERATOR.normal(size=(3, 3, 4, 2)).astype(np.float32)

  def read(x):
    return window.read_out(window.start(x, 3), head)

  kernel = head.transpose(3, 0, 1, 2)
  np.testing.assert_allclose(
    compiled("bfloat16", read, IMAGE), reference(rounded(IMAGE), rounded(kernel)), atol=1e-4
  )


def test_a_gradient_has_the_precision_of_its_product():
  weight = GENERATOR.normal(size=(7, 6, 5)).astype(np.float32)

  def exact_within(k):
    with products.precision("float32"):
      return jnp.sum(convolution.valid(IMAGE, k) * weight)

  ours = compiled("bfloat16", jax.grad(exact_within), KERNEL)
  expected = jax.grad(lambda k: jnp.sum(reference(IMAGE, k) * weight))(KERNEL)
  np.testing.assert_allclose(ours, expected, atol=1e-4)


@pytest.mark.parametrize("shared", [True, False], ids=["shared", "separate"])
@pytest.mark.parametrize("method", ["patch_logits", "dense_logits"])
def test_first_convolutions_see_what_rounding_would_hide(method, shared):
  net = tiny.network(spectral_knowledge=shared)
  params, stats = tiny.weights(net)
  coarse = rounded(tiny.batch(net).patches[0])
  finer = coarse * np.float32(1 + 2**-11)
  assert np.array_equal(rounded(finer), coarse)

  def logits(x):
    return getattr(net, method)(params, stats, x if method == "patch_logits" else x[0], 0)

  assert not np.array_equal(compiled("bfloat16", logits, coarse), compiled("bfloat16", logits, finer))
