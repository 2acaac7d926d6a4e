"""Trains and classifies the scenes of an experiment, with networks or with SVMs."""

import functools
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import numpy as np

from mtl_hsi.classification import classify, mixture
from mtl_hsi.classification.voting import Votes
from mtl_hsi.experiment import unknown_maps
from mtl_hsi.experiment.mixtures import SceneMixture, choose_mixtures
from mtl_hsi.experiment.network_training import train
from mtl_hsi.experiment.problem import Problem, channels_of, lay_out
from mtl_hsi.experiment.recorder import Recorder
from mtl_hsi.experiment.scene_votes import classify_scenes
from mtl_hsi.experiment.unlike_fit import fit_unlike
from mtl_hsi.models import products
from mtl_hsi.runs.trained_run import TrainedRun
from mtl_hsi.runs.unlike_record import UnlikeRecord
from mtl_hsi.runtime import devices, processes, progress
from mtl_hsi.runtime.compile_clock import compile_clock
from mtl_hsi.runtime.replicas import Replicas
from mtl_hsi.settings.experiment_settings import Settings
from mtl_hsi.training import svm_jobs
from mtl_hsi.training.checkpoints import Checkpoints


class Outcome(NamedTuple):
  """Results of training and classification.

  Attributes:
    losses: `[epochs, R, T]`, or None for SVMs.
    predictions: class ids of every pixel `[G, H, W]` in every map, by scene.
    votes: the snapshots' votes with their confidence, by scene, or None for SVMs.
    seconds: wall time by activity.
    compilations: number of programs compiled or read from the compile cache.
    entries: further entries of `metrics.json`.
    mixtures: the mixtures of every scene, one for each map; empty if nothing is mixed.
    unlike: the data that unknown pixels are found with, by scene; empty without left-out labels.
    unknown: the pixels that are unlike every class, by scene; empty if not requested.
  """

  losses: np.ndarray | None
  predictions: Mapping[str, np.ndarray]
  votes: Mapping[str, Votes] | None
  seconds: Mapping[str, float]
  compilations: int
  entries: Mapping[str, Any]
  mixtures: Mapping[str, Sequence[SceneMixture]]
  unlike: Mapping[str, UnlikeRecord]
  unknown: Mapping[str, unknown_maps.FoundUnknown]


def execute(settings: Settings, problem: Problem, directory: Path, origin: TrainedRun | None) -> Outcome:
  """Trains and classifies; resumes from the checkpoints of an earlier start.

  Args:
    settings: the settings.
    problem: scenes, splits and network.
    directory: the work directory.
    origin: the run that training starts from, or None.

  Raises:
    RequestError: training or classification is not finite, or checkpoints cannot be read or written.
  """
  if problem.network is None:
    return _svms(settings, problem, directory / "checkpoints")
  return _networks(settings, problem, directory, origin)


def _networks(settings, problem, directory, origin):
  """Trains the networks of all maps and folds on all scenes, and classifies with their snapshots."""
  start = time.monotonic()
  replicas = Replicas(problem.ensemble.count, jax.devices())
  stores = checkpoint_stores(settings, directory / "checkpoints")
  recorder = Recorder(directory, tensorboard=settings.tensorboard)
  with products.precision(settings.precision):
    with compile_clock() as training:
      pixels, padded = lay_out(problem)
      losses = [
        train(settings, problem, replicas, pixels, checkpoints, origin, member, recorder)
        for member, checkpoints in stores.items()
      ]
      trained = time.monotonic()
    del pixels
    devices.return_freed_memory()
    with compile_clock() as classification:
      snapshots = _snapshots(settings, problem, replicas, stores)
      regions = _regions(problem, padded)
      mixtures = _mixtures(settings, problem, snapshots, regions)
      unlike = fit_unlike(settings, problem, regions)
      devices.return_freed_memory()
      votes = classify_scenes(settings, problem, snapshots, regions, mixtures, directory / "maps")
      unknown = unknown_maps.measure(settings, problem, regions, unlike, directory / "maps")
      end = time.monotonic()
  devices.return_freed_memory()
  predictions = {name: problem.legend.class_ids(name)[of_scene.labels] for name, of_scene in votes.items()}
  seconds = _seconds(trained - start, end - trained, training.seconds, classification.seconds)
  compilations = training.compilations + classification.compilations
  return Outcome(losses[0], predictions, votes, seconds, compilations, {}, mixtures, unlike, unknown)


