"""Zero-padded convolutions inside a sliding window, evaluated densely and exactly.

A network of patches pads with zeros at the border of an S x S window, so a pixel's activation depends on its
position in the window. Only the distance to the border matters, and only as far as the padding has an effect:
after `depth` padded 3 x 3 convolutions, a row is one of the first `depth`, one of the last `depth`, or an
inner one. So every pixel is computed once for each combination of these (its places), not once for each of
the S * S windows that contain it.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from mtl_hsi.models.products import matmul

_TAPS = [(dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)]


class Places(NamedTuple):
  """The activations of a region for every place of a pixel in its window.

  Attributes:
    size: side S of the window.
    depth: number of padded convolutions so far.
    values: activations `[H, W, D]` by place, given by the row and column of its representative position in
      the window.
  """

  size: int
  depth: int
  values: Mapping[tuple[int, int], Array]


def start(x: Array, size: int) -> Places:
  """Returns the places of activations `[H, W, D]` before the first padded convolution."""
  return Places(size, 0, {(0, 0): x})


def each(function: Callable[[Array], Array], places: Places) -> Places:
  """Applies a position-wise function at every place."""
  return places._replace(values={place: function(x) for place, x in places.values.items()})


def add(shallow: Places, deep: Places) -> Places:
  """Adds two activations of the same window, place by place; the second has the larger depth or the same."""
  values = {place: x + _at(shallow, place) for place, x in deep.values.items()}
  return deep._replace(values=values)


def same(places: Places, kernel: Array, bias: Array) -> Places:
  """Applies a zero-padded 3 x 3 convolution with kernel `[O, 3, 3, D]` and bias `[O]`."""
  outputs, inputs = kernel.shape[0], kernel.shape[-1]
  flat = kernel.transpose(3, 1, 2, 0).reshape(inputs, 9 * outputs)
  products = each(lambda x: _split(jnp.pad(matmul(x, flat), [(1, 1), (1, 1), (0, 0)]), outputs), places)
  depth = places.depth + 1
  values = {}
  for row in _representatives(places.size, depth):
    for column in _representatives(places.size, depth):
      terms = []
      for tap, (dy, dx) in enumerate(_TAPS):
        if 0 <= row + dy < places.size and 0 <= column + dx < places.size:
          product = _at(products, (row + dy, column + dx))[tap]
          height, width = product.shape[0] - 2, product.shape[1] - 2
          terms.append(product[1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width])
      values[row, column] = sum(terms) + bias.reshape(1, 1, -1)
  return Places(places.size, depth, values)


def fold_same(kernel: Array, head: Array) -> Array:
  """Combines a padded convolution and the head that follows it to a single head.

  Args:
    kernel: `[O, 3, 3, D]`, without an activation after it.
    head: weights of every window position `[S, S, O, C]`.

  Returns:
    `[S, S, D, C]`: G[u] = sum over taps t of K[t] head[u - t].
  """
  size = head.shape[0]
  padded = jnp.pad(head, [(1, 1), (1, 1), (0, 0), (0, 0)])
  shifted = [padded[1 - dy : 1 - dy + size, 1 - dx : 1 - dx + size] for dy, dx in _TAPS]
  return jnp.einsum("tyxoc,otd->yxdc", jnp.stack(shifted), kernel.reshape(len(kernel), 9, -1))


def read_out(places: Places, head: Array) -> Array:
  """Applies a head to the window around every pixel.

  Args:
    places: activations over the region `[H + S - 1, W + S - 1, D]`.
    head: weights of every window position `[S, S, D, C]`.

  Returns:
    `[H, W, C]`.
  """
  size, classes = places.size, head.shape[3]
  positions = {}
  for row in range(size):
    for column in range(size):
      positions.setdefault(_place((row, column), size, places.depth), []).append((row, column))
  terms = []
  for place, members in positions.items():
    weights = jnp.concatenate([head[position] for position in members], axis=-1)
    products = _split(matmul(places.values[place], weights), classes)
    for product, (row, column) in zip(products, members, strict=True):
      height, width = product.shape[0] - size + 1, product.shape[1] - size + 1
      terms.append(product[row : row + height, column : column + width])
  return sum(terms)


def _split(x, size):
  return [x[..., i : i + size] for i in range(0, x.shape[-1], size)]


def _at(places, position):
  return places.values[_place(position, places.size, places.depth)]


def _place(position, size, depth):
  """Returns the representative position of the place of (row, column)."""
  return tuple(u if u < depth or u >= size - depth else depth for u in position)


def _representatives(size, depth):
  return sorted({_place((u, u), size, depth)[0] for u in range(size)})
