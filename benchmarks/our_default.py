"""Our side of the rows of the default recipe: its context network on Indian Pines, n = 10."""

from collections.abc import Callable

import jax
import numpy as np
from ml_collections import config_dict

from benchmarks.default_job import ContextJob, SmoothingJob
from benchmarks.job import MANY
from benchmarks.our_side import Prepared
from configs import best
from mtl_hsi.classification import smoothing
from mtl_hsi.classification.classify import InferenceOptions
from mtl_hsi.experiment import problem

SAMPLES_PER_CLASS = 10


def config() -> config_dict.ConfigDict:
  """Returns `configs/best.py:indian_pines` with the number of replicas that the benchmark trains at once."""
  made = best.get_config("indian_pines")
  made.samples_per_class, made.replicas = SAMPLES_PER_CLASS, MANY
  return made


def context_job(prepared: Prepared) -> ContextJob:
  """Returns the training of the context network for PyTorch."""
  training, model = prepared.settings.training, prepared.settings.model
  samples, recipe = problem.training_set(prepared.given), training.recipe
  (phase,), count = training.schedule.phases, int(samples.counts[0, 0])
  return ContextJob(
    patch=prepared.given.network.patch,
    width=model.width,
    blocks=model.blocks,
    class_count=prepared.given.network.class_counts[0],
    batch_size=training.batch_size,
    steps=recipe.steps * phase.epochs,
    learning_rate=phase.learning_rate,
    weight_decay=config().optimizer.weight_decay,
    warmup=recipe.warmup,
    label_smoothing=recipe.smoothing,
    shift=recipe.shift,
    padded=prepared.padded[0],
    centres=samples.centres[:, 0, :count],
    classes=samples.classes[:, 0, :count],
  )


def smoothing_job(prepared: Prepared) -> SmoothingJob:
  """Returns far smoothing of random probabilities of the scene's classes."""
  margin, classes = prepared.given.network.patch // 2, prepared.given.network.class_counts[0]
  channels = prepared.padded[0][margin:-margin, margin:-margin]
  logits = np.random.default_rng(0).normal(0, 2, (*channels.shape[:2], classes)).astype(np.float32)
  probabilities = np.exp(logits)
  probabilities /= probabilities.sum(axis=-1, keepdims=True)
  settings = smoothing.STRENGTHS["strong"]
  (inputs,) = prepared.given.inputs.values()
  scale = inputs.contrast / settings.sharpness
  return SmoothingJob(channels, probabilities, scale, settings.steps, settings.restart)


def smoother(job: SmoothingJob) -> Callable[[], np.ndarray]:
  """Returns a function that computes weights and smooths the whole scene in one piece: `[H, W, C]`."""
  settings = smoothing.Smoothing(job.steps, job.restart, 1.0)
  measured = np.ones(job.channels.shape[:2], bool)

  @jax.jit
  def smooth(channels, probabilities):
    mixing = smoothing.weights(channels, measured, job.scale)
    return smoothing.smooth(probabilities, mixing, settings)

  placed = jax.device_put((job.channels, job.probabilities), jax.devices()[0])
  return lambda: np.asarray(smooth(*placed))


def far_smoothing(prepared: Prepared) -> InferenceOptions:
  """Returns the options of inference with the smoothing of `configs/fields.py`."""
  options = prepared.settings.inference.options
  return options._replace(smoothing=smoothing.STRENGTHS["strong"])
