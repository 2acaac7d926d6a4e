"""Our training and classification, one call at a time."""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import config_dict

from benchmarks.job import Job
from benchmarks.same_job import Reference, Weights
from configs import mtl
from mtl_hsi.classification import classify
from mtl_hsi.classification.classify import PLAIN, InferenceOptions
from mtl_hsi.experiment import problem
from mtl_hsi.experiment.problem import Problem
from mtl_hsi.models import ccnn, products
from mtl_hsi.models.multitask import Network
from mtl_hsi.runtime.replicas import Replicas
from mtl_hsi.settings import experiment_settings
from mtl_hsi.settings.experiment_settings import Settings
from mtl_hsi.training import patches, train_step
from mtl_hsi.training.batches import steps_per_epoch
from mtl_hsi.training.patches import MIRROR_IMAGES, Pixels

# As in launch.py.
jax.config.update("jax_default_matmul_precision", products.PRECISIONS["float32"])

# Simulated scenes that replace the other public scenes, with the same numbers of classes.
_SIMULATED = {"simulated_salinas": 16, "simulated_university": 9, "simulated_centre": 9}
_SIDE = 120
# Classes of the simulated scenes; a scene with fewer classes has the first ones.
CLASSES = (
  *("asphalt road", "clay tile roof", "metal roof", "parking lot", "sand", "bare soil", "stubble", "grass"),
  *("trees", "ploughed soil", "fallow", "dry grass", "sparse crop", "green crop", "ripening crop"),
  "vineyard",
)


class Prepared(NamedTuple):
  """A job on our side.

  Attributes:
    settings: the config, read.
    given: scenes, splits and network.
    pixels: the scenes on their way to our network.
    padded: every scene and its margin `[H + P - 1, W + P - 1, B]`.
  """

  settings: Settings
  given: Problem
  pixels: Pixels
  padded: list[np.ndarray]


def config(network: str, scenes: int) -> config_dict.ConfigDict:
  """Returns the config `mtl.py:in` with a network and, for 4 scenes, three simulated partners."""
  experiment = mtl.get_config("in")
  experiment.model.name = network
  for seed, (name, classes) in enumerate(list(_SIMULATED.items())[: scenes - 1]):
    experiment.scenes += (name,)
    experiment.simulate[name] = {
      "height": _SIDE,
      "width": _SIDE,
      "sensor": "AVIRIS",
      "centres": (),
      "widths": (),
      "classes": CLASSES[:classes],
      "seed": seed,
      "labelled_fraction": 0.5,
    }
  return experiment


def prepare(experiment: config_dict.ConfigDict) -> Prepared:
  """Loads the scenes of a config, draws the splits and builds the network."""
  settings = experiment_settings.read(experiment)
  given = problem.prepare(settings)
  return Prepared(settings, given, *patches.lay_out(problem.layers(given), given.network.patch))


def make_job(experiment: config_dict.ConfigDict, prepared: Prepared) -> Job:
  """Returns the job for the other sides."""
  settings, given, samples = prepared.settings, prepared.given, problem.training_set(prepared.given)
  counts, phases = samples.counts[0], settings.training.schedule.phases
  return Job(
    network=experiment.model.name,
    patch=given.network.patch,
    batch_size=settings.training.batch_size,
    class_counts=given.network.class_counts,
    learning_rates=tuple(phase.learning_rate for phase in phases),
    epochs=tuple(phase.epochs for phase in phases),
    snapshot_epochs=settings.training.schedule.snapshots[0],
    snapshots=len(settings.training.schedule.snapshots),
    rho=experiment.optimizer.rho,
    epsilon=experiment.optimizer.eps,
    # Shorter sets wrap around to the length of the longest.
    flop_per_epoch=flop_per_sample(given.network) * MIRROR_IMAGES * int(counts.max()) * len(counts),
    padded=prepared.padded,
    centres=[samples.centres[:, scene, :count] for scene, count in enumerate(counts)],
    classes=[samples.classes[:, scene, :count] for scene, count in enumerate(counts)],
  )


