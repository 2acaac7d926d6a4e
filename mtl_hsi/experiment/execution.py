"""Training and classification of an experiment, as networks or as SVMs: the hours of a run."""

import contextlib
import functools
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from mtl_hsi.classification import classify
from mtl_hsi.classification.voting import Votes
from mtl_hsi.experiment import adaptation
from mtl_hsi.experiment.problem import Problem, layers, training_set
from mtl_hsi.models import products
from mtl_hsi.runs.trained_run import TrainedRun
from mtl_hsi.runtime import devices, interruption, processes, progress
from mtl_hsi.runtime.compile_clock import compile_clock
from mtl_hsi.runtime.replicas import Replicas
from mtl_hsi.settings.experiment_settings import Settings
from mtl_hsi.training import health, patches, svm_jobs
from mtl_hsi.training.checkpoints import Checkpoints
from mtl_hsi.training.loop import Saving, TrainingData, TrainingPlan, fit


class Work(NamedTuple):
  """What training and classification leave.

  Attributes:
    losses: `[epochs, R, T]`, or None where nothing was trained by epochs.
    predictions: class ids of every pixel `[R, H, W]` by scene.
    votes: the snapshots' votes with their confidence by scene, or None where nothing voted.
    seconds: time spent, by activity.
    compilations: programs compiled, or read from the compile cache.
    entries: what else is for `metrics.json`.
  """

  losses: np.ndarray | None
  predictions: Mapping[str, np.ndarray]
  votes: Mapping[str, Votes] | None
  seconds: Mapping[str, float]
  compilations: int
  entries: Mapping[str, Any]


def do(settings: Settings, problem: Problem, directory: Path, origin: TrainedRun | None) -> Work:
  """Trains and classifies, or what is left of it.

  Args:
    settings: what is asked for.
    problem: what it is asked of.
    directory: the work directory.
    origin: the run that training starts from, or None.

  Raises:
    RequestError: training or classification is not finite, or checkpoints cannot be read or written.
  """
  directory = directory / "checkpoints"
  if problem.network is None:
    return _svms(settings, problem, directory)
  return _networks(settings, problem, directory, origin)


def _networks(settings, problem, directory, origin):
  """All scenes in one network, in every replica."""
  start = time.monotonic()
  replicas = Replicas(settings.replicas, jax.devices())
  checkpoints = Checkpoints(directory, settings.training.schedule.snapshot_epochs)
  with products.precision(settings.precision):
    with compile_clock() as training:
      pixels, padded = patches.lay_out(layers(problem), problem.patch)
      losses = _train(settings, problem, replicas, pixels, checkpoints, origin)
      trained = time.monotonic()
    with compile_clock() as classification:
      votes = _classify(settings, problem, replicas, padded, checkpoints)
      end = time.monotonic()
  predictions = {name: problem.scenes[name].class_ids[own.labels] for name, own in votes.items()}
  seconds = _seconds(trained - start, end - trained, training.seconds, classification.seconds)
  return Work(losses, predictions, votes, seconds, training.compilations + classification.compilations, {})


def _svms(settings, problem, directory):
  """Every scene on its own, in every replica, all side by side; training gets its share of the time."""
  start = time.monotonic()
  directory, tasks = directory / "svm", _tasks(problem)
  finished = svm_jobs.load_finished(tasks, directory)
  with progress.bar("svm", len(tasks) * settings.replicas, "job", len(finished)) as bar:
    svms, share = svm_jobs.finish(
      tasks, finished, directory, cores=devices.usable_cores(), progress=bar.update
    )
  predictions = {name: np.stack([svm.prediction for svm in own]) for name, own in svms.items()}
  chosen = {
    name: {"C": [svm.C for svm in own], "gamma": [svm.gamma for svm in own]} for name, own in svms.items()
  }
  total = time.monotonic() - start
  seconds = _seconds(share * total, (1 - share) * total, 0.0, 0.0)
  return Work(None, predictions, None, seconds, 0, {"svm": chosen})


def _tasks(problem):
  tasks = {}
  for (name, scene), layer in zip(problem.scenes.items(), layers(problem), strict=True):
    # One by one, since their numbers of bands may differ.
    _, (cube,) = patches.lay_out([layer], problem.patch)
    tasks[name] = svm_jobs.Task(cube, scene.labels, problem.splits[name].train)
  return tasks


def _seconds(train, classify, compile_train, compile_classify):
  """Wall times; those of the compiler are within the others."""
  return {
    "train": train,
    "classify": classify,
    "total": train + classify,
    "compile": compile_train + compile_classify,
    "compile_train": compile_train,
    "compile_classify": compile_classify,
  }


def _train(settings, problem, replicas, pixels, checkpoints, origin):
  samples = training_set(problem)

  def begin():
    return adaptation.start(
      origin,
      problem.network,
      replicas,
      samples,
      pixels,
      seed=settings.seed,
      new_stem=settings.origin.new_stem,
    )

  with contextlib.ExitStack() as stack:
    interrupted = stack.enter_context(interruption.postponed())
    bar = None

    def report_epoch(done, losses):
      nonlocal bar
      if bar is None:
        # Epochs of an earlier start say nothing about the remaining time.
        bar = stack.enter_context(
          progress.bar("training", settings.training.schedule.epochs, "epoch", initial=done)
        )
      else:
        bar.set_postfix_str(f"loss {np.mean(losses):.4f}", refresh=False)
        bar.update()

    return fit(
      TrainingPlan(
        problem.network,
        settings.training.make_optimizer,
        settings.training.schedule,
        seed=settings.seed,
        batch_size=settings.training.batch_size,
        mixed=settings.training.mixed,
        drop_last=settings.training.drop_last,
        recipe=settings.training.recipe,
      ),
      TrainingData(samples, pixels, list(problem.scenes)),
      replicas,
      Saving(checkpoints, settings.training.checkpoint_seconds),
      progress=report_epoch,
      initial=origin and begin,
      interrupted=interrupted,
    )


def _classify(settings, problem, replicas, padded, checkpoints):
  """The snapshots' votes on every pixel, by scene."""
  network, inference = problem.network, settings.inference
  classifier = classify.Classifier(
    network, jax.devices(), inference.method, inference.tile_pixels, inference.options
  )
  params, stats = jax.eval_shape(network.init, jax.random.key(0))
  shapes = replicas.shapes({"params": params, "stats": stats})
  snapshots = []
  for epoch in settings.training.schedule.snapshot_epochs:
    restore = functools.partial(checkpoints.restore_snapshot, epoch, shapes)
    snapshots.append(jax.tree.map(np.asarray, processes.tree_from_first(restore, shapes)))
  placed = classifier.place_snapshots(snapshots)
  regions = {
    name: classify.SceneRegion(
      padded[index],
      index,
      problem.inputs[name].contrast,
      None if scene.nodata is None else ~scene.nodata,
    )
    for index, (name, scene) in enumerate(problem.scenes.items())
  }
  tiles = sum(len(classifier.tiles(region)) for region in regions.values())
  with progress.bar("classifying", tiles, "tile") as bar:
    votes = {name: classifier.vote(placed, region, bar.update) for name, region in regions.items()}
  for name, own in votes.items():
    health.check_probabilities(own.probability, name, settings.seed)
  return votes
