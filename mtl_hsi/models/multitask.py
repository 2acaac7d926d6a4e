"""Stems, one backbone and heads of all scenes as one network.

Parameters are one pytree of three groups:

  stem      the first convolution: one set (with spectral knowledge), or one per
            scene, stacked on a leading axis (without)
  backbone  shared by all scenes
  heads     kernels `[T, D, C]` and biases `[T, C]` of all scenes; classes that
            a scene lacks are masked

Source: paper section II-B, equation (3) and section III-B (spectral knowledge).
"""

import dataclasses
from collections.abc import Sequence

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import Array

from mtl_hsi.errors import RequestError
from mtl_hsi.models import ccnn, hresnet, products, vresnet
from mtl_hsi.models.convolution import FORMS
from mtl_hsi.models.layers import KERNEL_INIT, MOMENTUM, glorot

GROUPS = ("stem", "backbone", "heads")
NAMES = ("hresnet", "ccnn", "vresnet")


@dataclasses.dataclass(frozen=True)
class Network:
  """A multitask network; pure functions of parameters and statistics.

  Attributes:
    stem: module of the first convolution.
    backbone: module that all scenes share.
    patch: side P of the patches it classifies.
    class_counts: number of classes of every scene.
    shared_stem: whether all scenes share the first convolution.
    glorot: see `make_network`.
  """

  stem: nn.Module
  backbone: nn.Module
  patch: int
  class_counts: tuple[int, ...]
  shared_stem: bool
  glorot: bool

  @property
  def scenes(self) -> int:
    """Number of scenes T."""
    return len(self.class_counts)

  @property
  def present(self) -> Array:
    """Which classes a scene has: bool `[T, C]`."""
    return jnp.arange(max(self.class_counts)).reshape(1, -1) < jnp.array(self.class_counts).reshape(-1, 1)

  def init(self, key: Array) -> tuple[dict, dict]:
    """Fresh parameters {"stem", "backbone", "heads"} and moving statistics."""
    stem_key, backbone_key, head_key = jax.random.split(key, 3)
    patches = jnp.zeros((self.scenes, 1, self.patch, self.patch, self.stem.bands))
    if self.shared_stem:
      stem = self.stem.init(stem_key, patches)["params"]
    else:
      stem = jax.vmap(lambda k: self.stem.init(k, patches[0])["params"])(
        jax.random.split(stem_key, self.scenes)
      )
    maps = self._stems(stem, patches)
    variables = self.backbone.init(backbone_key, maps, jnp.ones((self.scenes, 1), bool), train=False)
    shape = (self.backbone.features, max(self.class_counts))
    kernels = jax.vmap(lambda k: KERNEL_INIT(k, shape))(jax.random.split(head_key, self.scenes))
    heads = {"kernel": kernels, "bias": jnp.zeros((self.scenes, shape[1]))}
    params = {"stem": stem, "backbone": variables["params"], "heads": heads}
    return _glorot(params) if self.glorot else params, variables["batch_stats"]

  def train_logits(
    self, params: dict, stats: dict, patches: Array, valid: Array, key: Array, frozen: Sequence[str]
  ) -> tuple[Array, dict]:
    """Logits of a training batch and the moved statistics.

    Args:
      params: see `init`.
      stats: see `init`.
      patches: `[T, N, P, P, B]`.
      valid: bool `[T, N]`: samples that count for batch statistics.
      key: of the dropout.
      frozen: parameter groups that do not train; a frozen backbone works as in
        use: it normalises by its moving statistics, leaves them and drops nothing.

    Returns:
      Logits `[T, N, C]`, minus infinity for absent classes, and statistics.
    """
    maps = self._stems(params["stem"], patches)
    variables = {"params": params["backbone"], "batch_stats": stats}
    features, moved = self.backbone.apply(
      variables,
      maps,
      valid,
      train="backbone" not in frozen,
      mutable=["batch_stats"],
      rngs={"dropout": key},
    )
    logits = jax.vmap(self._head, in_axes=(None, 0, 0))(params["heads"], features, jnp.arange(self.scenes))
    return logits, moved["batch_stats"]

  def batch_statistics(self, params: dict, stats: dict, patches: Array, valid: Array) -> dict:
    """Batch normalisation's mean and variance over a batch, in the form of the moving statistics `stats`.

    Args:
      params: see `init`.
      stats: see `init`; its values do not matter.
      patches: `[T, N, P, P, B]`.
      valid: bool `[T, N]`: samples that count.
    """
    nothing = jax.tree.map(jnp.zeros_like, stats)
    _, moved = self.backbone.apply(
      {"params": params["backbone"], "batch_stats": nothing},
      self._stems(params["stem"], patches),
      valid,
      train=True,
      mutable=["batch_stats"],
      # Nothing is normalised after a dropout.
      rngs={"dropout": jax.random.key(0)},
    )
    return jax.tree.map(lambda x: x / (1 - MOMENTUM), moved["batch_stats"])

  def patch_logits(self, params: dict, stats: dict, patches: Array, scene: Array) -> Array:
    """Logits of patches of one scene in use.

    Args:
      params: see `init`.
      stats: see `init`.
      patches: `[N, P, P, B]`.
      scene: index of the scene, an integer scalar.

    Returns:
      `[N, C]`, minus infinity for absent classes.
    """
    maps = self._stem_of_scene(params["stem"], patches, scene, "__call__")[None]
    own = jax.tree.map(lambda rows: rows if len(rows) == 1 else rows[scene][None], stats)
    variables = {"params": params["backbone"], "batch_stats": own}
    features = self.backbone.apply(variables, maps, jnp.ones(maps.shape[:2], bool), train=False)
    return self._head(params["heads"], features[0], scene)

  def dense_logits(self, params: dict, stats: dict, region: Array, scene: Array) -> Array:
    """Logits of every pixel of a region, equal to those of its patches.

    Args:
      params: see `init`.
      stats: see `init`.
      region: `[H + P - 1, W + P - 1, B]`, the pixels and their surroundings.
      scene: index of the scene, an integer scalar.

    Returns:
      `[H, W, C]`, minus infinity for absent classes.
    """
    maps = self._stem_of_scene(params["stem"], region, scene, "dense")
    head = jax.tree.map(lambda x: x[scene], params["heads"])
    variables = {"params": params["backbone"], "batch_stats": stats}
    logits = self.backbone.apply(variables, maps, head["kernel"], head["bias"], scene, method="dense")
    return self._mask(logits, scene)

  def _stems(self, stem, patches):
    with _reading():
      if self.shared_stem:
        return self.stem.apply({"params": stem}, patches)
      return jax.vmap(lambda own, x: self.stem.apply({"params": own}, x))(stem, patches)

  def _stem_of_scene(self, stem, x, scene, method):
    own = stem if self.shared_stem else jax.tree.map(lambda rows: rows[scene], stem)
    with _reading():
      return self.stem.apply({"params": own}, x, method=method)

  def _head(self, heads, features, scene):
    logits = features @ heads["kernel"][scene] + heads["bias"][scene].reshape(1, -1)
    return self._mask(logits, scene)

  def _mask(self, logits, scene):
    present = self.present[scene]
    return jnp.where(present.reshape((1,) * (logits.ndim - 1) + present.shape), logits, -jnp.inf)


