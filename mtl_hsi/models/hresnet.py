"""HResNet, the network of the letter (9 x 9 patches).

  two 3x3 conv 32 valid, concatenated to 64          -> 7 x 7, the stem
  + {BatchNorm, ReLU, 3x3 conv 64 same, ReLU, 3x3 conv 64 same}, one or more times
  flattened to 3136, or averaged to 64               -> features of the head

The first two convolutions read the same input and are linear, so they are one convolution with 64 features.
Source: letter, Fig. 1; widths, order and padding from the author's code (`resnet99`), which also has the
variants with two residual blocks and with average pooling.
"""

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from mtl_hsi.errors import RequestError
from mtl_hsi.models import window
from mtl_hsi.models.backbone import Layout, ModelOptions, Parts
from mtl_hsi.models.convolution import Form
from mtl_hsi.models.layers import BatchNorm, Convolution

PATCH = 9
_WINDOW = PATCH - 2
_WIDTH = 64


class Stem(nn.Module):
  """The first convolution: `[..., H, W, B]` to `[..., H - 2, W - 2, 64]`."""

  bands: int
  form: Form

  def setup(self):
    self.conv = Convolution(_WIDTH, 3, self.bands, self.form.valid)

  def __call__(self, x: Array) -> Array:
    return self.conv(x)

  def dense(self, x: Array) -> Array:
    """Applies the layer to a large region `[H, W, B]`, in inference only."""
    return self.conv.region(x)


class Residual(nn.Module):
  """x + conv(ReLU(conv(ReLU(BatchNorm(x))))), without an activation after the sum."""

  scenes: int
  norm_per_scene: bool
  form: Form

  def setup(self):
    self.norm = BatchNorm(_WIDTH, self.scenes, self.norm_per_scene)
    self.conv1 = Convolution(_WIDTH, 3, _WIDTH, self.form.same)
    self.conv2 = Convolution(_WIDTH, 3, _WIDTH, self.form.same)

  def __call__(self, x: Array, valid: Array, train: bool) -> Array:
    return x + self.conv2(nn.relu(self.conv1(nn.relu(self.norm(x, valid, train)))))

  def inner_dense(self, places: window.Places, scene: Array) -> window.Places:
    """Computes the input of the second convolution at every place of the window."""
    places = window.each(lambda x: nn.relu(self.norm.scene(x, scene)), places)
    return window.each(nn.relu, window.same(places, self.conv1.kernel, self.conv1.bias))

  def dense(self, places: window.Places, scene: Array) -> window.Places:
    """Applies the whole block at every place of the window."""
    inner = self.inner_dense(places, scene)
    return window.add(places, window.same(inner, self.conv2.kernel, self.conv2.bias))


class Backbone(nn.Module):
  """The residual blocks.

  Attributes:
    scenes: number of scenes T.
    norm_per_scene: see `layers.BatchNorm`.
    blocks: number of residual blocks, 1 in the letter.
    pool: average over the 7 x 7 positions instead of flattening them.
    form: implementation of the convolutions.
  """

  scenes: int
  norm_per_scene: bool
  blocks: int
  pool: bool
  form: Form

  @property
  def features(self) -> int:
    """Features D that the head reads."""
    return _WIDTH if self.pool else _WINDOW * _WINDOW * _WIDTH

  def setup(self):
    self.residuals = [Residual(self.scenes, self.norm_per_scene, self.form) for _ in range(self.blocks)]

  def __call__(self, x: Array, valid: Array, train: bool) -> Array:
    """Computes features `[T, N, D]` of the stem's output `x [T, N, 7, 7, 64]`; `valid` bool `[T, N]`."""
    for block in self.residuals:
      x = block(x, valid, train)
    return jnp.mean(x, axis=(2, 3)) if self.pool else x.reshape(*x.shape[:2], self.features)

  def dense(self, x: Array, kernel: Array, bias: Array, scene: Array) -> Array:
    """Computes logits `[H, W, C]` of one scene's region from the stem's output `x [H + 6, W + 6, 64]`.

    The last convolution is linear and is folded into the head. `kernel [D, C]` and `bias [C]` are the scene's
    head, `scene` its index.
    """
    head = self._head_of_positions(kernel)
    places = window.start(x, _WINDOW)
    for block in self.residuals[:-1]:
      places = block.dense(places, scene)
    last = self.residuals[-1]
    folded = window.fold_same(last.conv2.kernel, head)
    constant = bias + jnp.einsum("yxoc,o->c", head, last.conv2.bias)
    logits = window.read_out(places, head) + window.read_out(last.inner_dense(places, scene), folded)
    return logits + constant.reshape(1, 1, -1)

  def _head_of_positions(self, kernel):
    """Returns the head's weights at every window position, `[7, 7, 64, C]`."""
    shape = (_WINDOW, _WINDOW, _WIDTH, kernel.shape[-1])
    if self.pool:
      return jnp.broadcast_to(kernel.reshape(1, 1, *kernel.shape) / _WINDOW**2, shape)
    return kernel.reshape(shape)


def check(options: ModelOptions) -> None:
  """Checks the options of HResNet.

  Raises:
    RequestError: there is no residual block, or an option of another model is set.
  """
  options.refuse_unused("hresnet", "blocks", "pool")
  if options.blocks < 1:
    raise RequestError(f"model.blocks is {options.blocks}; hresnet needs at least one residual block")


def build(options: ModelOptions, layout: Layout) -> Parts:
  """Builds the first layer and the backbone."""
  backbone = Backbone(layout.scenes, layout.norm_per_scene, options.blocks, options.pool, layout.form)
  return Parts(Stem(layout.bands, layout.form), backbone, PATCH)
