"""VResNet, a residual network of valid convolutions (patches of any odd side).

  1x1 conv of all channels to the width                     -> P x P, the stem
  crop + {3x3 conv valid, BatchNorm, GELU}, one or more times -> two rows and columns fewer each
  averaged over the remaining positions                     -> features of the head

No convolution pads, so the activations at a pixel do not depend on the patch that contains it. Applied to a
whole scene, the network is therefore an ordinary convolutional network followed by a moving average.
"""

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from mtl_hsi.errors import RequestError
from mtl_hsi.models import convolution
from mtl_hsi.models.backbone import Layout, ModelOptions, Parts
from mtl_hsi.models.convolution import Form
from mtl_hsi.models.layers import BatchNorm, Convolution


class Stem(nn.Module):
  """The first convolution, of single pixels: `[..., H, W, B]` to `[..., H, W, width]`."""

  bands: int
  width: int
  form: Form

  def setup(self):
    self.conv = Convolution(self.width, 1, self.bands, self.form.valid)

  def __call__(self, x: Array) -> Array:
    return self.conv(x)

  def dense(self, x: Array) -> Array:
    """Applies the layer to a large region `[H, W, B]`, in inference only."""
    return self.conv.region(x)


class Residual(nn.Module):
  """crop(x) + GELU(BatchNorm(conv(x))): one row or column fewer on every side."""

  scenes: int
  norm_per_scene: bool
  width: int
  form: Form

  def setup(self):
    self.conv = Convolution(self.width, 3, self.width, self.form.valid)
    self.norm = BatchNorm(self.width, self.scenes, self.norm_per_scene)

  def __call__(self, x: Array, valid: Array, train: bool) -> Array:
    return _crop(x) + nn.gelu(self.norm(self.conv(x), valid, train))

  def dense(self, x: Array, scene: Array) -> Array:
    """Applies the block to a region `[H, W, D]` of one scene, in inference only."""
    return _crop(x) + nn.gelu(self.norm.scene(self.conv.region(x), scene))


class Backbone(nn.Module):
  """The residual blocks.

  Attributes:
    scenes: number of scenes T.
    norm_per_scene: see `layers.BatchNorm`.
    patch: side P of the patches.
    width: channels D.
    blocks: number of residual blocks.
    form: implementation of the convolutions.
  """

  scenes: int
  norm_per_scene: bool
  patch: int
  width: int
  blocks: int
  form: Form

  @property
  def features(self) -> int:
    """Features D that the head reads."""
    return self.width

  def setup(self):
    self.residuals = [
      Residual(self.scenes, self.norm_per_scene, self.width, self.form) for _ in range(self.blocks)
    ]

  def __call__(self, x: Array, valid: Array, train: bool) -> Array:
    """Computes features `[T, N, D]` of the stem's output `x [T, N, P, P, D]`; `valid` bool `[T, N]`."""
    for block in self.residuals:
      x = block(x, valid, train)
    return jnp.mean(x, axis=(2, 3))

  def dense(self, x: Array, kernel: Array, bias: Array, scene: Array) -> Array:
    """Computes logits `[H, W, C]` of one scene's region from the stem's output `x [H + P - 1, W + P - 1, D]`.

    The average is linear, so the head is applied first: it has fewer outputs than inputs.
    `kernel [D, C]` and `bias [C]` are the scene's head, `scene` its index.
    """
    for block in self.residuals:
      x = block.dense(x, scene)
    sums = convolution.stride1_sum(jnp.matmul(x, kernel), _window(self.patch, self.blocks))
    return sums / _window(self.patch, self.blocks) ** 2 + bias.reshape(1, 1, -1)


def check(options: ModelOptions) -> None:
  """Checks the options of VResNet.

  Raises:
    RequestError: a number is missing or too small, or the patch is even or too small for the blocks.
  """
  options.refuse_unused("vresnet", "patch", "width", "blocks")
  for key in ("patch", "width", "blocks"):
    value = getattr(options, key)
    if value is None or value < 1:
      raise RequestError(
        f"model.{key} is {value}; vresnet needs a number of 1 or more, as in configs/best.py"
      )
  if options.patch % 2 == 0 or _window(options.patch, options.blocks) < 1:
    raise RequestError(
      f"model.patch is {options.patch}; expected an odd number of at least {2 * options.blocks + 1}, since "
      f"each of the {options.blocks} residual blocks removes two rows and columns"
    )


def build(options: ModelOptions, layout: Layout) -> Parts:
  """Builds the first layer and the backbone."""
  patch, width, form = options.patch, options.width, layout.form
  backbone = Backbone(layout.scenes, layout.norm_per_scene, patch, width, options.blocks, form)
  return Parts(Stem(layout.bands, width, form), backbone, patch)


def _window(patch, blocks):
  """Returns the side of the window that the blocks leave of a patch."""
  return patch - 2 * blocks


def _crop(x):
  return x[..., 1:-1, 1:-1, :]
