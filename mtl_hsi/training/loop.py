"""The training loop: epochs, snapshots, checkpoints, and resuming."""

import dataclasses
import functools
import time
from collections.abc import Callable, Mapping, Sequence

import jax
import numpy as np

from mtl_hsi.models.multitask import Network
from mtl_hsi.runtime import processes
from mtl_hsi.runtime.replicas import Replicas
from mtl_hsi.training import health, optim, train_step
from mtl_hsi.training.batches import TrainingSet, steps_per_epoch
from mtl_hsi.training.checkpoints import Checkpoints
from mtl_hsi.training.patches import Pixels
from mtl_hsi.training.recipe import LETTER_RECIPE, Recipe
from mtl_hsi.training.schedule import Phase, Schedule

# Called with the mean losses and the accuracies on training samples [epochs, R, T] of all finished epochs.
Progress = Callable[[np.ndarray, np.ndarray], None]


@dataclasses.dataclass(frozen=True)
class TrainingPlan:
  """The network, its optimiser and its schedule.

  Attributes:
    network: the architecture.
    make_optimizer: from `optim.optimizer`.
    schedule: phases and snapshots.
    seed: of replica 0.
    batch_size: N.
    mixed: see `batches.epoch_order`.
    drop_last: see `batches.steps_per_epoch`.
    recipe: how training departs from the letter's recipe.
    streams: replica and stream of every network, see `Replicas.keys`; None: replica r has `seed + r`.
  """

  network: Network
  make_optimizer: optim.Factory
  schedule: Schedule
  seed: int
  batch_size: int
  mixed: bool
  drop_last: bool
  recipe: Recipe = LETTER_RECIPE
  streams: np.ndarray | None = None


@dataclasses.dataclass(frozen=True)
class TrainingData:
  """The training pixels of all replicas and the scenes that they belong to.

  Attributes:
    samples: training sets of all replicas, leading axis R.
    pixels: of all scenes.
    scene_names: for error messages.
  """

  samples: TrainingSet
  pixels: Pixels
  scene_names: Sequence[str]


@dataclasses.dataclass(frozen=True)
class Saving:
  """Where and how often the training state is saved.

  Attributes:
    checkpoints: the store.
    seconds: time between two saves of the training state.
  """

  checkpoints: Checkpoints
  seconds: float


@dataclasses.dataclass(frozen=True)
class _Programs:
  """Compiled functions of all replicas.

  Attributes:
    epochs: for every set of frozen groups, the epoch that leaves them unchanged.
    averaged: from a state to its averaged network.
  """

  epochs: Mapping[tuple[str, ...], Callable]
  averaged: Callable


def fit(
  plan: TrainingPlan,
  data: TrainingData,
  replicas: Replicas,
  saving: Saving,
  *,
  progress: Progress,
  initial: Callable[[], dict] | None = None,
  interrupted: Callable[[], bool] | None = None,
) -> np.ndarray:
  """Trains all replicas to the end of the schedule, from the latest checkpoint if there is one.

  Args:
    plan: the network, its optimiser and its schedule.
    data: training sets and scenes.
    replicas: the R networks.
    saving: where and how often the state is saved.
    progress: called at the start and after every epoch.
    initial: returns the initial {"params", "stats"} of all replicas, leading axis R; None: fresh networks.
      It is called only if there is no checkpoint.
    interrupted: whether to stop; called after every epoch, whose state is then saved.

  Returns:
    Mean loss of every epoch `[epochs, R, T]`.

  Raises:
    RequestError: a loss or the state after an epoch is not finite (what was saved before is kept), or a
      checkpoint is unusable.
    KeyboardInterrupt: `interrupted` returned true.
  """
  schedule = plan.schedule
  keys = replicas.keys(plan.seed, plan.streams)
  inputs = replicas.put(data.samples), keys, replicas.share(data.pixels)
  steps = _steps(plan, data.samples)
  programs = _programs(plan, replicas)
  done, state = _begin(plan, replicas, keys, saving.checkpoints, initial)
  losses, accuracies = _means(replicas.get(_kept(state)), done)
  progress(losses, accuracies)
  saved, saved_at = done, time.monotonic()
  while done < schedule.epochs:
    state, losses, accuracies = _train_epoch(
      plan, data, replicas, programs, done, state, (*inputs, steps), saved
    )
    done += 1
    progress(losses, accuracies)
    if done in schedule.snapshot_epochs:
      _save_snapshot(plan, replicas, programs, saving.checkpoints, done, state)
    if done < schedule.epochs and schedule.span_at(done).first == done:
      state = _next_phase(plan, replicas, state, schedule.span_at(done).phase)
    stop = bool(interrupted and processes.from_first(interrupted))
    if stop or done == schedule.epochs or _is_due(saved_at, saving.seconds):
      _save_state(replicas, saving.checkpoints, done, state)
      saved, saved_at = done, time.monotonic()
    if stop:
      raise KeyboardInterrupt
  return losses


