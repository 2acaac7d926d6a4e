"""The three sides, each in a process of its own: what they try at a job, a timed call at a time."""

import datetime
import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks import job as jobs
from benchmarks import same_job
from benchmarks.job import MANY, MATMUL_SIZE, Job, Work
from benchmarks.timing import Contender, clocked, interleave

# Epochs in a call of one network, so that what `fit` does once weighs little.
_EPOCHS = 3
# Epochs before the network that classifies the scene.
_LEARNING_EPOCHS = 5
# Batches in classification are rows of the scene; they are tried on its first rows.
_BATCH_ROWS = 1, 2, 4, 8, 16, 32, 64
_TRIAL_ROWS = 64


class Side:
  """Contenders of the job in hand.

  Args:
    directory: of the files that tell of the jobs.
    networks: trained at once by ours.
    cores: that this process may use.
    device: "cpu" or "gpu".
  """

  def __init__(self, directory: Path, networks: int, cores: int, device: str):
    self.directory, self.networks, self.cores, self.device = directory, networks, cores, device
    self._tasks, self._results = [], {}

  def open(self, work: Work) -> list[tuple[int, str]]:
    """Gets ready for a job; returns number and variant of every contender."""
    first = len(self._tasks)
    tasks = getattr(self, work.kind)(work)
    for variant, units, run in tasks:
      self._tasks.append((variant, clocked(self._kept(len(self._tasks), run), units)))
    return [(index, self._tasks[index][0]) for index in range(first, len(self._tasks))]

  def close(self) -> None:
    """Forgets all contenders."""
    self._tasks, self._results = [], {}

  def call(self, index: int) -> float:
    """Seconds of a contender, per network and epoch."""
    return self._tasks[index][1]()

  def result(self, index: int) -> object:
    """What a contender's last call gave."""
    return self._results[index]

  def _kept(self, index, run):
    def call():
      self._results[index] = run()

    return call

  def _path(self, name, network, scenes=1):
    return self.directory / f"{name}-{network}-{scenes}.npz"


class Ours(Side):
  """Ours; it also tells the others what to do."""

  def __init__(self, directory: Path, networks: int, cores: int, device: str):
    super().__init__(directory, networks, cores, device)
    from mtl_hsi.runtime import devices

    # The sides share a GPU.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    # As launch.py does.
    devices.configure(Path(".compile_cache"), networks)

  def machine(self, command: Sequence[str]) -> dict:
    """Machine and software."""
    from mtl_hsi.runtime.environment import describe_environment

    return describe_environment(command, datetime.datetime.now().astimezone())

  def prepare(self, network: str, scenes: int) -> int:
    """Writes the files of a job; returns its arithmetic in floating-point operations per epoch."""
    from benchmarks import our_side

    config, prepared = self._prepared(network, scenes)
    job = our_side.told(config, prepared)
    jobs.save(job, self._path("job", network, scenes))
    same_job.save(our_side.reference(prepared), self._path("reference", network, scenes))
    return job.flop_per_epoch

  def learn(self, network: str) -> None:
    """Writes the weights of a network that has been trained a little."""
    from benchmarks import our_side

    training = our_side.OurTraining(self._prepared(network, 1)[1], 1)
    training.epochs(_LEARNING_EPOCHS)
    np.savez(self._path("weights", network), **training.weights())

  def train(self, work: Work) -> list:
    """Epochs of as many networks as this process trains at once."""
    from benchmarks import our_side

    training = our_side.OurTraining(self._prepared(work.network, work.scenes)[1], self.networks)
    epochs = _EPOCHS if self.networks == 1 else 1
    variant = "one network" if self.networks == 1 else "replicas spread over the devices"
    return [(variant, epochs * self.networks, functools.partial(training.epochs, epochs))]

  def classify(self, work: Work) -> list:
    """The dense form."""
    from benchmarks import our_side

    training = our_side.OurTraining(self._prepared(work.network, 1)[1], self.networks)
    training.epochs(_LEARNING_EPOCHS)
    variant = "dense, one network" if self.networks == 1 else "dense, replicas spread over the devices"
    return [(variant, self.networks, training.classifier())]

  def matmul(self, work: Work) -> list:
    """numpy's product and ours."""
    import jax
    import jax.numpy as jnp

    square = np.random.default_rng(0).standard_normal((MATMUL_SIZE, MATMUL_SIZE), np.float32)
    array, product = jnp.asarray(square), jax.jit(jnp.matmul)
    return [
      ("numpy", 1, lambda: square @ square),
      ("jax", 1, lambda: product(array, array).block_until_ready()),
    ]

  @functools.lru_cache(1)  # noqa: B019 - the side lives as long as its process
  def _prepared(self, network, scenes):
    from benchmarks import our_side

    config = our_side.config(network, scenes)
    return config, our_side.prepare(config)


