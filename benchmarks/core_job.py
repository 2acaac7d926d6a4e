"""Jobs of the default recipe and of the letter on a simulated scene, with the JAX core only.

This module imports numpy, scipy, jax, flax and optax, and only those parts of `mtl_hsi` that need nothing
else. It therefore runs without the other dependencies. A test compares `DEFAULT` with `configs/best.py`.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from benchmarks.default_job import ContextJob
from mtl_hsi.channels.inputs import Inputs
from mtl_hsi.channels.scaling import Scaling
from mtl_hsi.classification import classify, logits, voting
from mtl_hsi.classification.classify import InferenceOptions, SceneRegion
from mtl_hsi.classification.smoothing import STRENGTHS
from mtl_hsi.models import products, registry
from mtl_hsi.models.multitask import Network
from mtl_hsi.runtime.replicas import Replicas
from mtl_hsi.splits.drawn import random_split
from mtl_hsi.training import batches, optim, patches, train_step
from mtl_hsi.training.batches import TrainingSet
from mtl_hsi.training.patches import Pixels
from mtl_hsi.training.recipe import LETTER_RECIPE, Recipe

_MODEL = {"spectral_knowledge": True, "norm_per_scene": True, "blocks": 1, "pool": False, "glorot": False}
# Side of the squares of one class, in pixels.
_FIELD = 8
_NOISE = 0.7
# Epochs of a schedule; the learning rate and the record of losses start again after them.
_EPOCHS = 20
# As in configs/fields.py.
_TILE_PIXELS = 32768
# Samples of the batch whose gradient is compared.
_CHECKED_SAMPLES = 32


class Kind(NamedTuple):
  """A network and how it is trained.

  Attributes:
    model: arguments of `registry.make_network` by name, without those of scenes and convolution.
    batch_size: samples of a step.
    optimizer: name in optax, and arguments by name.
    learning_rate: the peak rate.
    recipe: differences from the letter's training.
  """

  model: Mapping[str, Any]
  batch_size: int
  optimizer: tuple[str, Mapping[str, Any]]
  learning_rate: float
  recipe: Recipe


DEFAULT = Kind(
  {**_MODEL, "name": "vresnet", "blocks": 4, "patch": 9, "width": 64, "glorot": True},
  32,
  ("adamw", {"weight_decay": 0.05}),
  2e-3,
  Recipe(
    steps=100,
    augmentation="symmetries",
    shift=2,
    balanced=False,
    smoothing=0.1,
    warmup=0.1,
    decay="cosine",
    averaging=0.0,
    jitter=0.0,
    band_dropout=0.0,
  ),
)
LETTER = {
  name: Kind({**_MODEL, "name": name}, 20, ("adadelta", {"rho": 0.95, "eps": 1e-7}), 1.0, LETTER_RECIPE)
  for name in ("hresnet", "ccnn")
}
KINDS = {"vresnet": DEFAULT, **LETTER}
# Compiles quickly.
SMALL = DEFAULT._replace(model={**DEFAULT.model, "blocks": 1, "patch": 5, "width": 4}, batch_size=4)


class Size(NamedTuple):
  """Numbers that determine the cost.

  Attributes:
    side: rows and columns of the scene.
    channels: input channels of the network.
    classes: number of classes.
    samples: training pixels of every class.
    steps: steps of one call of `Training.run`.
  """

  side: int
  channels: int
  classes: int
  samples: int
  steps: int


# Indian Pines: 145 x 145 pixels, 200 bands and 40 MNF components, 16 classes.
INDIAN_PINES = Size(side=145, channels=240, classes=16, samples=10, steps=100)
# The letter's job on it has 160 bands.
LETTER_BANDS = 160
TINY = Size(side=16, channels=6, classes=3, samples=4, steps=2)


class Data(NamedTuple):
  """A scene and its training pixels.

  Attributes:
    size: see `Size`.
    labels: class ids `[H, W]`; every pixel has one.
    cube: values `[H, W, B]`.
    pixels: the padded scene, as training reads it.
    padded: the same, float32 `[H + P - 1, W + P - 1, B]`.
    samples: training pixels of every replica, leading axis R.
  """

  size: Size
  labels: np.ndarray
  pixels: Pixels
  padded: np.ndarray
  samples: TrainingSet


def data(size: Size, patch: int, replicas: int) -> Data:
  """Simulates a scene: squares of one class, whose spectrum has noise in every pixel."""
  generator = np.random.default_rng(0)
  fields = -(-size.side // _FIELD)
  classes = generator.permutation(np.arange(fields**2) % size.classes).reshape(fields, fields) + 1
  labels = np.kron(classes, np.ones((_FIELD, _FIELD), np.int32))[: size.side, : size.side].astype(np.int32)
  spectra = generator.normal(0, 1, (size.classes + 1, size.channels)).astype(np.float32)
  cube = spectra[labels] + generator.normal(0, _NOISE, (*labels.shape, size.channels)).astype(np.float32)
  every_band = np.arange(size.channels)
  unscaled = Scaling(np.zeros(size.channels), np.ones(size.channels))
  layer = patches.Layer(cube, Inputs(size.channels, every_band, unscaled, None), None)
  pixels, (padded,) = patches.lay_out([layer], patch)
  split = random_split(labels, size.samples, seed=0, replicas=replicas, name="simulated")
  samples = batches.training_set([split.train], [labels], [np.arange(1, size.classes + 1)])
  return Data(size, labels, pixels, padded, samples)


def network(kind: Kind, size: Size, convolution: str = "products") -> Network:
  """Builds the network of one scene; `convolution` is a key of `convolution.FORMS`."""
  counts = (size.classes,)
  return registry.make_network(
    bands=size.channels, class_counts=counts, convolution=convolution, **kind.model
  )


def context_job(kind: Kind, given: Data) -> ContextJob:
  """Returns the training of a VResNet for PyTorch."""
  _, arguments = kind.optimizer
  return ContextJob(
    patch=kind.model["patch"],
    width=kind.model["width"],
    blocks=kind.model["blocks"],
    class_count=given.size.classes,
    batch_size=kind.batch_size,
    steps=_EPOCHS * given.size.steps,
    learning_rate=kind.learning_rate,
    weight_decay=arguments["weight_decay"],
    warmup=kind.recipe.warmup,
    label_smoothing=kind.recipe.smoothing,
    shift=kind.recipe.shift,
    padded=given.padded,
    centres=given.samples.centres[:, 0, : given.samples.counts[0, 0]],
    classes=given.samples.classes[:, 0, : given.samples.counts[0, 0]],
  )


def initial_weights(network: Network, count: int) -> dict:
  """Returns new {"params", "stats"} of R networks, leading axis R."""
  params, stats = jax.jit(jax.vmap(network.init))(jax.random.split(jax.random.key(0), count))
  return jax.tree.map(np.asarray, {"params": params, "stats": stats})


class Training:
  """Networks of one kind in training on one device.

  Args:
    kind: network and recipe.
    given: the scene, with the training pixels of R replicas or more, where R is the number of networks.
    start: initial {"params", "stats"} of all networks, leading axis R.
    device: where they are trained.
    precision: a key of `products.PRECISIONS`.
    convolution: a key of `convolution.FORMS`.
  """

  def __init__(
    self,
    kind: Kind,
    given: Data,
    start: dict,
    device: jax.Device,
    *,
    precision: str = "float32",
    convolution: str = "products",
  ):
    built = network(kind, given.size, convolution)
    count = len(jax.tree.leaves(start)[0])
    self._steps, self._precision = given.size.steps, precision
    self._replicas = Replicas(count, [device])
    make_optimizer = optim.optimizer(*kind.optimizer)
    epoch = train_step.make_epoch(
      built, make_optimizer, (), batch_size=kind.batch_size, mixed=False, recipe=kind.recipe
    )

    def begin(weights):
      state = train_step.state_from(built, weights, _EPOCHS)
      return train_step.start_phase(state, make_optimizer, kind.learning_rate, ())

    samples = self._replicas.put(jax.tree.map(lambda rows: rows[:count], given.samples))
    self._inputs = samples, self._replicas.keys(0), self._replicas.share(given.pixels)
    self._epoch = self._replicas.spread(epoch, 3, donate=True)
    self._rate, self._done = np.float32(kind.learning_rate), 0
    self._state = self._replicas.spread(begin, 1)(self._replicas.put(start))

  def run(self) -> np.ndarray:
    """Trains all networks for `Size.steps` steps; returns their mean losses `[R]`."""
    row, span = self._done % _EPOCHS, (np.int32(0), np.int32(_EPOCHS))
    with products.precision(self._precision):
      self._state = self._epoch(
        self._state, *self._inputs, np.int32(row), self._rate, np.int32(self._steps), span
      )
      losses = self._replicas.get(self._state["losses"])
    self._done += 1
    return losses[:, row, 0]

  def weights(self) -> dict:
    """Returns {"params", "stats"} of all networks, leading axis R."""
    return self._replicas.get({key: self._state[key] for key in ("params", "stats")})


def classifier(
  network: Network, weights: dict, given: Data, device: jax.Device, *, smoothing: str, precision: str
) -> Callable[[], voting.Votes]:
  """Returns a function that classifies every pixel by all networks; see `Classifier.vote`.

  Args:
    network: the architecture.
    weights: {"params", "stats"}, leading axis R.
    given: the scene.
    device: where it is classified.
    smoothing: a key of `smoothing.STRENGTHS`.
    precision: a key of `products.PRECISIONS`.
  """
  options = InferenceOptions(symmetric=False, smoothing=STRENGTHS[smoothing])
  one = classify.Classifier((network,), [device], "dense", _TILE_PIXELS, options)
  snapshots = one.place_snapshots([weights])
  # Neighbours of one class differ by twice the variance of the noise.
  region = SceneRegion(given.padded, 0, contrast=2 * _NOISE**2)

  def run():
    with products.precision(precision):
      return one.vote(snapshots, region, lambda: None)

  return run


def scene_logits(network: Network, weights: dict, given: Data, method: str, precision: str) -> np.ndarray:
  """Returns the logits `[H, W, C]` of every pixel by the first network and a method of `logits.METHODS`."""
  first = jax.tree.map(lambda x: x[0], weights)
  program = jax.jit(functools.partial(logits.METHODS[method], network))
  with products.precision(precision):
    return np.asarray(program(first["params"], first["stats"], given.padded, 0))


def gradient(network: Network, weights: dict, given: Data, device: jax.Device) -> np.ndarray:
  """Returns the gradient of the loss of the first samples at the first network, float32, as one vector."""
  count = min(_CHECKED_SAMPLES, given.size.samples * given.size.classes)
  scene = np.zeros((1, count), np.int32)
  symmetry = np.arange(count, dtype=np.int32).reshape(1, -1) % patches.MIRROR_IMAGES
  valid = np.ones((1, count), bool)

  def loss(params, stats, pixels, centres, classes):
    cut = patches.gather(pixels, scene, centres, symmetry, network.patch)
    batch = train_step.Batch(cut, classes, valid, valid / np.float32(count))
    return train_step.loss(params, stats, batch, jax.random.key(0), network=network, frozen=())[0]

  params, stats = (jax.tree.map(lambda x: x[0], weights[key]) for key in ("params", "stats"))
  samples = (rows[0, :, :count] for rows in given.samples[:2])
  placed = jax.device_put((params, stats, given.pixels, *samples), device)
  with products.precision("float32"):
    leaves = jax.tree.leaves(jax.jit(jax.grad(loss))(*placed))
  return np.concatenate([np.ravel(leaf) for leaf in leaves])
