"""Trains the networks of one kind of an experiment, with a progress bar and its history."""

import contextlib
import dataclasses
import functools

import numpy as np

from mtl_hsi.classification import mixture
from mtl_hsi.experiment import adaptation
from mtl_hsi.experiment.problem import Problem, training_set
from mtl_hsi.experiment.recorder import Recorder
from mtl_hsi.models.multitask import Network
from mtl_hsi.runs.trained_run import TrainedRun
from mtl_hsi.runtime import interruption, progress
from mtl_hsi.runtime.replicas import Replicas
from mtl_hsi.settings.experiment_settings import Settings
from mtl_hsi.training.checkpoints import Checkpoints
from mtl_hsi.training.loop import Saving, TrainingData, TrainingPlan, fit
from mtl_hsi.training.patches import Pixels


def train(
  settings: Settings,
  problem: Problem,
  replicas: Replicas,
  pixels: Pixels,
  checkpoints: Checkpoints,
  origin: TrainedRun | None,
  member: str,
  recorder: Recorder,
) -> np.ndarray:
  """Trains all networks of one kind, or resumes.

  Args:
    settings: the settings.
    problem: scenes, splits and networks.
    replicas: the R networks of the kind.
    pixels: of all scenes.
    checkpoints: of the kind.
    origin: the run that training starts from, or None.
    member: the kind, `mixture.NETWORK` or `mixture.LOCAL`.
    recorder: gets losses and accuracies of every epoch.

  Returns:
    Losses `[epochs, R, T]`.

  Raises:
    RequestError: training is not finite, or files cannot be read or written.
    KeyboardInterrupt: the user interrupted the run; its state is saved.
  """
  plan = _plan(settings, problem, member)
  data = TrainingData(training_set(problem), pixels, list(problem.scenes))

  initial = origin and functools.partial(_adapted, settings, problem, replicas, plan, data, origin, member)
  with contextlib.ExitStack() as stack:
    interrupted = stack.enter_context(interruption.postponed())
    record = stack.enter_context(recorder.training(member, plan, data))
    title = _title(plan.network, problem)
    bar = None

    def report_epoch(losses, accuracies):
      nonlocal bar
      record(losses, accuracies)
      if bar is None:
        # The remaining time is not estimated from epochs of an earlier start.
        bar = stack.enter_context(progress.bar(title, plan.schedule.epochs, "epoch", initial=len(losses)))
      else:
        bar.set_postfix_str(f"loss {np.mean(losses[-1]):.4f}", refresh=False)
        bar.update()

    return fit(
      plan,
      data,
      replicas,
      Saving(checkpoints, settings.training.checkpoint_seconds),
      progress=report_epoch,
      initial=initial,
      interrupted=interrupted,
    )


def _plan(settings: Settings, problem: Problem, member: str) -> TrainingPlan:
  training, network = settings.training, problem.network
  recipe = training.recipe
  if member == mixture.LOCAL:
    network, recipe = problem.local, dataclasses.replace(recipe, shift=0)
  return TrainingPlan(
    network,
    training.make_optimizer,
    training.schedule,
    seed=settings.seed,
    batch_size=training.batch_size,
    mixed=training.mixed,
    drop_last=training.drop_last,
    recipe=recipe,
    streams=problem.ensemble.streams(),
  )


def _adapted(settings, problem, replicas, plan, data, origin, member):
  """Returns the initial networks of a run that starts from another one."""
  return adaptation.start(
    origin,
    plan.network,
    replicas,
    data.samples,
    data.pixels,
    seed=settings.seed,
    streams=plan.streams,
    new_stem=settings.origin.new_stem,
    local=member == mixture.LOCAL,
    known_outputs=problem.legend.positions_in(origin.legend),
  )


def _title(network: Network, problem: Problem) -> str:
  return f"training {network.patch} x {network.patch}" if problem.local else "training"
