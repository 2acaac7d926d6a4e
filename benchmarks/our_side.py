"""Our training and classification as `mtl_hsi.fit` and `mtl_hsi.experiment` run them, a call at a time."""

import functools
from collections.abc import Callable

import jax
import numpy as np

from benchmarks.job import Job
from mtl_hsi import classify, problem, train
from mtl_hsi.batches import steps_per_epoch
from mtl_hsi.replicas import Replicas


class OurTraining:
  """The first replicas of a job in training."""

  def __init__(self, job: Job, count: int):
    options, network = job.options, job.given.network
    self._job, self._replicas = job, Replicas(count, jax.devices())
    samples = jax.tree.map(lambda rows: rows[:count], problem.training_set(job.given))
    phase = options.schedule.phases[0]
    epoch = train.make_epoch(
      network,
      options.make_optimizer,
      phase.frozen,
      steps=steps_per_epoch(
        samples.counts, options.batch_size, mixed=options.mixed, drop_last=options.drop_last
      ),
      batch_size=options.batch_size,
      mixed=options.mixed,
    )

    def fresh(key):
      state = train.init_state(network, key, options.schedule.epochs)
      return train.start_phase(state, options.make_optimizer, phase.learning_rate, phase.frozen)

    keys = self._replicas.keys(options.seed)
    self._state = self._replicas.spread(fresh, 1)(keys)
    self._epoch = self._replicas.spread(epoch, 3, donate=True)
    self._inputs = self._replicas.put(samples), keys, self._replicas.share(job.pixels)
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

  def classifier(self) -> Callable[[], np.ndarray]:
    """Classifies the whole scene densely by what has been learnt: class indices `[R, H, W]`."""
    options = self._job.options
    classifier = classify.Classifier(
      self._job.given.network, jax.devices(), options.classify_method, options.tile_pixels
    )
    networks = classifier.place({"params": self._state["params"], "stats": self._state["stats"]})
    return functools.partial(classifier.classify, networks, self._job.padded, 0)
