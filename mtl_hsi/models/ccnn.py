"""CCNN, the contextual network of Lee and Kwon as the letter's author wrote it (5 x 5 patches).

  bank: max5(1x1 conv 128) | max3(3x3 conv 128) | 5x5 conv 128   -> 384 at 1 x 1
  ReLU, BatchNorm, 1x1 conv 128
  + {ReLU, BatchNorm, 1x1 conv 128, ReLU, 1x1 conv 128}
  + {ReLU, 1x1 conv 128, ReLU, 1x1 conv 128}
  ReLU, 1x1 conv 128, ReLU, dropout 0.5, 1x1 conv 128, ReLU, dropout 0.5, 1x1 conv 128

Source: Lee & Kwon, "Going deeper with contextual CNN for hyperspectral image classification" (2017). Batch
normalisation replaces local response normalisation, as in the author's code.
"""

import flax.linen as nn
import jax.numpy as jnp
from jax import Array

from mtl_hsi.models import convolution
from mtl_hsi.models.backbone import Layout, ModelOptions, Parts
from mtl_hsi.models.convolution import Form
from mtl_hsi.models.layers import BatchNorm, Convolution

PATCH = 5
_WIDTH = 128
_DROPOUT = 0.5


class Stem(nn.Module):
  """The multi-scale bank of first convolutions: `[..., H, W, B]` to `[..., H - 4, W - 4, 384]`."""

  bands: int
  form: Form

  def setup(self):
    self.conv1, self.conv3, self.conv5 = (
      Convolution(_WIDTH, size, self.bands, self.form.valid) for size in (1, 3, 5)
    )

  def __call__(self, x: Array) -> Array:
    return self._join(self.conv1(x), self.conv3(x), self.conv5(x))

  def dense(self, x: Array) -> Array:
    """Applies the layer to a large region `[H, W, B]`, in inference only."""
    return self._join(*(conv.region(x) for conv in (self.conv1, self.conv3, self.conv5)))

  @staticmethod
  def _join(x1, x3, x5):
    return jnp.concatenate([convolution.stride1_max(x1, 5), convolution.stride1_max(x3, 3), x5], axis=-1)


class Backbone(nn.Module):
  """The layers between the bank and the head; they all act on single positions.

  Attributes:
    scenes: number of scenes T.
    norm_per_scene: see `layers.BatchNorm`.
    form: implementation of the convolutions.
    drop: dropout rate.
  """

  scenes: int
  norm_per_scene: bool
  form: Form
  drop: float = _DROPOUT

  features = _WIDTH

  def setup(self):
    def convolutions(count, inputs=_WIDTH):
      return [Convolution(_WIDTH, 1, inputs, self.form.valid) for _ in range(count)]

    self.norm1 = BatchNorm(3 * _WIDTH, self.scenes, self.norm_per_scene)
    (self.conv1,) = convolutions(1, 3 * _WIDTH)
    self.norm2 = BatchNorm(_WIDTH, self.scenes, self.norm_per_scene)
    self.residual1, self.residual2, self.last = convolutions(2), convolutions(2), convolutions(3)
    self.dropout = nn.Dropout(self.drop)

  def __call__(self, x: Array, valid: Array, train: bool) -> Array:
    """Computes features `[T, N, 128]` of the bank's output `x [T, N, 1, 1, 384]`; `valid` bool `[T, N]`."""

    def norm(layer, values):
      return layer(values, valid, train)

    return self._trunk(x, norm, train)[:, :, 0, 0]

  def dense(self, x: Array, kernel: Array, bias: Array, scene: Array) -> Array:
    """Computes logits `[H, W, C]` of one scene's region from the bank's output `x [H, W, 384]`.

    `kernel [128, C]` and `bias [C]` are the scene's head, `scene` its index.
    """

    def norm(layer, values):
      return layer.scene(values, scene)

    logits = jnp.matmul(self._trunk(x, norm, train=False), kernel)
    return logits + bias.reshape(1, 1, -1)

  def _trunk(self, x, norm, train):
    x = self.conv1(norm(self.norm1, nn.relu(x)))
    x = x + self._two(norm(self.norm2, nn.relu(x)), self.residual1)
    x = x + self._two(nn.relu(x), self.residual2)
    x = nn.relu(self.last[0](nn.relu(x)))
    x = nn.relu(self.last[1](self.dropout(x, deterministic=not train)))
    return self.last[2](self.dropout(x, deterministic=not train))

  @staticmethod
  def _two(x, convolutions):
    first, second = convolutions
    return second(nn.relu(first(x)))


def check(options: ModelOptions) -> None:
  """Checks that no option is set: CCNN has none.

  Raises:
    RequestError: an option of another model is set.
  """
  options.refuse_unused("ccnn")


def build(options: ModelOptions, layout: Layout) -> Parts:
  """Builds the first layer and the backbone."""
  del options
  backbone = Backbone(layout.scenes, layout.norm_per_scene, layout.form)
  return Parts(Stem(layout.bands, layout.form), backbone, PATCH)
