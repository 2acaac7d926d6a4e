"""The contract of a model: what a first layer, a backbone and a model's module must provide.

Letters for axes: T scenes, N samples, P patch side, B input channels, D features, C classes, H and W rows and
columns. S is the side of the first layer's output for one patch; E is its number of channels.

Any Flax module that has these members works. It needs no base class and no batch statistics: a module without
the collection `batch_stats` simply has empty moving statistics. Only two collections are used, `params` and
`batch_stats`, and one source of randomness, `dropout`.
"""

from typing import NamedTuple, Protocol

from jax import Array

from mtl_hsi.errors import RequestError
from mtl_hsi.models.convolution import Form


class Stem(Protocol):
  """The first layer (stem), a Flax module: shared by all scenes or one per scene.

  Attributes:
    bands: input channels B.
  """

  bands: int

  def __call__(self, x: Array) -> Array:
    """Maps patches `[..., P, P, B]` to `[..., S, S, E]`; there may be any number of leading axes."""

  def dense(self, x: Array) -> Array:
    """Maps a region `[H + P - 1, W + P - 1, B]` to `[H + S - 1, W + S - 1, E]`, in inference only.

    Each S x S window of the result equals the output for the corresponding patch.
    """


class Backbone(Protocol):
  """The layers that all scenes share, a Flax module.

  Attributes:
    features: number of features D that the heads read.
  """

  features: int

  def __call__(self, x: Array, valid: Array, train: bool) -> Array:
    """Computes features `[T, N, D]` of the first layer's output `[T, N, S, S, E]`.

    `valid`, bool `[T, N]`, marks the samples that count for batch statistics. T is 1 if the network
    classifies the patches of a single scene; statistics per scene then have one row.
    """

  def dense(self, x: Array, kernel: Array, bias: Array, scene: Array) -> Array:
    """Computes logits `[H, W, C]` of one scene from the first layer's `[H + S - 1, W + S - 1, E]`.

    `kernel [D, C]` and `bias [C]` are the scene's head and `scene` is its index. The result equals the logits
    of the patches. A model with linear last layers can fold them into the head to save time.
    """


class ModelOptions(NamedTuple):
  """The options of a model that a config sets under `model`.

  Attributes:
    blocks: number of residual blocks (hresnet, vresnet).
    pool: average pooling before the head (hresnet).
    patch: side P of the patches (vresnet), or None: the model has a fixed one.
    width: channels of all convolutions (vresnet), or None: the model has a fixed one.
  """

  blocks: int = 1
  pool: bool = False
  patch: int | None = None
  width: int | None = None

  def refuse_unused(self, model: str, *used: str) -> None:
    """Checks that options which `model` does not use have their defaults.

    Raises:
      RequestError: names the option and its default.
    """
    for name, default in self._field_defaults.items():
      if name not in used and getattr(self, name) != default:
        advice = (
          "start from a config without it, such as" if default is None else f"set it to {default}, as in"
        )
        raise RequestError(
          f"model.{name} is {getattr(self, name)}, but {model} has no such option; {advice} configs/letter.py"
        )


class Layout(NamedTuple):
  """What the scenes and the training recipe require of a model.

  Attributes:
    bands: input channels B.
    scenes: number of scenes T.
    norm_per_scene: batch statistics per scene instead of joint ones, see `layers.BatchNorm`.
    form: implementation of the convolutions.
  """

  bands: int
  scenes: int
  norm_per_scene: bool
  form: Form


class Parts(NamedTuple):
  """A first layer and a backbone that fit, and the side P of the patches that they read."""

  stem: Stem
  backbone: Backbone
  patch: int


class Model(Protocol):
  """A module of this package (or any object) that can be entered in `registry.MODELS`."""

  def check(self, options: ModelOptions) -> None:
    """Raises RequestError if the model cannot be built with these options."""

  def build(self, options: ModelOptions, layout: Layout) -> Parts:
    """Builds the modules from options that `check` accepts."""
