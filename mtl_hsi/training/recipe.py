"""How training may depart from the letter's recipe; every departure is an attribute of one value."""

import dataclasses

import jax.numpy as jnp
from jax import Array

from mtl_hsi.training.patches import MIRROR_IMAGES, SYMMETRIES

# From how many of `patches.SYMMETRIES` the image of a sample is drawn.
AUGMENTATIONS = {"none": 1, "mirrors": MIRROR_IMAGES, "symmetries": len(SYMMETRIES)}
DECAYS = ("none", "cosine")


@dataclasses.dataclass(frozen=True)
class Recipe:
  """How a step draws samples, what loss it minimises, and its learning rate.

  Attributes:
    steps: number of steps in an epoch, whose samples are drawn step by step (`batches.draw_step`); None: an
      epoch has every mirror image of every sample of the longest set once (`batches.epoch_order`).
    augmentation: a name in `AUGMENTATIONS`: the images from which one is drawn. With `steps` None, an epoch
      has all of "mirrors".
    shift: see `patches.shift`; 0 if `steps` is None.
    balanced: whether steps draw classes evenly.
    smoothing: label smoothing: share of a target that is spread evenly over the scene's classes, 0 to less
      than 1.
    warmup: share of a phase's steps in which the learning rate rises to the phase's, 0 to less than 1.
    decay: a name in `DECAYS`: the learning rate schedule after the warmup.
    averaging: decay per step of the moving average of the weights that votes in their place; 0: none.
    jitter: see `patches.perturb`.
    band_dropout: see `patches.perturb`.
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
    """Returns the learning rate of a step of a phase.

      peak * (s + 1) / W                                 for s < W, where W = warmup * S
      peak * (1 + cos(pi * (s - W) / (S - W))) / 2       afterwards, with decay "cosine"

    Args:
      peak: learning rate of the phase.
      step: s, counted from 0 at the start of the phase.
      steps: S, the number of steps of the whole phase.

    Source: Loshchilov & Hutter, "SGDR: Stochastic gradient descent with warm restarts" (2017), without the
    restarts.
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


# The recipe of the letter (section III-B) and of the author's code.
LETTER_RECIPE = Recipe(
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
