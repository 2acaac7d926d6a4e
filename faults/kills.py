"""A process that dies: at any moment, or in the middle of something."""

import signal
import time

from faults.trial import LOST, Trial, Verdict, start_again, until_struck

# Writes that a file is followed by; a kill lands within or between them.
_AFTERWARDS = 0.03
# Seconds in which a run that is told to stop has to: SLURM kills after 30.
_PATIENCE = 20.0


def at_any_moment(trial: Trial) -> Verdict:
  """SIGKILL at any time from start to end."""

  def kill(share):
    moment = trial.chance.uniform(0, share * trial.experiment.seconds)
    with trial.experiment.start(trial.run) as started:
      started.send_after(moment, signal.SIGKILL)
      return f"after {moment:.2f} s" if started.wait().status == -signal.SIGKILL else None

  return start_again(trial, until_struck(trial, kill))


def terminated(trial: Trial) -> Verdict:
  """SIGTERM, at any time from when the run holds its directory, which has to end it cleanly and soon."""
  problems = []

  def terminate(share):
    held = trial.experiment.events[0][0]
    moment = held + trial.chance.uniform(0, share * (trial.experiment.seconds - held))
    with trial.experiment.start(trial.run) as started:
      started.send_after(moment, signal.SIGTERM)
      sent = time.monotonic()
      ending = started.wait()
    taken = time.monotonic() - sent
    if ending.status == 0:
      return None
    clean = ending.status == 128 + signal.SIGTERM and ending.last_line.startswith("terminated; ")
    if not clean or "Traceback" in ending.err:
      problems.append(f"status {ending.status} after SIGTERM: {ending.err.strip()[-2000:]}")
    elif taken > _PATIENCE:
      problems.append(f"it took {taken:.1f} s to end after SIGTERM")
    return f"after {moment:.2f} s; it ended {taken:.1f} s later"

  moment = until_struck(trial, terminate)
  return Verdict(LOST, moment, problems[0]) if problems else start_again(trial, moment)


def in_a_checkpoint(trial: Trial) -> Verdict:
  """SIGKILL where a file of a checkpoint is made, moved or removed, or a moment later."""
  return start_again(trial, until_struck(trial, lambda _: die_within(trial, "checkpoints")))


def in_the_results(trial: Trial) -> Verdict:
  """SIGKILL where any other file of the work directory is, or a moment later."""
  return start_again(trial, until_struck(trial, lambda _: die_within(trial, "results")))


def in_classification(trial: Trial) -> Verdict:
  """SIGKILL between the first vote of the networks and the writing of what they found."""
  events = trial.experiment.events
  last = max(index for index, (_, part, _) in enumerate(events) if part == "checkpoints")
  room = events[last + 1][0] - events[last][0]

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
    part: "checkpoints" or "results".
    first: share of the files that it is left to touch before.
  """
  paths = [path for _, own, path in trial.experiment.events if own == part]
  index = trial.chance.randrange(int(first * len(paths)), len(paths))
  seconds = trial.chance.choice([0.0, trial.chance.uniform(0, _AFTERWARDS)])
  ending = trial.experiment.go(trial.run, orders={"die": [part, index + 1, seconds]})
  if ending.status != -signal.SIGKILL:
    return None
  name = paths[index].removeprefix(f"{trial.experiment.undisturbed}/")
  return f"{1000 * seconds:.0f} ms after {part} touch {index + 1} of {len(paths)} (about {name})"