def flop_per_sample(network) -> int:
  """Returns the floating-point operations of the convolutions for training on one patch.

  A convolution takes two per weight and position forward, as many for the
  gradient of its weights, and as many for that of its input, which the first
  ones do without.
  """
  params, _ = jax.eval_shape(network.init, jax.random.key(0))
  stem, backbone = (_kernels(params[group]) for group in ("stem", "backbone"))
  inner = network.patch - max(kernel.shape[1] for kernel in stem) + 1
  first = sum(kernel.size * (network.patch - kernel.shape[1] + 1) ** 2 for kernel in stem)
  later = sum(kernel.size * inner**2 for kernel in backbone)
  return 2 * (2 * first + 3 * later)


def _kernels(group):
  return [leaf for path, leaf in jax.tree_util.tree_leaves_with_path(group) if path[-1].key == "kernel"]


class OurTraining:
  """The first replicas of a job in training.

  Args:
    prepared: the job.
    count: replicas.
    steps: of an epoch; by default all.
  """

  def __init__(self, prepared: Prepared, count: int, steps: int | None = None):
    settings, network = prepared.settings, prepared.given.network
    self._prepared, self._replicas = prepared, Replicas(count, jax.devices())
    samples = jax.tree.map(lambda rows: rows[:count], problem.training_set(prepared.given))
    phase = settings.training.schedule.phases[0]
    all_steps = steps_per_epoch(
      samples.counts,
      settings.training.batch_size,
      mixed=settings.training.mixed,
      drop_last=settings.training.drop_last,
      fixed=settings.training.recipe.steps,
    )
    epoch = train_step.make_epoch(
      network,
      settings.training.make_optimizer,
      phase.frozen,
      batch_size=settings.training.batch_size,
      mixed=settings.training.mixed,
      recipe=settings.training.recipe,
    )

    def fresh(key):
      state = train_step.init_state(network, key, settings.training.schedule.epochs)
      return train_step.start_phase(
        state, settings.training.make_optimizer, phase.learning_rate, phase.frozen
      )

    keys = self._replicas.keys(settings.seed)
    self._state = self._replicas.spread(fresh, 1)(keys)
    self._epoch = self._replicas.spread(epoch, 3, donate=True)
    self._inputs = self._replicas.put(samples), keys, self._replicas.share(prepared.pixels)
    self._rate, self._done = np.float32(phase.learning_rate), 0
    self._steps = np.int32(steps or all_steps)
    self._span = np.int32(0), np.int32(settings.training.schedule.epochs)

  def epochs(self, count: int) -> np.ndarray:
    """Trains every replica for `count` epochs, one call each; returns the last mean losses `[R, T]`."""
    for _ in range(count):
      # The array of losses has the length of one schedule, and the benchmark may train longer.
      row = self._done % self._prepared.settings.training.schedule.epochs
      self._state = self._epoch(
        self._state, *self._inputs, np.int32(row), self._rate, self._steps, self._span
      )
      self._done += 1
      losses = self._replicas.get(self._state["losses"][:, row])
    return losses

  def weights(self) -> Weights:
    """Returns the weights of the first replica."""
    stored = self._replicas.get({"params": self._state["params"], "stats": self._state["stats"]})
    params, stats = (jax.tree.map(lambda x: x[0], stored[key]) for key in ("params", "stats"))
    return flat(params, stats, self._prepared.given.network.class_counts)

  def classifier(self, options: InferenceOptions = PLAIN) -> Callable[[], np.ndarray]:
    """Returns a function that classifies the first scene densely: class indices `[R, H, W]`."""
    settings, given = self._prepared.settings, self._prepared.given
    classifier = classify.Classifier(
      (given.network,),
      jax.devices(),
      settings.inference.method,
      settings.inference.tile_pixels,
      options,
    )
    snapshots = classifier.place_snapshots([{key: self._state[key] for key in ("params", "stats")}])
    contrast = given.inputs[next(iter(given.scenes))].contrast
    region = classify.SceneRegion(self._prepared.padded[0], 0, contrast)
    return lambda: classifier.vote(snapshots, region, lambda: None).labels