def checkpoint_stores(settings: Settings, directory: Path) -> dict[str, Checkpoints]:
  """Returns the checkpoints of the networks to train by name, in a directory of a run."""
  places = {
    member: directory if member == mixture.NETWORK else directory / member
    for member in settings.mixture.members
    if member != mixture.REGRESSION
  }
  epochs = settings.training.schedule.snapshot_epochs
  return {member: Checkpoints(place, epochs) for member, place in places.items()}


def _svms(settings, problem, directory):
  """Trains an SVM per scene and replica. The wall time is divided by the share of training in all jobs."""
  start = time.monotonic()
  directory, tasks = directory / "svm", _tasks(problem)
  finished = svm_jobs.load_finished(tasks, directory)
  with progress.bar("svm", len(tasks) * problem.ensemble.maps, "job", len(finished)) as bar:
    svms, share = svm_jobs.finish(
      tasks, finished, directory, cores=devices.usable_cores(), progress=bar.update
    )
  predictions = {name: np.stack([svm.prediction for svm in of_scene]) for name, of_scene in svms.items()}
  chosen = {
    name: {"C": [svm.C for svm in of_scene], "gamma": [svm.gamma for svm in of_scene]}
    for name, of_scene in svms.items()
  }
  total = time.monotonic() - start
  seconds = _seconds(share * total, (1 - share) * total, 0.0, 0.0)
  return Outcome(None, predictions, None, seconds, 0, {"svm": chosen}, {}, {}, {})


def _tasks(problem):
  return {
    name: svm_jobs.Task(channels_of(problem, name), scene.labels, problem.splits[name].train)
    for name, scene in problem.scenes.items()
  }


def _seconds(train, classify, compile_train, compile_classify):
  """Returns wall times; compilation is included in the others."""
  return {
    "train": train,
    "classify": classify,
    "total": train + classify,
    "compile": compile_train + compile_classify,
    "compile_train": compile_train,
    "compile_classify": compile_classify,
  }


def _snapshots(settings, problem, replicas, stores):
  """Returns {"params", "stats"} and "local" of all networks for every voting epoch."""
  snapshots = []
  for epoch in settings.training.schedule.snapshot_epochs:
    trees = []
    for network, checkpoints in zip(problem.networks, stores.values(), strict=True):
      params, stats = jax.eval_shape(network.init, jax.random.key(0))
      shapes = replicas.shapes({"params": params, "stats": stats})
      restore = functools.partial(checkpoints.restore_snapshot, epoch, shapes)
      trees.append(jax.tree.map(np.asarray, processes.tree_from_first(restore, shapes)))
    local = {mixture.LOCAL: trees[1]} if len(trees) > 1 else {}
    snapshots.append(trees[0] | local)
  return snapshots


def _regions(problem, padded):
  """Returns every scene as a whole."""
  return {
    name: classify.SceneRegion(
      padded[index], index, problem.inputs[name].contrast, None if scene.nodata is None else ~scene.nodata
    )
    for index, (name, scene) in enumerate(problem.scenes.items())
  }


def _mixtures(settings, problem, snapshots, regions):
  if not (settings.mixture.chosen or settings.split.by_folds):
    return {}
  groups = len(regions) if problem.legend.names is None else 1
  parts = groups * problem.ensemble.maps * problem.ensemble.folds
  with progress.bar("left-out labels", parts, "fold") as bar:
    return choose_mixtures(settings, problem, snapshots, regions, bar.update)
