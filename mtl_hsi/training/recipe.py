"""How training may depart from the letter's way; every departure is one attribute of a value."""

import dataclasses

import jax.numpy as jnp
from jax import Array

from mtl_hsi.training.patches import MIRRORS, SYMMETRIES

# From how many of `patches.SYMMETRIES` the image of a sample is drawn.
AUGMENTATIONS = {"none": 1, "mirrors": len(MIRRORS), "symmetries": len(SYMMETRIES)}
DECAYS = ("none", "cosine")


@dataclasses.dataclass(frozen=True)
class Recipe:
  """What a step draws and minimises, and how far it moves.

  Attributes:
    steps: of an epoch, whose samples are drawn step by step (see `drawing`); None: as many as show every
      mirrored sample of the longest set once (see `batches.epoch_order`).
    augmentation: of `AUGMENTATIONS`: from which images one is drawn; an epoch of all samples has all of
      "mirrors".
    shift: see `patches.shift`; 0 where an epoch shows all samples.
    balanced: whether steps draw classes evenly.
    smoothing: share of a target that is spread evenly over the scene's classes, 0 to less than 1.
    warmup: share of a phase's steps over which the learning rate rises to the phase's, 0 to less than 1.
    decay: of `DECAYS`: what the learning rate does after that.
    averaging: decay per step of the moving average of the weights that votes instead of them; 0: none.
    jitter: see `perturbation.perturb`.
    band_dropout: likewise.
  """

  steps: int | None
  augmentation: str
  shift: int
  balanced: bool
  smoothing: float
  warmup: float
  decay: str
  averaging: float
  jitter: float
  band_dropout: float

  def learning_rate(self, peak: Array, step: Array, steps: Array) -> Array:
    """The learning rate of a step of a phase.

      peak * (s + 1) / W                                 for s < W, where W = warmup * S
      peak * (1 + cos(pi * (s - W) / (S - W))) / 2       afterwards, with decay "cosine"

    Args:
      peak: of the phase.
      step: s, counted from the phase's first, which is 0.
      steps: S, of the whole phase.

    Source: Loshchilov & Hutter, "SGDR: Stochastic gradient descent with warm restarts" (2017), of which
    there are none here.
    """
    if self.warmup == 0 and self.decay == "none":
      return peak
    rising = self.warmup * steps
    factor = 1.0
    if self.decay == "cosine":
      factor = (1 + jnp.cos(jnp.pi * jnp.clip((step - rising) / (steps - rising), 0, 1))) / 2
    if self.warmup > 0:
      factor = jnp.where(step < rising, jnp.minimum((step + 1) / rising, 1), factor)
    return peak * factor


# The letter's (section III-B) and its author's.
LETTERS = Recipe(
  steps=None,
  augmentation="mirrors",
  shift=0,
  balanced=False,
  smoothing=0.0,
  warmup=0.0,
  decay="none",
  averaging=0.0,
  jitter=0.0,
  band_dropout=0.0,
)