def flat(params: dict, stats: dict, class_counts: tuple[int, ...]) -> Weights:
  """Returns parameters and moving statistics as `same_job.Weights`."""
  trees = {"stem": params["stem"], "backbone": params["backbone"]}, {"backbone": stats}
  weights = {
    "/".join(key.key for key in path): np.asarray(leaf)
    for tree in trees
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
  }
  # Statistics have a row for every scene; in weights for the other sides, these rows are equal.
  weights = {name: x[0] if name.endswith(("/mean", "/var")) else x for name, x in weights.items()}
  for scene, count in enumerate(class_counts):
    for name in ("kernel", "bias"):
      weights[f"heads/{scene}/{name}"] = np.asarray(params["heads"][name][scene, ..., :count])
  return weights


def reference(prepared: Prepared) -> Reference:
  """Returns the reference for the other sides: a random network, and the same after one update."""
  network, settings = prepared.given.network, prepared.settings
  params, stats = _random_weights(network)
  samples, rate = problem.training_set(prepared.given), settings.training.schedule.phases[0].learning_rate
  chosen = np.arange(settings.training.batch_size) * samples.counts[0].min() // settings.training.batch_size
  scenes = range(network.scenes)
  centres = jnp.asarray(np.stack([samples.centres[0, scene, chosen] for scene in scenes]))
  classes = np.stack([samples.classes[0, scene, chosen] for scene in scenes])
  scene_index = jnp.broadcast_to(jnp.arange(network.scenes)[:, None], classes.shape)
  # The author's first mirror image.
  flipped = jnp.ones(classes.shape, jnp.int32)
  pixels = jax.tree.map(jnp.asarray, prepared.pixels)
  cut = patches.gather(pixels, scene_index, centres, flipped, network.patch)
  valid = jnp.ones(classes.shape, bool)
  batch = train_step.Batch(cut, jnp.asarray(classes), valid, valid / len(chosen))
  state = train_step.start_phase(
    {"params": params, "stats": stats}, settings.training.make_optimizer, rate, ()
  )
  step = jax.jit(
    train_step.make_train_step(
      _without_dropout(network), settings.training.make_optimizer, (), settings.training.recipe
    )
  )
  state, outcome = step(state, batch, rate, jax.random.key(0))
  logits = jax.jit(network.patch_logits)
  return Reference(
    patches=np.asarray(cut),
    classes=classes,
    logits=[
      np.asarray(logits(params, stats, cut[scene], scene))[:, : network.class_counts[scene]]
      for scene in scenes
    ],
    loss=float(jnp.sum(jnp.mean(outcome.entropies, axis=1))),
    weights=flat(params, stats, network.class_counts),
    updated=flat(state["params"], state["stats"], network.class_counts),
  )


def _without_dropout(network: Network) -> Network:
  if isinstance(network.backbone, ccnn.Backbone):
    return dataclasses.replace(network, backbone=network.backbone.clone(drop=0.0))
  return network


def _random_weights(network):
  """Returns a network whose output depends on every parameter; all scenes have equal statistics.

  Features that are hardly ever active would make an update depend on rounding.
  """
  generator = np.random.default_rng(0)

  def draw(path, leaf):
    name = path[-1].key
    if name == "kernel":
      # Convolutions [O, k, k, D], heads [T, D, C].
      inputs = leaf.shape[1] if leaf.ndim == 3 else np.prod(leaf.shape[1:])
      return generator.normal(0, (2 / inputs) ** 0.5, leaf.shape).astype(np.float32)
    if name in ("scale", "var"):
      return generator.uniform(0.5, 2, leaf.shape).astype(np.float32)
    return generator.normal(0, 0.1, leaf.shape).astype(np.float32)

  params, stats = jax.tree_util.tree_map_with_path(draw, jax.eval_shape(network.init, jax.random.key(0)))
  return params, jax.tree.map(lambda x: np.repeat(x[:1], len(x), axis=0), stats)
