"""Padded convolutions in a sliding window, against a convolution of every window cut out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mtl_hsi.models import convolution, window

D, CLASSES = 3, 2


def draw(*shape: int) -> jnp.ndarray:
  return jnp.asarray(np.random.default_rng(sum(shape)).normal(size=shape), jnp.float32)


def windows(x, size):
  """Every window of the region `[H + S - 1, W + S - 1, D]`: `[H * W, S, S, D]`."""
  views = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(0, 1))
  return jnp.asarray(views.transpose(0, 1, 3, 4, 2).reshape(-1, size, size, x.shape[-1]))


def read_windows(activations, head):
  """The head applied to every window: `[H * W, C]`."""
  return jnp.einsum("nyxd,yxdc->nc", activations, head)


@pytest.mark.parametrize(("size", "depth"), [(7, 1), (5, 0), (5, 2), (4, 1), (3, 3), (2, 1), (1, 1)])
def test_stacked_convolutions_are_those_of_every_window(size, depth):
  region, head = draw(size + 3, size + 1, D), draw(size, size, D, CLASSES)
  kernels, biases = draw(depth, D, 3, 3, D), draw(depth, D)

  @jax.jit
  def densely(x):
    places = window.start(x, size)
    for kernel, bias in zip(kernels, biases):
      places = window.same(window.each(jax.nn.relu, places), kernel, bias)
    return window.read_out(places, head)

  @jax.jit
  def window_by_window(x):
    for kernel, bias in zip(kernels, biases):
      x = convolution.same(jax.nn.relu(x), kernel) + bias.reshape(1, 1, 1, -1)
    return read_windows(x, head)

  result = densely(region)
  assert result.shape == (4, 2, CLASSES)
  np.testing.assert_allclose(
    result.reshape(-1, CLASSES), window_by_window(windows(region, size)), rtol=1e-4, atol=1e-4
  )


@pytest.mark.parametrize(
  ("size", "depth", "kinds"), [(7, 0, 1), (7, 1, 3), (7, 2, 5), (7, 3, 7), (7, 4, 7), (3, 2, 3)]
)
def test_a_pixel_is_computed_once_for_every_kind_of_place(size, depth, kinds):
  def values(x, kernel, bias):
    places = window.start(x, size)
    for _ in range(depth):
      places = window.same(places, kernel, bias)
    return places.values

  assert len(jax.eval_shape(values, draw(size, size, D), draw(3, 3, D, D), draw(D))) == kinds**2


def test_a_sum_meets_its_own_place():
  size = 5
  region, head = draw(size + 2, size, D), draw(size, size, D, CLASSES)
  kernels = draw(2, D, 3, 3, D)

  @jax.jit
  def densely(x):
    shallow = window.same(window.start(x, size), kernels[0], jnp.zeros(D))
    deep = window.same(shallow, kernels[1], jnp.zeros(D))
    return window.read_out(window.add(shallow, deep), head)

  @jax.jit
  def window_by_window(x):
    first = convolution.same(x, kernels[0])
    return read_windows(first + convolution.same(first, kernels[1]), head)

  result = densely(region).reshape(-1, CLASSES)
  np.testing.assert_allclose(result, window_by_window(windows(region, size)), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_a_folded_head_reads_what_the_convolution_would_have_given(size):
  x, kernel, head = draw(4, size, size, D), draw(5, 3, 3, D), draw(size, size, 5, CLASSES)
  folded = window.fold_same(kernel, head)
  assert folded.shape == (size, size, D, CLASSES)
  np.testing.assert_allclose(
    read_windows(x, folded), read_windows(convolution.same(x, kernel), head), atol=1e-4
  )