class _Peer(Side):
  """What both peers share."""

  def _job(self, work: Work, model: Callable[[Job, same_job.Weights], same_job.Peer]) -> Job:
    """The job, which the peer has proved to do."""
    reference = same_job.load(self._path("reference", work.network, work.scenes))
    job = jobs.load(self._path("job", work.network, work.scenes))
    same_job.check(model(job, reference.weights), reference, type(self).__name__, self.device)
    return job

  def _learnt(self, network):
    with np.load(self._path("weights", network)) as stored:
      return dict(stored)


class PyTorch(_Peer):
  """PyTorch, in both layouts."""

  def train(self, work: Work) -> list:
    """One network on all cores, or a single-threaded one on each core at a time."""
    from benchmarks import pytorch_peer

    tasks = []
    for name, layout in pytorch_peer.LAYOUTS.items():
      model = functools.partial(pytorch_peer.Model, layout=layout)
      job = self._job(work, functools.partial(model, dropout=0.0))
      count = MANY if work.replicas > 1 else 1
      trainings = [
        pytorch_peer.Training(model(job, None), job.samples(replica), job.batch_size)
        for replica in range(count)
      ]
      if count == 1:
        run = pytorch_peer.threaded(functools.partial(trainings[0].epochs, _EPOCHS), self.cores)
        tasks.append((name, _EPOCHS, run))
      elif self.device == "cpu":
        crowd = [functools.partial(training.epochs, 1) for training in trainings]
        run = pytorch_peer.side_by_side(crowd, self.cores)
        tasks.append((f"{name}, a network on each core", count, run))
    return tasks

  def classify(self, work: Work) -> list:
    """Patch by patch, in the layout and batch that suit it best: on all cores, or a network on each."""
    from benchmarks import pytorch_peer

    if work.replicas > 1 and self.device != "cpu":
      return []
    runs = {}
    for name, layout in pytorch_peer.LAYOUTS.items():
      job = self._job(work, functools.partial(pytorch_peer.Model, layout=layout, dropout=0.0))
      model = pytorch_peer.Model(job, self._learnt(work.network), layout)
      for rows in _BATCH_ROWS:
        run = functools.partial(model.classify, rows=rows)
        runs[f"patch by patch, {name}, {rows} rows a batch"] = run
    padded, threads = job.padded[0], self.cores if work.replicas == 1 else 1

    def on(scene):
      return {
        variant: pytorch_peer.threaded(functools.partial(run, scene), threads)
        for variant, run in runs.items()
      }

    variant = _fastest(on(padded[: _TRIAL_ROWS + job.patch - 1]))
    if work.replicas == 1:
      return [(variant, 1, on(padded)[variant])]
    run = functools.partial(runs[variant], padded)
    crowd = pytorch_peer.side_by_side([run] * self.cores, self.cores)
    return [(f"{variant}, a network on each core", self.cores, lambda: crowd()[0])]

  def matmul(self, work: Work) -> list:
    """Its product."""
    from benchmarks import pytorch_peer

    return [("pytorch", 1, pytorch_peer.product(MATMUL_SIZE, self.cores))]


class Keras(_Peer):
  """Keras on TensorFlow."""

  def train(self, work: Work) -> list:
    """One network after another, as the author does: the work of one network says it all."""
    from benchmarks import keras_peer

    if work.replicas > 1:
      return []
    job = self._job(work, functools.partial(keras_peer.Model, dropout=0.0))
    training = keras_peer.Training(keras_peer.Model(job, None), job.samples(0), job.batch_size)
    return [("fit", _EPOCHS, functools.partial(training.epochs, _EPOCHS))]

  def classify(self, work: Work) -> list:
    """One network after another: patch by patch, in the batch that suits it best, and row by row."""
    from benchmarks import keras_peer

    if work.replicas > 1:
      return []
    job = self._job(work, functools.partial(keras_peer.Model, dropout=0.0))
    model, padded = keras_peer.Model(job, self._learnt(work.network)), job.padded[0]
    width = padded.shape[1] - job.patch + 1

    def on(scene):
      return {
        f"predict, {rows * width} patches a batch": functools.partial(model.classify, scene, rows * width)
        for rows in _BATCH_ROWS
      }

    variant = _fastest(on(padded[: _TRIAL_ROWS + job.patch - 1]))
    by_row = functools.partial(model.classify_by_row, padded)
    return [(variant, 1, on(padded)[variant]), ("predict row by row", 1, by_row)]

  def matmul(self, work: Work) -> list:
    """TensorFlow's product."""
    from benchmarks import keras_peer

    return [("tensorflow", 1, keras_peer.product(MATMUL_SIZE))]


SIDES = {"ours": Ours, "keras": Keras, "pytorch": PyTorch}


def _fastest(runs):
  """The variant that is fastest at its second call."""
  trials = [Contender("trial", "", variant, clocked(run, 1)) for variant, run in runs.items()]
  interleave(trials, 1, title="")
  return min(trials, key=lambda own: own.seconds[0]).variant
