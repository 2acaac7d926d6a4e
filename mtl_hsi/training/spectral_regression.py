"""The spectral expert: multinomial logistic regression with an L2 penalty, on the channels of single pixels.

The problem is convex: `fit` finds the optimum, without a random start, a learning rate or epochs.
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array

from mtl_hsi.models.heads import mask_absent

# A class without training samples has at most this probability.
UNSEEN_PROBABILITY = 1e-6

# The fit ends when the largest entry of the gradient, relative to that at the start, is below this tolerance
# times the square root of the relative objective. The error of the objective is about the square of the
# gradient, so its relative error is then about the same for separable classes, whose objective becomes tiny.
_TOLERANCE = 1e-6
_MOST_STEPS = 500
# Pairs of differences that L-BFGS keeps; 10 needed half as many steps again.
_MEMORY = 20

# Assumed curvature of the loss, as a share of that at the start. It falls as the fit becomes sure of its
# samples. Of 1, 0.1, 0.01 and 0.001, this value needed the fewest steps on real scenes.
_CURVATURE = 0.01

# Products are not rounded to fewer bits on accelerators: the bands are strongly correlated.
_product = functools.partial(jnp.matmul, precision=jax.lax.Precision.HIGHEST)


class _Axes(NamedTuple):
  """Scaled principal axes of the training samples.

  Attributes:
    centre: mean spectrum `[B]`.
    directions: orthonormal columns `[B, K]` with K = min(B, n).
    scales: of the directions, `[K]`.
    bias_scale: scale of the bias, a scalar.
  """

  centre: Array
  directions: Array
  scales: Array
  bias_scale: Array


def fit(spectra: Array, classes: Array, valid: Array, present: Array, penalty: float) -> dict[str, Array]:
  """Fits multinomial logistic regression to the optimum.

    sum over valid samples of -log softmax(x W + b)[class]  +  penalty / 2 * sum of W^2

  The bias has no penalty; scikit-learn's `LogisticRegression` has `penalty = 1 / C`. A class that is present
  but has no valid sample takes no part: the problem has no optimum with it, since its bias would fall for
  ever. Afterwards it gets a kernel of zeros and the bias log(1e-6). The logits of the other classes sum to
  zero, so the largest is not negative, and the class has at most the probability 1e-6.

  Works under `jax.jit` and `jax.vmap`, and is deterministic.

  Args:
    spectra: standardised channels, float32 `[n, B]`.
    classes: class indices from 0, int32 `[n]`.
    valid: which rows are samples and not padding, bool `[n]`.
    present: which classes the scene has, bool `[C]`.
    penalty: above 0.

  Returns:
    kernel `[B, C]` and bias `[C]`, float32; zeros for absent classes.
  """
  samples = valid.reshape(-1, 1)
  targets = jax.nn.one_hot(classes, present.size) * (samples & present.reshape(1, -1))
  seen = targets.sum(axis=0) > 0
  spectra = jnp.where(samples, spectra, 0)
  axes = _principal_axes(spectra, samples, seen, penalty)
  scaled = _product(_centred(spectra, samples, axes.centre), axes.directions) * axes.scales.reshape(1, -1)

  def objective(params):
    bias = axes.bias_scale * params["bias"].reshape(1, -1)
    logits = mask_absent(_product(scaled, params["kernel"]) + bias, seen)
    weights = axes.scales.reshape(-1, 1) * params["kernel"]
    losses = optax.softmax_cross_entropy(logits, targets, where=jnp.broadcast_to(seen, logits.shape))
    return losses.sum() + penalty / 2 * (weights**2).sum()

  zeros = {"kernel": jnp.zeros((scaled.shape[1], present.size)), "bias": jnp.zeros(present.size)}
  found = _minimise(objective, zeros)
  kernel = _product(axes.directions, axes.scales.reshape(-1, 1) * found["kernel"])
  bias = axes.bias_scale * found["bias"] - _product(axes.centre, kernel)
  return {"kernel": kernel, "bias": jnp.where(present & ~seen, jnp.log(UNSEEN_PROBABILITY), bias)}


def _principal_axes(spectra, samples, seen, penalty):
  """Finds axes in which the objective is curved about equally in all directions.

  Neither centring nor a rotation changes the penalty, and the optimal kernel is a combination of the centred
  spectra; so fewer samples than bands need only as many axes.
  """
  count = jnp.maximum(samples.sum(), 1)
  centre = spectra.sum(axis=0) / count
  centred = _centred(spectra, samples, centre)
  basis = jnp.linalg.qr(centred.T)[0] if spectra.shape[0] < spectra.shape[1] else jnp.eye(spectra.shape[1])
  within = _product(centred, basis)
  variances, rotation = jnp.linalg.eigh(_product(within.T, within))
  curvature = _CURVATURE / jnp.maximum(seen.sum(), 1)
  scales = jax.lax.rsqrt(penalty + curvature * jnp.maximum(variances, 0))
  return _Axes(centre, _product(basis, rotation), scales, jax.lax.rsqrt(curvature * count))


def _centred(spectra, samples, centre):
  """Subtracts the centre from the samples; padding becomes 0."""
  return jnp.where(samples, spectra - centre.reshape(1, -1), 0)


def _minimise(objective, start):
  """Minimises a smooth convex function of a dict of arrays by L-BFGS.

  Source: Liu & Nocedal, "On the limited memory BFGS method for large scale optimization" (1989).
  """
  tx = optax.lbfgs(memory_size=_MEMORY)
  value_and_grad = optax.value_and_grad_from_state(objective)
  first_value, first_grad = jax.value_and_grad(objective)(start)
  limit = _TOLERANCE * _largest(first_grad)

  def unfinished(carry):
    _, _, steps, value, largest = carry
    return (largest * jnp.sqrt(first_value) > limit * jnp.sqrt(value)) & (steps < _MOST_STEPS)

  def step(carry):
    params, state, steps, _, _ = carry
    value, grad = value_and_grad(params, state=state)
    updates, state = tx.update(grad, state, params, value=value, grad=grad, value_fn=objective)
    # The line search has left the objective and the gradient at the new parameters in the state.
    value, largest = optax.tree.get(state, "value"), _largest(optax.tree.get(state, "grad"))
    return optax.apply_updates(params, updates), state, steps + 1, value, largest

  carry = start, tx.init(start), 0, first_value, _largest(first_grad)
  return jax.lax.while_loop(unfinished, step, carry)[0]


def _largest(grad):
  """Returns the largest absolute entry of a dict of arrays."""
  return optax.tree.norm(grad, ord=jnp.inf)


def log_probabilities(expert: dict[str, Array], channels: Array, present: Array) -> Array:
  """Computes the log probabilities of the classes of every pixel.

  Args:
    expert: kernel `[B, C]` and bias `[C]`, from `fit`.
    channels: float32 `[..., B]`, such as a region `[H, W, B]`.
    present: which classes the scene has, bool `[C]`.

  Returns:
    float32 `[..., C]`; minus infinity for absent classes.
  """
  products = _product(channels, expert["kernel"])
  logits = products + jnp.broadcast_to(expert["bias"], products.shape)
  return jax.nn.log_softmax(mask_absent(logits, present))