def _reading():
  """The first convolution's precision, whatever that of the others."""
  # Spectra of unlike classes differ by less than the 8 or 10 bits of rounded operands resolve.
  return products.precision("float32")


def _glorot(params):
  """Fresh parameters with the kernels of convolutions `[..., O, k, k, D]` and heads `[T, D, C]` rescaled."""

  def rescale(path, x):
    group, name = path[0].key, path[-1].key
    if name != "kernel":
      return x
    if group == "heads":
      return glorot(x, *x.shape[-2:])
    outputs, size, _, inputs = x.shape[-4:]
    return glorot(x, size**2 * inputs, size**2 * outputs)

  return jax.tree_util.tree_map_with_path(rescale, params)


def make_network(
  name: str,
  *,
  bands: int,
  class_counts: Sequence[int],
  spectral_knowledge: bool,
  norm_per_scene: bool,
  blocks: int,
  pool: bool,
  glorot: bool,
  convolution: str,
  patch: int | None = None,
  width: int | None = None,
) -> Network:
  """Builds a network by name.

  Args:
    name: one of `NAMES`.
    bands: input channels B that every scene has after alignment.
    class_counts: number of classes of every scene.
    spectral_knowledge: share the first convolution among the scenes.
    norm_per_scene: batch statistics per scene, else joint.
    blocks: residual blocks (HResNet, VResNet).
    pool: average pooling before the head (HResNet; VResNet always has it).
    glorot: kernels start by Glorot and Bengio's rule, else from N(0, 0.01).
    convolution: of `convolution.FORMS`.
    patch: side P of the patches (VResNet); None: the network has a side of its own.
    width: channels of all convolutions (VResNet); None: likewise.

  Raises:
    RequestError: an unknown name or an option that the network lacks.
  """
  scenes, form = len(class_counts), FORMS[convolution]
  check_options(name, blocks=blocks, pool=pool, patch=patch, width=width)
  if name == "hresnet":
    stem, side = hresnet.Stem(bands, form), hresnet.PATCH
    backbone = hresnet.Backbone(scenes, norm_per_scene, blocks, pool, form)
  elif name == "ccnn":
    stem, side = ccnn.Stem(bands, form), ccnn.PATCH
    backbone = ccnn.Backbone(scenes, norm_per_scene, form)
  elif name == "vresnet":
    stem, side = vresnet.Stem(bands, width, form), patch
    backbone = vresnet.Backbone(scenes, norm_per_scene, patch, width, blocks, form)
  else:
    raise RequestError(f"model.name is {name!r}; the networks are {', '.join(NAMES)}")
  return Network(stem, backbone, side, tuple(class_counts), spectral_knowledge, glorot)


def check_options(name: str, *, blocks: int, pool: bool, patch: int | None, width: int | None) -> None:
  """Refuses options that a network lacks, or an SVM, which has none; arguments as of `make_network`.

  Raises:
    RequestError: names them, and what they are to be.
  """
  if name == "vresnet":
    if pool:
      raise RequestError("model.pool is an option of hresnet; vresnet always averages, so leave it at False")
    vresnet.check(patch, width, blocks)
    return
  if (patch, width) != (None, None):
    raise RequestError(
      f"model.patch and model.width are options of vresnet; for {name} start from "
      "configs/letter.py, where they are None"
    )
  if name == "hresnet":
    if blocks < 1:
      raise RequestError(f"model.blocks is {blocks}; HResNet needs at least one residual block")
  elif pool or blocks != 1:
    raise RequestError(
      f"model.pool and model.blocks are options of hresnet; with {name} leave them at False and 1"
    )