def learning_rates(plan: TrainingPlan, data: TrainingData) -> np.ndarray:
  """Returns the learning rate at the last step of every epoch, float32 `[epochs]`."""
  steps = _steps(plan, data.samples)
  # For every epoch: rate of its phase, number of earlier steps at its last step, and all steps of the phase.
  rows = [
    (span.phase.learning_rate, (epoch + 1) * steps - 1, span.epochs * steps)
    for span in plan.schedule.spans
    for epoch in range(span.epochs)
  ]
  return np.asarray(jax.jit(plan.recipe.learning_rate)(*np.array(rows, np.float32).T))


def _kept(state):
  return tuple(state[name] for name in train_step.MEANS)


def _means(kept, done):
  """Returns copies `[done, R, T]` of means `[R, epochs, T]`, whose memory the next epoch uses again."""
  return [means[:, :done].transpose(1, 0, 2).copy() for means in kept]


def _train_epoch(plan, data, replicas, programs, done, state, inputs, saved):
  """Trains epoch `done`; returns the new state, and losses and accuracies up to it [done + 1, R, T], checked.

  `inputs` holds the samples, keys, pixels and number of steps; `saved` is the epoch of the last save.
  """
  *fixed, steps = inputs
  span = plan.schedule.span_at(done)
  rate = np.float32(span.phase.learning_rate)
  phase_span = np.int32(span.first), np.int32(span.epochs)
  run = programs.epochs[span.phase.frozen]
  state, finite = run(state, *fixed, np.int32(done), rate, steps, phase_span)
  kept, finite = replicas.get((_kept(state), finite))
  losses, accuracies = _means(kept, done + 1)
  epoch = health.Epoch(done + 1, span.phase, plan.seed, data.scene_names, saved)
  health.check_epoch(losses[done], finite, epoch)
  return state, losses, accuracies


def _steps(plan, samples):
  return np.int32(
    steps_per_epoch(
      samples.counts,
      plan.batch_size,
      mixed=plan.mixed,
      drop_last=plan.drop_last,
      fixed=plan.recipe.steps,
    )
  )


def _programs(plan: TrainingPlan, replicas: Replicas) -> _Programs:
  def epoch(frozen):
    run = train_step.make_epoch(
      plan.network,
      plan.make_optimizer,
      frozen,
      batch_size=plan.batch_size,
      mixed=plan.mixed,
      recipe=plan.recipe,
    )
    return replicas.spread(health.with_finite_flags(run), 3, donate=True)

  averaged = functools.partial(optim.averaged_network, decay=plan.recipe.averaging)
  return _Programs(
    {frozen: epoch(frozen) for frozen in {phase.frozen for phase in plan.schedule.phases}},
    replicas.spread(averaged, 1),
  )


def _begin(plan, replicas, keys, checkpoints, initial):
  """Returns the number of finished epochs and the state, from the latest checkpoint or a new one."""

  def shapes(done):
    phase = plan.schedule.span_at(min(done, plan.schedule.epochs - 1)).phase
    fresh = functools.partial(_fresh_state, plan=plan, phase=phase)
    return replicas.shapes(jax.eval_shape(fresh, jax.random.key(0)))

  restored = _restore(checkpoints, shapes)
  if restored is not None:
    done, state = restored
    return done, replicas.put(state)
  phase = plan.schedule.phases[0]
  if initial is not None:
    start = functools.partial(_state_from, plan=plan, phase=phase)
    return 0, replicas.spread(start, 1)(replicas.put(initial()))
  return 0, replicas.spread(functools.partial(_fresh_state, plan=plan, phase=phase), 1)(keys)


def _restore(checkpoints, shapes):
  """Returns epoch and state of the latest checkpoint, equal in all processes; None if there is none."""
  found = []

  def find():
    latest = checkpoints.restore_latest_state(shapes)
    found.append(latest)
    return -1 if latest is None else latest[0]

  done = processes.from_first(find)
  if done < 0:
    return None
  return done, processes.tree_from_first(lambda: found[0][1], shapes(done))


def _fresh_state(key, plan, phase):
  return _at_start(train_step.init_state(plan.network, key, plan.schedule.epochs), plan, phase)


def _state_from(weights, plan, phase):
  return _at_start(train_step.state_from(plan.network, weights, plan.schedule.epochs), plan, phase)


def _at_start(state, plan, phase):
  averaging = plan.recipe.averaging
  state = optim.start_average(state, averaging) if averaging else state
  return _start_phase(state, plan, phase)


def _start_phase(state, plan, phase):
  return train_step.start_phase(state, plan.make_optimizer, phase.learning_rate, phase.frozen)


def _next_phase(plan, replicas, state, phase: Phase):
  return replicas.spread(functools.partial(_start_phase, plan=plan, phase=phase), 1)(state)


def _save_snapshot(plan, replicas, programs, checkpoints, done, state):
  network = programs.averaged(state) if plan.recipe.averaging else state
  snapshot = replicas.get({"params": network["params"], "stats": network["stats"]})
  processes.from_first(functools.partial(checkpoints.save_snapshot, done, snapshot))


def _save_state(replicas, checkpoints, done, state):
  whole = replicas.get(state)
  processes.from_first(functools.partial(checkpoints.save_state, done, whole))


def _is_due(saved_at, seconds):
  """Whether to save the state now; the clock of the first process decides for all."""
  return bool(processes.from_first(lambda: time.monotonic() - saved_at >= seconds))
