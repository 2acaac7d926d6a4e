"""Our training and classification as `mtl_hsi.fit` and `mtl_hsi.experiment` run them, a call at a time."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from mtl_hsi import classify, patches, problem, train
from mtl_hsi.batches import steps_per_epoch
from mtl_hsi.patches import MIRRORS, Pixels
from mtl_hsi.problem import Problem
from mtl_hsi.replicas import Replicas
from mtl_hsi.settings import Settings


class OurTraining:
  """The first replicas of a problem in training.

  Args:
    options: what `problem.prepare` was given.
    given: scene, splits and network.
    pixels: of the scene.
    count: how many replicas.
  """

  def __init__(self, options: Settings, given: Problem, pixels: Pixels, count: int):
    self._network, self._replicas = given.network, Replicas(count, jax.devices())
    samples = jax.tree.map(lambda rows: rows[:count], problem.training_set(given))
    phase = options.schedule.phases[0]
    epoch = train.make_epoch(
      given.network,
      options.make_optimizer,
      phase.frozen,
      steps=steps_per_epoch(samples.counts, options.batch_size, options.mixed),
      batch_size=options.batch_size,
      mixed=options.mixed,
    )

    def fresh(key):
      state = train.init_state(given.network, key, options.schedule.epochs)
      return train.start_phase(state, options.make_optimizer, phase.learning_rate, phase.frozen)

    keys = self._replicas.keys(options.seed)
    self._state = self._replicas.spread(fresh, 1)(keys)
    self._epoch = self._replicas.spread(epoch, 3, donate=True)
    self._inputs = self._replicas.put(samples), keys, self._replicas.share(pixels)
    self._rate, self._done = np.float32(phase.learning_rate), 0

  def epoch(self) -> np.ndarray:
    """Trains every replica for one epoch; returns the mean losses `[R, T]`."""
    self._state = self._epoch(self._state, *self._inputs, np.int32(self._done), self._rate)
    self._done += 1
    return self._replicas.get(self._state["losses"][:, self._done - 1])

  def weights(self) -> tuple[dict, dict]:
    """Parameters and moving statistics of the first replica."""
    own = self._replicas.get({"params": self._state["params"], "stats": self._state["stats"]})
    return tuple(jax.tree.map(lambda x: x[0], own[key]) for key in ("params", "stats"))

  def classifier(self, padded: np.ndarray, tile_pixels: int) -> Callable[[], np.ndarray]:
    """Classifies the whole scene densely by what has been learnt: class indices `[R, H, W]`."""
    compiled = classify.make_classifier(self._network, self._replicas, "dense")
    snapshot = {"params": self._state["params"], "stats": self._state["stats"]}
    return lambda: classify.classify(
      compiled, self._replicas, snapshot, padded, 0, patch=self._network.patch, pixels=tile_pixels
    )


def mirrored_patches(given: Problem, pixels: Pixels, replica: int) -> tuple[np.ndarray, np.ndarray]:
  """A replica's training set cut out: patches `[M, P, P, B]` of all mirror images, and classes `[M]`."""
  samples = problem.training_set(given)
  centres, classes = samples.centres[replica, 0], samples.classes[replica, 0]
  shape = len(MIRRORS), len(centres)
  factors = jnp.broadcast_to(jnp.asarray(MIRRORS)[:, None], (*shape, 2))
  cut = patches.gather(
    pixels, jnp.zeros(shape, int), jnp.broadcast_to(centres, (*shape, 2)), factors, given.network.patch
  )
  return np.array(cut).reshape(-1, *cut.shape[2:]), np.tile(classes, len(MIRRORS))


def flop_per_epoch(params: dict, patch: int, samples: int) -> int:
  """Floating-point operations that an epoch of HResNet's convolutions needs, for one network.

  A convolution costs 2 operations per weight and position forward, as many for
  its weights' gradient, and as many for its input's, which the first one does
  not need.

  Args:
    params: of the network.
    patch: side P.
    samples: training samples, mirror images included.
  """
  block = params["backbone"]["residuals_0"]
  weights = 2 * params["stem"]["conv"]["kernel"].size
  weights += 3 * (block["conv1"]["kernel"].size + block["conv2"]["kernel"].size)
  return 2 * weights * (patch - 2) ** 2 * samples
