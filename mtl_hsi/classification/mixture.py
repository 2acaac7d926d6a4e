"""The mixture of experts: the network and regressions on spectra, as a geometric mean with weights.

  p(c) proportional to prod_m max(p_m(c), 1e-6)^w_m,   sum of w = 1

Every member has a dense form, from a region of channels to log-probabilities `[H, W, C]`. The floor keeps a
member that excludes a class from overruling the others. After smoothing, a temperature T calibrates:
p(c) becomes proportional to p(c)^(1 / T), which changes no class.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from mtl_hsi.models.heads import mask_absent

# Names of the members: the network, and the regressions by the channels that they read.
NETWORK, BANDS, MNF, BANDS_AND_MNF = "network", "bands", "mnf", "bands_and_mnf"
EXPERTS = (BANDS, MNF, BANDS_AND_MNF)

FLOOR = float(np.log(1e-6))


def members(logits: Array, experts: Any, channels: Array, present: Array) -> Array:
  """Returns the log-probabilities of all members `[1 + E, H, W, C]`, the network first, none below the floor.

  Args:
    logits: of the network `[H, W, C]`, minus infinity for classes that the scene lacks.
    experts: "kernel" `[E, B, C]` and "bias" `[E, C]` of the regressions.
    channels: of the pixels `[H, W, B]`.
    present: classes that the scene has, bool `[C]`.
  """
  scores = jnp.einsum("hwb,ebc->ehwc", channels, experts["kernel"])
  scores = scores + experts["bias"].reshape(-1, 1, 1, logits.shape[-1])
  scores = mask_absent(jnp.concatenate([logits[None], scores]), present)
  return jnp.maximum(jax.nn.log_softmax(scores), FLOOR)


def mix(log_probabilities: Array, weights: Array, present: Array) -> Array:
  """Returns the probabilities `[H, W, C]` of the mixture.

  Args:
    log_probabilities: of the members `[1 + E, H, W, C]`.
    weights: of the members `[1 + E]`.
    present: classes that the scene has, bool `[C]`.
  """
  mixed = jnp.tensordot(weights, log_probabilities, axes=1)
  return jax.nn.softmax(mask_absent(mixed, present))


def temper(probabilities: Array, temperature: Array) -> Array:
  """Returns probabilities `[..., C]` raised to 1 / temperature, with sum 1."""
  # Probabilities that are not finite stay so, for the check of the map.
  return jax.nn.softmax(jnp.log(probabilities) / temperature)
