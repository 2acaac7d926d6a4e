"""The mixture of experts: networks and a regression on spectra, as a geometric mean with weights.

  p(c) proportional to prod_m max(p_m(c), 1e-6)^w_m

Every member has a dense form, from a region of channels to log-probabilities `[H, W, C]`. The floor keeps a
member that excludes a class from overruling the others. After smoothing, a temperature T calibrates:
p(c) becomes proportional to p(c)^(1 / T), which changes no class.
"""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from mtl_hsi.models.heads import mask_absent

# Names of the members, in their order.
NETWORK, LOCAL, REGRESSION = "network", "local", "regression"
# What a regression may read: the bands, the MNF components, or both.
BANDS, MNF, BANDS_AND_MNF = "bands", "mnf", "bands_and_mnf"
CHANNELS = (BANDS, MNF, BANDS_AND_MNF)

FLOOR = float(np.log(1e-6))


def regression_logits(regression: dict[str, Array], channels: Array) -> Array:
  """Returns the logits `[H, W, C]` of a regression.

  Args:
    regression: "kernel" `[B, C]` and "bias" `[C]`.
    channels: of the pixels `[H, W, B]`.
  """
  # As in the fit, products are not rounded: the bands are strongly correlated.
  products = jnp.einsum("hwb,bc->hwc", channels, regression["kernel"], precision=jax.lax.Precision.HIGHEST)
  return products + regression["bias"].reshape(1, 1, -1)


def log_probabilities(logits: Sequence[Array], present: Array) -> Array:
  """Returns the log-probabilities of all members `[M, H, W, C]`, none below the floor.

  Args:
    logits: of every member `[H, W, C]`.
    present: classes that the scene has, bool `[C]`.
  """
  return jnp.maximum(jax.nn.log_softmax(mask_absent(jnp.stack(logits), present)), FLOOR)


def mix(log_probabilities: Array, weights: Array, present: Array) -> Array:
  """Returns the probabilities `[H, W, C]` of the mixture.

  Args:
    log_probabilities: of the members `[M, H, W, C]`.
    weights: of the members `[M]`.
    present: classes that the scene has, bool `[C]`.
  """
  mixed = jnp.tensordot(weights, log_probabilities, axes=1)
  return jax.nn.softmax(mask_absent(mixed, present))


def temper(probabilities: Array, temperature: Array) -> Array:
  """Returns probabilities `[..., C]` raised to 1 / temperature, with sum 1."""
  # Probabilities that are not finite stay so, for the check of the map.
  return jax.nn.softmax(jnp.log(probabilities) / temperature)
