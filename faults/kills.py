"""Kills and terminations of a run, at any moment or during a particular step."""

import re
import signal
import time
from collections.abc import Sequence
from pathlib import Path

from faults.experiment import Ending
from faults.trial import LOST, Trial, Verdict, start_again, until_struck

# Longest time in seconds from an access to a file to the kill, which so hits the writes that follow.
_AFTERWARDS = 0.03
# Seconds in which a run must end after SIGTERM. SLURM sends SIGKILL after 30.
_PATIENCE = 20.0
# Without regular checkpoints, the state must have been saved because of SIGTERM.
_NO_OTHER_SAVE = "--config.checkpoint_seconds=1e9"
_RESUMABLE = "terminated; run the same command again to resume from the last checkpoint"
# The number of trained epochs in a progress bar.
_EPOCHS = re.compile(r"training: [^\r\n]*? (\d+)/\d+ \[")


def kill_at_any_moment(trial: Trial) -> Verdict:
  """Kills a run at any time between its start and its end."""

  def kill(share):
    moment = trial.chance.uniform(0, share * trial.experiment.seconds)
    with trial.experiment.start(trial.run) as started:
      started.send_after(moment, signal.SIGKILL)
      return f"after {moment:.2f} s" if started.wait().status == -signal.SIGKILL else None

  return start_again(trial, until_struck(trial, kill))


def terminate(trial: Trial) -> Verdict:
  """Sends SIGTERM at any time after the run has locked its directory; it must end cleanly and soon.

  Before that, while Python loads the program, SIGTERM has its default effect and nothing can be lost.
  """
  problems = []

  def send_sigterm(share):
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

  moment = until_struck(trial, send_sigterm)
  return Verdict(LOST, moment, problems[0]) if problems[0] else start_again(trial, moment)


def stop_problem(ending: Ending, run: Path, seconds: float) -> str | None:
  """Describes what is wrong with the end of a run after SIGTERM; None if nothing is.

  Args:
    ending: how the run ended.
    run: work directory of the run.
    seconds: time from SIGTERM to the end.
  """
  clean = ending.status == 128 + signal.SIGTERM and ending.last_line == _RESUMABLE
  if not clean or "Traceback" in ending.err:
    return f"status {ending.status} after SIGTERM: {ending.err.strip()[-2000:]}"
  if seconds > _PATIENCE:
    return f"it took {seconds:.1f} s to end after SIGTERM"
  trained = max(map(int, _EPOCHS.findall(ending.err)), default=0)
  saved = max((int(path.name) for path in run.glob("checkpoints/state/*")), default=0)
  if saved < trained:
    return f"it trained {trained} epochs, but the last saved state is of epoch {saved}"
  return None


def kill_in_checkpoint(trial: Trial) -> Verdict:
  """Kills a run when it creates, moves or removes a file of a checkpoint, or shortly after."""
  return start_again(trial, until_struck(trial, lambda _: die_within(trial, "checkpoints")))


def kill_in_results(trial: Trial) -> Verdict:
  """Kills a run when it creates or moves a file of the results, or shortly after."""
  return start_again(trial, until_struck(trial, lambda _: die_within(trial, "results")))


def kill_in_classification(trial: Trial) -> Verdict:
  """Kills a run between the first vote of the networks and the writing of the first result."""
  events = trial.experiment.events
  after = _first_result(events)
  room = events[after][0] - events[after - 1][0]

  def kill(share):
    seconds = trial.chance.uniform(0, share * room)
    if trial.experiment.run_to_end(trial.run, orders={"die_classifying": seconds}).status == -signal.SIGKILL:
      return f"{seconds:.2f} s into classification"
    return None

  return start_again(trial, until_struck(trial, kill))


def die_within(trial: Trial, part: str, first: float = 0.0) -> str | None:
  """Kills a run at a random access to a file; returns the moment, or None if the run ended before.

  Args:
    trial: the trial.
    part: "checkpoints", or "results" (only those that follow the last checkpoint).
    first: share of the accesses that are never chosen, from the beginning.
  """
  events = trial.experiment.events
  paths = [path for _, accessed, path in events if accessed == part]
  least = int(first * len(paths))
  if part == "results":
    # Earlier accesses are to the lock, the config and the like.
    least = max(least, len(paths) - (len(events) - _first_result(events)))
  index = trial.chance.randrange(least, len(paths))
  seconds = trial.chance.choice([0.0, trial.chance.uniform(0, _AFTERWARDS)])
  ending = trial.experiment.run_to_end(trial.run, orders={"die": [part, index + 1, seconds]})
  if ending.status != -signal.SIGKILL:
    return None
  name = paths[index].removeprefix(f"{trial.experiment.undisturbed}/")
  return f"{1000 * seconds:.0f} ms after {part} access {index + 1} of {len(paths)} (about {name})"


def _first_result(events: Sequence[tuple[float, str, str]]) -> int:
  """Returns the index of the first event after those of the checkpoints."""
  return 1 + max(index for index, (_, part, _) in enumerate(events) if part == "checkpoints")
