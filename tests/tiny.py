"""Two small scenes, with networks and training sets: cheap to train, and nearly all axes differ in length."""

import jax
import numpy as np

from mtl_hsi.channels.inputs import Inputs
from mtl_hsi.channels.scaling import Scaling
from mtl_hsi.models.multitask import Network
from mtl_hsi.models.registry import make_network
from mtl_hsi.splits.drawn import random_split
from mtl_hsi.training import batches, optim, patches, train_step
from mtl_hsi.training.schedule import Phase, Schedule

NAMES = ("fields", "town")
SHAPES = ((7, 10), (9, 6))
CLASSES = (4, 2)
BANDS = 3

# Methods of a network as f(network, params, ...), each compiled once for all tests.
patch_logits = jax.jit(Network.patch_logits, static_argnums=0)
dense_logits = jax.jit(Network.dense_logits, static_argnums=0)
train_logits = jax.jit(Network.train_logits, static_argnums=0, static_argnames="frozen")
init = jax.jit(Network.init, static_argnums=0)

ADADELTA = optim.optimizer("adadelta", {"rho": 0.95, "eps": 1e-7})


def network(name: str = "hresnet", **changes) -> Network:
  """Returns a network of the two scenes: one stem, separate statistics per scene, HResNet's flat head."""
  options = {"spectral_knowledge": True, "norm_per_scene": True, "blocks": 1, "pool": False, "glorot": False}
  options["convolution"] = "products"
  return make_network(name, **{"bands": BANDS, "class_counts": CLASSES, **options, **changes})


# Compiles several times as fast as HResNet, for tests that hold for any network.
SMALL = network("vresnet", patch=5, width=6, blocks=1)


def weights(net: Network, seed: int = 0) -> tuple[dict, dict]:
  """Returns random parameters and statistics, of such a size that every ReLU and every norm matters."""
  generator = np.random.default_rng(seed)

  def draw(path, leaf):
    kind = path[-1].key
    if kind == "kernel":
      inputs = leaf.shape[1] if leaf.ndim == 3 else np.prod(leaf.shape[-4:-1])
      return generator.normal(0, (2 / inputs) ** 0.5, leaf.shape).astype(np.float32)
    if kind in ("scale", "var"):
      return generator.uniform(0.3, 2, leaf.shape).astype(np.float32)
    return generator.normal(0, 0.1 if kind == "bias" else 0.5, leaf.shape).astype(np.float32)

  return jax.tree.map_with_path(draw, jax.eval_shape(net.init, jax.random.key(0)))


def batch(net: Network, samples: int = 3, seed: int = 0) -> train_step.Batch:
  """Returns one step's random samples of every scene, all valid and with equal weight in their scene."""
  generator = np.random.default_rng(seed)
  shape = (net.scenes, samples)
  return train_step.Batch(
    patches=generator.normal(0, 1, (*shape, net.patch, net.patch, net.stem.bands)).astype(np.float32),
    classes=np.stack([generator.integers(0, count, samples) for count in net.class_counts]).astype(np.int32),
    valid=np.ones(shape, bool),
    weight=np.full(shape, 1 / samples, np.float32),
  )


def labels() -> list[np.ndarray]:
  """Returns label images of both scenes; every class has 4 pixels or more."""
  generator = np.random.default_rng(1)
  return [generator.integers(0, count + 1, shape).astype(np.int32) for count, shape in zip(CLASSES, SHAPES)]


def layers() -> list[patches.Layer]:
  """Returns both scenes: every class is bright in one band, or dark in all."""
  generator = np.random.default_rng(2)
  cubes = [generator.integers(0, 200, (*shape, BANDS)).astype(np.uint16) for shape in SHAPES]
  for cube, image in zip(cubes, labels()):
    cube[np.arange(BANDS) == image[..., None] - 1] += 800
  return [patches.Layer(cube, inputs_by(np.arange(BANDS), 1000.0, BANDS), None) for cube in cubes]


def inputs_by(chosen: np.ndarray, number: float, bands: int) -> Inputs:
  """Returns inputs that choose bands and divide them by a number."""
  return Inputs(bands, chosen, Scaling(np.zeros(len(chosen)), np.full(len(chosen), number)), None)


def training_set(replicas: int = 2, samples_per_class: int = 2) -> batches.TrainingSet:
  """Returns the training pixels of all replicas, leading axis R."""
  images = labels()
  splits = [
    random_split(image, samples_per_class, seed=0, replicas=replicas, name=name)
    for name, image in zip(NAMES, images)
  ]
  ids = [np.arange(1, count + 1) for count in CLASSES]
  return batches.training_set([split.train for split in splits], images, ids)


def schedule(*lengths: int, snapshots: tuple[int, ...] = (0,), frozen: tuple[str, ...] = ()) -> Schedule:
  """Returns phases of the given lengths with learning rates 1, 0.1, ...; the last one has frozen groups."""
  phases = [Phase(f"phase{index + 1}", epochs, 10.0**-index, ()) for index, epochs in enumerate(lengths)]
  last = phases[-1]
  return Schedule((*phases[:-1], Phase(last.name, last.epochs, last.learning_rate, frozen)), snapshots)


def phase_start(net: Network, make_optimizer=ADADELTA, frozen=(), epochs=3) -> dict:
  """Returns a training state with random weights at the beginning of a phase."""
  params, stats = weights(net)
  nothing = np.full((epochs, net.scenes), np.nan, np.float32)
  state = {"params": params, "stats": stats, "losses": nothing, "accuracies": nothing}
  return train_step.start_phase(state, make_optimizer, 1.0, frozen)


def all_patches(padded: np.ndarray, patch: int) -> np.ndarray:
  """Returns the patches of every pixel of a padded scene, cut by NumPy: `[H * W, P, P, B]`."""
  views = np.lib.stride_tricks.sliding_window_view(padded, (patch, patch), axis=(0, 1))
  return views.transpose(0, 1, 3, 4, 2).reshape(-1, patch, patch, padded.shape[-1])


def equal(one, other) -> bool:
  """Whether two trees are equal bit for bit."""
  return all(jax.tree.leaves(jax.tree.map(lambda x, y: np.array_equal(x, y, equal_nan=True), one, other)))
