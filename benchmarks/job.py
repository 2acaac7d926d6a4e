"""What both sides do: HResNet on Indian Pines, as configs/mtl.py:in has it."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from configs import mtl
from mtl_hsi import patches, problem, settings
from mtl_hsi.patches import MIRRORS, Pixels
from mtl_hsi.problem import Problem
from mtl_hsi.settings import Settings


class Samples(NamedTuple):
  """A training set cut out.

  Attributes:
    patches: all mirror images, float32 `[M, P, P, B]`.
    classes: class indices, int32 `[M]`.
  """

  patches: np.ndarray
  classes: np.ndarray


class Job(NamedTuple):
  """The job.

  Attributes:
    options: the config, read.
    given: scene, splits and network.
    pixels: the scene on its way to our network.
    padded: the scene and its margin `[H + P - 1, W + P - 1, B]`.
    sets: the training set of every replica.
    adadelta: arguments of PyTorch's optimiser.
  """

  options: Settings
  given: Problem
  pixels: Pixels
  padded: np.ndarray
  sets: list[Samples]
  adadelta: dict[str, float]


def prepare() -> Job:
  """The job: 10 samples per class, 10 replicas, all else by the config's defaults."""
  config = mtl.get_config("in")
  config.samples_per_class, config.replicas = 10, 10
  options = settings.read(config)
  given = problem.prepare(options)
  pixels, (padded,) = patches.lay_out(problem.layers(given), given.network.patch)
  sets = [_samples(given, pixels, replica) for replica in range(options.replicas)]
  optimizer = config.optimizer
  adadelta = {"lr": config.phases.phase1.learning_rate, "rho": optimizer.rho, "eps": optimizer.eps}
  return Job(options, given, pixels, padded, sets, adadelta)


def flop_per_epoch(job: Job) -> int:
  """Floating-point operations that the convolutions need in an epoch of one network.

  A convolution takes two per weight, position and sample forward, as many for
  the gradient of its weights, and as many for that of its input, which the
  first one does without.
  """
  network = job.given.network
  params, _ = jax.eval_shape(network.init, jax.random.key(0))
  block = params["backbone"]["residuals_0"]
  first, later = params["stem"]["conv"]["kernel"], (block["conv1"]["kernel"], block["conv2"]["kernel"])
  passes = 2 * first.size + 3 * sum(kernel.size for kernel in later)
  return 2 * passes * (network.patch - 2) ** 2 * len(job.sets[0].classes)


def _samples(given, pixels, replica):
  samples = problem.training_set(given)
  centres, classes = samples.centres[replica, 0], samples.classes[replica, 0]
  shape = len(MIRRORS), len(centres)
  mirror = jnp.broadcast_to(jnp.asarray(MIRRORS)[:, None], (*shape, 2))
  centres = jnp.broadcast_to(centres, (*shape, 2))
  cut = patches.gather(pixels, jnp.zeros(shape, int), centres, mirror, given.network.patch)
  return Samples(np.array(cut).reshape(-1, *cut.shape[2:]), np.tile(classes, len(MIRRORS)))
