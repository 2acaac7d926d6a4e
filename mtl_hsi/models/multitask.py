"""The multitask network: first layers, one shared backbone, and one head per scene or for all.

Parameters are one pytree with three groups:

  stem      the first layer: one set of parameters (with spectral knowledge) or one per scene, stacked on a
            leading axis (without)
  backbone  shared by all scenes
  heads     one linear classifier per scene, or one for all scenes (with a shared legend), see `heads.py`

Source: letter, section II-B, equation (3) and section III-B (spectral knowledge).
"""

import dataclasses
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jax import Array

from mtl_hsi.models import products
from mtl_hsi.models.backbone import Backbone, Stem
from mtl_hsi.models.heads import (
  head_logits,
  head_of_scene,
  init_heads,
  mask_absent,
  present_classes,
  present_outputs,
)
from mtl_hsi.models.layers import MOMENTUM, glorot

GROUPS = ("stem", "backbone", "heads")


@dataclasses.dataclass(frozen=True)
class Network:
  """A multitask network as pure functions of its parameters and moving statistics.

  Attributes:
    stem: Flax module of the first layer.
    backbone: Flax module that all scenes share.
    patch: side P of the patches that the network classifies.
    class_counts: number of classes of every scene.
    shared_stem: whether all scenes share the first layer.
    glorot: see `registry.make_network`.
    shared_outputs: for every scene, the outputs of one head of all scenes that stand for its classes, in
      their order; None: every scene has a head. Such scenes share the first layer and batch statistics too.

  Raises:
    TypeError: a module lacks a member that `backbone.py` requires.
    ValueError: scenes share a head but not the first layer or batch statistics.
  """

  stem: Stem
  backbone: Backbone
  patch: int
  class_counts: tuple[int, ...]
  shared_stem: bool
  glorot: bool
  shared_outputs: tuple[tuple[int, ...], ...] | None = None

  def __post_init__(self):
    if self.shared_outputs and (self.norm_per_scene or not self.shared_stem):
      raise ValueError("scenes that share a head must share the first layer and batch statistics")
    for module, contract in ((self.stem, Stem), (self.backbone, Backbone)):
      missing = [name for name in (*contract.__annotations__, "dense") if not hasattr(module, name)]
      if missing:
        name = type(module).__qualname__
        raise TypeError(f"{name} lacks {', '.join(missing)}; see mtl_hsi/models/backbone.py")

  @property
  def scenes(self) -> int:
    """Number of scenes T."""
    return len(self.class_counts)

  @property
  def norm_per_scene(self) -> bool:
    """Whether batch statistics are kept per scene; False if they are joint or the backbone has none."""
    return getattr(self.backbone, "norm_per_scene", False)

  @property
  def present(self) -> Array:
    """Which classes each scene has, bool `[T, C]`; with a shared head `[T + 1, C]`, see `new_scene`."""
    if self.shared_outputs:
      return present_outputs(self.shared_outputs)
    return present_classes(self.class_counts)

  @property
  def classes(self) -> int:
    """Number of outputs C of a head."""
    return 1 + max(map(max, self.shared_outputs)) if self.shared_outputs else max(self.class_counts)

  @property
  def new_scene(self) -> int:
    """Index of an image of none of the scenes, which may have any class of the shared head."""
    return self.scenes

  def init(self, key: Array) -> tuple[dict, dict]:
    """Draws parameters {"stem", "backbone", "heads"} and returns them with initial moving statistics."""
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
    heads = init_heads(
      head_key, 1 if self.shared_outputs else self.scenes, self.backbone.features, self.classes
    )
    params = {"stem": stem, "backbone": variables["params"], "heads": heads}
    return _glorot(params, self.shared_stem) if self.glorot else params, variables.get("batch_stats", {})

  def train_logits(
    self,
    params: dict,
    stats: dict,
    patches: Array,
    valid: Array,
    key: Array,
    frozen: Sequence[str],
    scene: Array | None = None,
  ) -> tuple[Array, dict]:
    """Computes the logits of a training batch and the updated moving statistics.

    Args:
      params: see `init`.
      stats: see `init`.
      patches: `[T, N, P, P, B]`; with a shared head, samples of any scenes in any number of rows.
      valid: bool `[T, N]`: samples that count for batch statistics.
      key: random key for dropout.
      frozen: parameter groups that do not train. A frozen backbone works as in inference: it normalises by
        its moving statistics, does not update them, and applies no dropout.
      scene: with a shared head, index of the scene of every sample, int32 `[T, N]`.

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
    if self.shared_outputs:
      head = head_of_scene(params["heads"], jnp.int32(0))
      logits = jax.vmap(lambda x, row: head_logits(head, x, self.present[row]))(features, scene)
      return logits, moved.get("batch_stats", stats)
    # Heads mapped over directly would be one batched product, whose sums round differently on CPUs.
    logits = jax.vmap(
      lambda heads, x, scene: head_logits(head_of_scene(heads, scene), x, self.present[scene]),
      in_axes=(None, 0, 0),
    )(params["heads"], features, jnp.arange(self.scenes))
    return logits, moved.get("batch_stats", stats)

  def batch_statistics(self, params: dict, stats: dict, patches: Array, valid: Array) -> dict:
    """Computes batch normalisation's mean and variance over a batch, structured like `stats`.

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
      # The key has no effect: no model has dropout before a normalisation.
      rngs={"dropout": jax.random.key(0)},
    )
    return jax.tree.map(lambda x: x / (1 - MOMENTUM), moved.get("batch_stats", {}))

  def patch_logits(self, params: dict, stats: dict, patches: Array, scene: Array) -> Array:
    """Computes the logits of patches of one scene, in inference.

    Args:
      params: see `init`.
      stats: see `init`.
      patches: `[N, P, P, B]`.
      scene: index of the scene, an integer scalar.

    Returns:
      `[N, C]`, minus infinity for absent classes.
    """
    maps = self._stem_of_scene(params["stem"], patches, scene, "__call__")[None]
    scene_stats = jax.tree.map(lambda rows: rows if len(rows) == 1 else rows[scene][None], stats)
    variables = {"params": params["backbone"], "batch_stats": scene_stats}
    features = self.backbone.apply(variables, maps, jnp.ones(maps.shape[:2], bool), train=False)
    return head_logits(head_of_scene(params["heads"], scene), features[0], self.present[scene])

  def dense_logits(self, params: dict, stats: dict, region: Array, scene: Array) -> Array:
    """Computes the logits of every pixel of a region; they equal those of the pixels' patches.

    Args:
      params: see `init`.
      stats: see `init`.
      region: `[H + P - 1, W + P - 1, B]`, the pixels and their halo.
      scene: index of the scene, an integer scalar.

    Returns:
      `[H, W, C]`, minus infinity for absent classes.
    """
    maps = self._stem_of_scene(params["stem"], region, scene, "dense")
    head = head_of_scene(params["heads"], scene)
    variables = {"params": params["backbone"], "batch_stats": stats}
    logits = self.backbone.apply(variables, maps, head["kernel"], head["bias"], scene, method="dense")
    return mask_absent(logits, self.present[scene])

  def _stems(self, stem, patches):
    patches = self._read(patches)
    with _full_precision():
      if self.shared_stem:
        return self.stem.apply({"params": stem}, patches)
      return jax.vmap(lambda scene_stem, x: self.stem.apply({"params": scene_stem}, x))(stem, patches)

  def _read(self, x):
    """Returns the channels that the first layer reads: a network may leave out the last ones."""
    return x if x.shape[-1] == self.stem.bands else x[..., : self.stem.bands]

  def _stem_of_scene(self, stem, x, scene, method):
    scene_stem = stem if self.shared_stem else jax.tree.map(lambda rows: rows[scene], stem)
    x = self._read(x)
    with _full_precision():
      return self.stem.apply({"params": scene_stem}, x, method=method)


def _full_precision():
  """Compiles the first layer in float32, whatever the precision of the other layers."""
  # Spectra of different classes can differ by less than the 8 or 10 bits of rounded operands resolve.
  return products.precision("float32")


def _glorot(params, shared_stem):
  """Rescales the initial kernels of `layers.Convolution` `[..., O, k, k, D]` and of the heads `[T, D, C]`.

  Kernels with fewer axes, such as those of `nn.Dense`, keep their own initialisation.
  """
  stacked = {"stem": 0 if shared_stem else 1, "backbone": 0}

  def rescale(path, x):
    group, name = path[0].key, path[-1].key
    if name != "kernel":
      return x
    if group == "heads":
      return glorot(x, *x.shape[-2:])
    if x.ndim - stacked[group] < 4:
      return x
    outputs, size, _, inputs = x.shape[-4:]
    return glorot(x, size**2 * inputs, size**2 * outputs)

  return jax.tree_util.tree_map_with_path(rescale, params)
