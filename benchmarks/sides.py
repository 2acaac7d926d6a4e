"""The three compared implementations, each in a separate process, and their variants of a job."""

import datetime
import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks import job as jobs
from benchmarks import peak_memory, same_job
from benchmarks.default_sides import OursByDefault, PyTorchByDefault, SciPyByDefault
from benchmarks.job import MANY, MATMUL_SIZE, Job, Work
from benchmarks.timing import Contender, clocked, interleave

# Epochs per call of one network, so that the one-time costs of `fit` matter little.
_EPOCHS = 3
# Epochs of training before a network classifies the scene.
_LEARNING_EPOCHS = 5
# Possible batches in classification, in rows of the scene; the first rows of the scene decide.
_BATCH_ROWS = 1, 2, 4, 8, 16, 32, 64
_TRIAL_ROWS = 64


class Side:
  """The contenders of a side at the current job.

  Args:
    directory: directory of the files of the jobs.
    networks: number of networks that our side trains at once.
    cores: number of cores that this process may use.
    device: "cpu" or "gpu".
  """

  def __init__(self, directory: Path, networks: int, cores: int, device: str):
    self.directory, self.networks, self.cores, self.device = directory, networks, cores, device
    self._tasks, self._results = [], {}
    peak_memory.reset()

  def open(self, work: Work) -> list[tuple[int, str]]:
    """Prepares a job; returns index and variant of every contender."""
    first = len(self._tasks)
    # Not every side has every job.
    tasks = getattr(self, work.kind, lambda _: [])(work)
    for variant, units, run in tasks:
      self._tasks.append((variant, clocked(self._kept(len(self._tasks), run), units)))
    return [(index, self._tasks[index][0]) for index in range(first, len(self._tasks))]

  def close(self) -> None:
    """Removes all contenders."""
    self._tasks, self._results = [], {}
    peak_memory.reset()

  def peak(self) -> int | None:
    """Returns the peak memory of this process since `close`, in bytes; None without a job or if unknown."""
    return peak_memory.peak() if self._tasks else None

  def call(self, index: int) -> float:
    """Runs a contender; returns its seconds per network and epoch."""
    return self._tasks[index][1]()

  def result(self, index: int) -> object:
    """Returns the result of a contender's last call."""
    return self._results[index]

  def _kept(self, index, run):
    def call():
      self._results[index] = run()

    return call

  def _path(self, name, network, scenes=1):
    return self.directory / f"{name}-{network}-{scenes}.npz"


class Ours(OursByDefault, Side):
  """Our side, which also writes the job for the others."""

  def __init__(self, directory: Path, networks: int, cores: int, device: str):
    super().__init__(directory, networks, cores, device)
    from mtl_hsi.runtime import devices

    # The sides share a GPU.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    # As in launch.py.
    devices.configure(Path(".compile_cache"), networks)

  def machine(self, command: Sequence[str]) -> dict:
    """Returns a description of machine and software."""
    from mtl_hsi.runtime.environment import describe_environment

    return describe_environment(command, datetime.datetime.now().astimezone())

  def prepare(self, network: str, scenes: int) -> int:
    """Writes the files of a job; returns its floating-point operations per epoch."""
    from benchmarks import our_side

    config, prepared = self._prepared(network, scenes)
    job = our_side.make_job(config, prepared)
    jobs.save(job, self._path("job", network, scenes))
    same_job.save(our_side.reference(prepared), self._path("reference", network, scenes))
    return job.flop_per_epoch

  def learn(self, network: str) -> None:
    """Writes the weights of a network after a few epochs of training."""
    from benchmarks import our_side

    training = our_side.OurTraining(self._prepared(network, 1)[1], 1)
    training.epochs(_LEARNING_EPOCHS)
    np.savez(self._path("weights", network), **training.weights())

  def train(self, work: Work) -> list:
    """Trains all networks of this process at once."""
    from benchmarks import our_side

    training = our_side.OurTraining(self._prepared(work.network, work.scenes)[1], self.networks)
    epochs = _EPOCHS if self.networks == 1 else 1
    variant = "one network" if self.networks == 1 else "replicas spread over the devices"
    return [(variant, epochs * self.networks, functools.partial(training.epochs, epochs))]

  def classify(self, work: Work) -> list:
    """Classifies with the dense form of the network."""
    from benchmarks import our_side

    training = our_side.OurTraining(self._prepared(work.network, 1)[1], self.networks)
    training.epochs(_LEARNING_EPOCHS)
    variant = "dense, one network" if self.networks == 1 else "dense, replicas spread over the devices"
    return [(variant, self.networks, training.classifier())]

  def matmul(self, work: Work) -> list:
    """Multiplies with numpy and with JAX."""
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
  """Base of both peers."""

  def _job(self, work: Work, model: Callable[[Job, same_job.Weights], same_job.Peer]) -> Job:
    """Returns the job, after a check that the peer does the same."""
    reference = same_job.load(self._path("reference", work.network, work.scenes))
    job = jobs.load(self._path("job", work.network, work.scenes))
    same_job.check(model(job, reference.weights), reference, type(self).__name__, self.device)
    return job

  def _learnt(self, network):
    with np.load(self._path("weights", network)) as stored:
      return dict(stored)


class PyTorch(PyTorchByDefault, _Peer):
  """PyTorch, in both layouts."""

  def train(self, work: Work) -> list:
    """Trains one network on all cores, or a single-threaded one on each core at a time."""
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
    """Classifies by patches, in the fastest layout and batch: on all cores, or one network per core."""
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
    """Multiplies with PyTorch."""
    from benchmarks import pytorch_peer

    return [("pytorch", 1, pytorch_peer.product(MATMUL_SIZE, self.cores))]


class Keras(_Peer):
  """Keras on TensorFlow."""

  def train(self, work: Work) -> list:
    """Trains one network; several are trained one after another, as the author does."""
    from benchmarks import keras_peer

    if work.replicas > 1:
      return []
    job = self._job(work, functools.partial(keras_peer.Model, dropout=0.0))
    training = keras_peer.Training(keras_peer.Model(job, None), job.samples(0), job.batch_size)
    return [("fit", _EPOCHS, functools.partial(training.epochs, _EPOCHS))]

  def classify(self, work: Work) -> list:
    """Classifies with one network: by patches in the fastest batch, and row by row."""
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
    """Multiplies with TensorFlow."""
    from benchmarks import keras_peer

    return [("tensorflow", 1, keras_peer.product(MATMUL_SIZE))]


class SciPy(SciPyByDefault, Side):
  """SciPy, which only smooths."""


SIDES = {"ours": Ours, "keras": Keras, "pytorch": PyTorch, "scipy": SciPy}


def _fastest(runs):
  """Returns the variant that is fastest in its second call."""
  trials = [Contender("trial", "", variant, clocked(run, 1)) for variant, run in runs.items()]
  interleave(trials, 1, title="")
  return min(trials, key=lambda trial: trial.seconds[0]).variant
