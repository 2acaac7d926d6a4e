"""Spectra of training patches changed at random: illumination that varies, and bands that are missing."""

import jax
import jax.numpy as jnp
from jax import Array


def perturb(patches: Array, key: Array, *, jitter: float, band_dropout: float) -> Array:
  """Changes every patch as a whole, alike at all of its pixels.

    x_b -> m_b * ((1 + g) * x_b + o)    g, o ~ N(0, jitter^2),  m_b = 0 with probability band_dropout, else 1

  Args:
    patches: input channels `[T, N, P, P, B]`, with the noise fractions that join the bands as they were.
    key: of the step.
    jitter: standard deviation of gain and offset.
    band_dropout: probability of a channel to be set to 0, which is its mean where bands are standardised.
  """
  gain_key, offset_key, band_key = jax.random.split(key, 3)
  lead = (*patches.shape[:2], 1, 1)
  if jitter:
    gain = 1 + jitter * jax.random.normal(gain_key, (*lead, 1))
    patches = gain * patches + jitter * jax.random.normal(offset_key, (*lead, 1))
  if band_dropout:
    kept = jax.random.bernoulli(band_key, 1 - band_dropout, (*lead, patches.shape[-1]))
    patches = jnp.where(kept, patches, 0)
  return patches
