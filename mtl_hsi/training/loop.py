"""The training loop: epochs, snapshots, checkpoints, resuming."""

import functools
import time
from collections.abc import Callable, Sequence

import jax
import numpy as np

from mtl_hsi.models.multitask import Network
from mtl_hsi.runtime import processes
from mtl_hsi.runtime.replicas import Replicas
from mtl_hsi.training import averaging, health, optim, train_step
from mtl_hsi.training.batches import TrainingSet, steps_per_epoch
from mtl_hsi.training.checkpoints import Checkpoints
from mtl_hsi.training.patches import Pixels
from mtl_hsi.training.recipe import LETTERS, Recipe
from mtl_hsi.training.schedule import Schedule

# Called with the number of finished epochs and the last one's losses [R, T], None at the start.
Progress = Callable[[int, np.ndarray | None], None]


def fit(
  network: Network,
  make_optimizer: optim.Factory,
  schedule: Schedule,
  replicas: Replicas,
  samples: TrainingSet,
  pixels: Pixels,
  *,
  seed: int,
  batch_size: int,
  mixed: bool,
  drop_last: bool,
  checkpoints: Checkpoints,
  checkpoint_seconds: float,
  scene_names: Sequence[str],
  progress: Progress,
  start: Callable[[], dict] | None = None,
  interrupted: Callable[[], bool] | None = None,
  recipe: Recipe = LETTERS,
) -> np.ndarray:
  """Trains all replicas to the end of the schedule, from the latest checkpoint if there is one.

  Args:
    network: to train.
    make_optimizer: from `optim.optimizer`.
    schedule: phases and snapshots.
    replicas: the R networks.
    samples: training sets of all replicas, leading axis R.
    pixels: the scenes.
    seed: of replica 0; replica r has `seed + r`.
    batch_size: N.
    mixed: see `batches.epoch_order`.
    drop_last: see `batches.steps_per_epoch`.
    checkpoints: where state and snapshots go.
    checkpoint_seconds: time between two saves of the state.
    scene_names: for errors.
    progress: called at the start and after every epoch.
    start: gives {"params", "stats"} of all replicas, leading axis R, to start from; None: fresh networks.
      It is called only where there is no checkpoint.
    interrupted: whether to stop; asked after every epoch, whose state is then saved.
    recipe: how training departs from the letter's.

  Returns:
    Mean loss of every epoch `[epochs, R, T]`.

  Raises:
    RequestError: a loss, or what an epoch leaves, is not finite (what was saved before stays), or a
      checkpoint is unusable.
    KeyboardInterrupt: it was interrupted.
  """
  steps = np.int32(
    steps_per_epoch(samples.counts, batch_size, mixed=mixed, drop_last=drop_last, fixed=recipe.steps)
  )
  keys, samples, pixels = replicas.keys(seed), replicas.put(samples), replicas.share(pixels)
  epochs = {
    frozen: replicas.spread(
      health.with_finite_flags(
        train_step.make_epoch(
          network, make_optimizer, frozen, batch_size=batch_size, mixed=mixed, recipe=recipe
        )
      ),
      3,
      donate=True,
    )
    for frozen in {phase.frozen for phase in schedule.phases}
  }
  done, state = _resume(network, make_optimizer, schedule, replicas, keys, checkpoints, start, recipe)
  averaged = replicas.spread(functools.partial(averaging.network, decay=recipe.averaging), 1)
  progress(done, None)
  kept, saved = done, time.monotonic()
  while done < schedule.epochs:
    phase = schedule.phase_at(done)
    rate, stretch = np.float32(phase.learning_rate), tuple(map(np.int32, schedule.stretch_at(done)))
    state, finite = epochs[phase.frozen](state, samples, keys, pixels, np.int32(done), rate, steps, stretch)
    losses, finite = replicas.get((state["losses"][:, done], finite))
    done += 1
    health.check_epoch(losses, finite, health.Epoch(done, phase, seed, scene_names, kept))
    progress(done, losses)
    if done in schedule.snapshot_epochs:
      voter = averaged(state) if recipe.averaging else state
      snapshot = replicas.get({"params": voter["params"], "stats": voter["stats"]})
      processes.from_first(functools.partial(checkpoints.save_snapshot, done, snapshot))
    if done < schedule.epochs and schedule.starts_phase(done):
      start = functools.partial(_start_phase, make_optimizer=make_optimizer, phase=schedule.phase_at(done))
      state = replicas.spread(start, 1)(state)
    stop = bool(interrupted and processes.from_first(interrupted))
    if stop or done == schedule.epochs or _is_due(saved, checkpoint_seconds):
      whole = replicas.get(state)
      processes.from_first(functools.partial(checkpoints.save_state, done, whole))
      kept, saved = done, time.monotonic()
    if stop:
      raise KeyboardInterrupt
  return replicas.get(state["losses"]).transpose(1, 0, 2)


def _resume(network, make_optimizer, schedule, replicas, keys, checkpoints, start, recipe):
  """Finished epochs and state, of the latest checkpoint or of a start."""

  def begin(state, phase):
    state = averaging.start(state, recipe.averaging) if recipe.averaging else state
    return _start_phase(state, make_optimizer, phase)

  def fresh(key, done):
    state = train_step.init_state(network, key, schedule.epochs)
    return begin(state, schedule.phase_at(done))

  def given(own):
    state = train_step.given_state(network, own, schedule.epochs)
    return begin(state, schedule.phase_at(0))

  def expected(done):
    last = min(done, schedule.epochs - 1)
    return replicas.shapes(jax.eval_shape(lambda: fresh(jax.random.key(0), last)))

  restored = None

  def find():
    nonlocal restored
    restored = checkpoints.restore_latest_state(expected)
    return -1 if restored is None else restored[0]

  done = processes.from_first(find)
  if done >= 0:
    return done, replicas.put(processes.tree_from_first(lambda: restored[1], expected(done)))
  if start is not None:
    return 0, replicas.spread(given, 1)(replicas.put(start()))
  return 0, replicas.spread(lambda key: fresh(key, 0), 1)(keys)


def _is_due(saved, checkpoint_seconds):
  """Whether it is time to save the state; the clock of the first process decides for all."""
  return bool(processes.from_first(lambda: time.monotonic() - saved >= checkpoint_seconds))


def _start_phase(state, make_optimizer, phase):
  return train_step.start_phase(state, make_optimizer, phase.learning_rate, phase.frozen)
