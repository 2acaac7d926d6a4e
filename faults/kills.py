"""A process that dies: at any moment, or in the middle of something."""

import re
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from faults.experiment import Ending
from faults.trial import LOST, Trial, Verdict, start_again, until_struck

# Writes that a file is followed by; a kill lands within or between them.
_AFTERWARDS = 0.03
# Seconds in which a run that is told to stop has to: SLURM kills after 30.
_PATIENCE = 20.0
# It then has to save its state; one that does so after every epoch anyway would not show that.
_NO_OTHER_SAVE = "--config.checkpoint_seconds=1e9"
_GOES_ON = "terminated; run the same command again to resume from the last checkpoint"
# What a bar counts as done, which at its end are all epochs that were trained.
_EPOCHS = re.compile(r"training: [^\r\n]*? (\d+)/\d+ \[")


def at_any_moment(trial: Trial) -> Verdict:
  """SIGKILL at any time from start to end."""

  def kill(share):
    moment = trial.chance.uniform(0, share * trial.experiment.seconds)
    with trial.experiment.start(trial.run) as started:
      started.send_after(moment, signal.SIGKILL)
      return f"after {moment:.2f} s" if started.wait().status == -signal.SIGKILL else None

  return start_again(trial, until_struck(trial, kill))


def terminated(trial: Trial) -> Verdict:
  """SIGTERM, at any time from when the run holds its directory, which has to end it cleanly and soon.

  Before, while Python loads the program, the signal has its usual effect, and there is nothing to lose.
  """
  problems = []

  def terminate(share):
    held = trial.experiment.events[0][0]
    moment = held + trial.chance.uniform(0, share * (trial.experiment.seconds - held))
    with trial.experiment.start(trial.run, more=[_NO_OTHER_SAVE]) as started:
      started.send_after(moment, signal.SIGTERM)
      sent = time.monotonic()
      ending = started.wait()
    if ending.status == 0:
      return None
    taken = time.monotonic() - sent
    problems.append(stop_problem(ending, trial.run, taken))
    return f"after {moment:.2f} s; it ended {taken:.1f} s later"

  moment = until_struck(trial, terminate)
  return Verdict(LOST, moment, problems[0]) if problems[0] else start_again(trial, moment)


def stop_problem(ending: Ending, run: Path, seconds: float) -> str | None:
  """What is wrong with the end of a run that was told to stop, or None.

  Args:
    ending: how it ended.
    run: its work directory.
    seconds: that it took.
  """
  clean = ending.status == 128 + signal.SIGTERM and ending.last_line == _GOES_ON
  if not clean or "Traceback" in ending.err:
    return f"status {ending.status} after SIGTERM: {ending.err.strip()[-2000:]}"
  if seconds > _PATIENCE:
    return f"it took {seconds:.1f} s to end after SIGTERM"
  trained = max(map(int, _EPOCHS.findall(ending.err)), default=0)
  saved = max((int(path.name) for path in run.glob("checkpoints/state/*")), default=0)
  if saved < trained:
    return f"it trained {trained} epochs, and the last state that it saved is of epoch {saved}"
  return None


def in_a_checkpoint(trial: Trial) -> Verdict:
  """SIGKILL where a file of a checkpoint is made, moved or removed, or a moment later."""
  return start_again(trial, until_struck(trial, lambda _: die_within(trial, "checkpoints")))


def in_the_results(trial: Trial) -> Verdict:
  """SIGKILL where a file of the results is made or moved, or a moment later."""
  return start_again(trial, until_struck(trial, lambda _: die_within(trial, "results")))


def in_classification(trial: Trial) -> Verdict:
  """SIGKILL between the first vote of the networks and the writing of what they found."""
  events = trial.experiment.events
  after = _first_result(events)
  room = events[after][0] - events[after - 1][0]

  def kill(share):
    seconds = trial.chance.uniform(0, share * room)
    if trial.experiment.go(trial.run, orders={"die_classifying": seconds}).status == -signal.SIGKILL:
      return f"{seconds:.2f} s into classification"
    return None

  return start_again(trial, until_struck(trial, kill))


def die_within(trial: Trial, part: str, first: float = 0.0) -> str | None:
  """Kills a run at one of the files it touches; the moment, or None where it did not come to that.

  Args:
    trial: whose run.
    part: "checkpoints", or "results", which begin when the last checkpoint was read.
    first: share of the files that it is left to touch before.
  """
  events = trial.experiment.events
  paths = [path for _, own, path in events if own == part]
  least = int(first * len(paths))
  if part == "results":
    # The lock, the config and the like come before.
    least = max(least, len(paths) - (len(events) - _first_result(events)))
  index = trial.chance.randrange(least, len(paths))
  seconds = trial.chance.choice([0.0, trial.chance.uniform(0, _AFTERWARDS)])
  ending = trial.experiment.go(trial.run, orders={"die": [part, index + 1, seconds]})
  if ending.status != -signal.SIGKILL:
    return None
  name = paths[index].removeprefix(f"{trial.experiment.undisturbed}/")
  return f"{1000 * seconds:.0f} ms after {part} touch {index + 1} of {len(paths)} (about {name})"


def _first_result(events: Sequence[tuple[float, str, str]]) -> int:
  """Index of the first event after those of the checkpoints."""
  return 1 + max(index for index, (_, part, _) in enumerate(events) if part == "checkpoints")
