"""Who competes in which job."""

import functools
from collections.abc import Mapping

import jax
import jax.numpy as jnp
import numpy as np
import torch

from benchmarks import pytorch_peer
from benchmarks.job import Job
from benchmarks.our_side import OurTraining
from benchmarks.timing import Contender, best, interleave

ONE, MANY = "train/hresnet/replicas=1", "train/hresnet/replicas=10"
CLASSIFY, MATMUL = "classify/indian_pines", "matmul"
MATMUL_SIZE = 2048

# PyTorch's batches in classification are rows of the scene; they are tried on its first rows.
_BATCH_ROWS = 1, 2, 4, 8, 16
_TRIAL_ROWS = 32


def training(ours: Mapping[str, OurTraining], job: Job, cores: int) -> list[Contender]:
  """An epoch: ours by job, and PyTorch's in both layouts, one network on all cores or one on each core."""
  weights, count = pytorch_peer.weights_of(*ours[ONE].weights()), len(job.sets)
  contenders = [
    Contender(ONE, "ours", "one network", 1, ours[ONE].epoch),
    Contender(MANY, "ours", "replicas spread over the cores", count, ours[MANY].epoch),
  ]
  for name, layout in pytorch_peer.LAYOUTS.items():
    start = functools.partial(
      pytorch_peer.Training,
      weights,
      layout=layout,
      batch_size=job.options.batch_size,
      optimizer=job.adadelta,
    )
    crowd = pytorch_peer.side_by_side([start(own) for own in job.sets], cores)
    alone = pytorch_peer.threaded(start(job.sets[0]).epoch, cores)
    contenders.append(Contender(ONE, "pytorch", f"{name}, all cores", 1, alone))
    contenders.append(Contender(MANY, "pytorch", f"{name}, a network on each core", count, crowd))
  return contenders


def products(cores: int) -> list[Contender]:
  """A large float32 matrix product by every library."""
  square = np.random.default_rng(0).standard_normal((MATMUL_SIZE, MATMUL_SIZE), np.float32)
  array, tensor, product = jnp.asarray(square), torch.from_numpy(square), jax.jit(jnp.matmul)
  runs = {
    "numpy": lambda: square @ square,
    "jax": lambda: product(array, array).block_until_ready(),
    "pytorch": pytorch_peer.threaded(lambda: tensor @ tensor, cores),
  }
  return [Contender(MATMUL, "machine", library, 1, run) for library, run in runs.items()]


def classification(ours: OurTraining, job: Job, cores: int) -> list[Contender]:
  """The whole scene by one network: ours, and PyTorch's in the layout and batch size that suit it best."""
  weights = pytorch_peer.weights_of(*ours.weights())
  padded, patch = job.padded, job.given.network.patch
  runs = {}
  for name, layout in pytorch_peer.LAYOUTS.items():
    network = pytorch_peer.HResNet(weights, layout).eval()
    for rows in _BATCH_ROWS:
      size = rows * (padded.shape[1] - patch + 1)
      runs[f"{name}, {size} patches a batch"] = functools.partial(
        pytorch_peer.classify, network, layout=layout, patch=patch, rows=rows
      )

  def classify(variant, scene):
    return pytorch_peer.threaded(functools.partial(runs[variant], padded=scene), cores)

  strip = padded[: _TRIAL_ROWS + patch - 1]
  trials = [Contender("trial", "pytorch", variant, 1, classify(variant, strip)) for variant in runs]
  interleave(trials, 1)
  fastest = best(trials, "pytorch").variant
  return [
    Contender(CLASSIFY, "ours", "dense", 1, ours.classifier()),
    Contender(CLASSIFY, "pytorch", f"patch by patch, {fastest}", 1, classify(fastest, padded)),
  ]
