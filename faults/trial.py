"""One trial: a fault is inflicted on a run, the run is started again, and its end is judged."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from faults.experiment import Ending, Experiment, digests

# Outcomes. The first two are correct; "missed" means that the fault never struck, and "lost" is all else.
IDENTICAL, REFUSED, MISSED, LOST = "identical", "refused", "missed", "lost"

# Attempts at a fault, which comes too late if a run is faster than the undisturbed one.
_ATTEMPTS = 5


class Missed(Exception):
  """Raised if a run ended before the fault struck, at every attempt."""


class Verdict(NamedTuple):
  """The outcome of a trial.

  Attributes:
    outcome: IDENTICAL (the results are those of the undisturbed run, bit for bit), REFUSED (with a one-line
      error, and all files unchanged), MISSED (the run was not disturbed) or LOST.
    moment: when and where the fault struck.
    remark: the error of the program, or why the run counts as lost.
  """

  outcome: str
  moment: str
  remark: str


class Trial(NamedTuple):
  """The arguments of a fault.

  Attributes:
    experiment: the experiment to disturb.
    run: its work directory, which does not exist yet.
    chance: random generator for the moment.
  """

  experiment: Experiment
  run: Path
  chance: random.Random


class Fault(NamedTuple):
  """A way to disturb a run.

  Attributes:
    inflict: disturbs a run, starts it again and judges its end.
    damages: whether the fault destroys saved files, so that the run may be refused. After any other fault a
      refusal counts as a loss.
  """

  inflict: Callable[[Trial], Verdict]
  damages: bool = False

  def strike(self, trial: Trial) -> Verdict:
    """Inflicts the fault and returns the verdict.

    Raises:
      Missed: the fault never struck.
    """
    verdict = self.inflict(trial)
    if verdict.outcome == REFUSED and not self.damages:
      return verdict._replace(outcome=LOST, remark=f"refused though nothing was damaged: {verdict.remark}")
    return verdict


def until_struck(trial: Trial, inflict: Callable[[float], str | None]) -> str:
  """Inflicts a fault and returns its moment; starts from scratch if the fault comes too late.

  Args:
    trial: the trial.
    inflict: function that inflicts the fault within the given share of the duration of the undisturbed run,
      and returns the moment, or None if the run had ended. The share is halved at every attempt.

  Raises:
    Missed: the fault never struck.
  """
  for attempt in range(_ATTEMPTS):
    moment = inflict(0.5**attempt)
    if moment is not None:
      return moment
    shutil.rmtree(trial.run, ignore_errors=True)
  raise Missed(f"the run was over before the fault struck, {_ATTEMPTS} times")


def start_again(trial: Trial, moment: str, **options) -> Verdict:
  """Starts the run again and judges its end."""
  before = digests(trial.run)
  return judge(trial, moment, trial.experiment.run_to_end(trial.run, **options), before)


def judge(trial: Trial, moment: str, ending: Ending, before: dict[str, str]) -> Verdict:
  """Returns the verdict on a start; `before` has the digests of all files before it."""
  if ending.status == 0:
    difference = trial.experiment.difference(trial.run)
    return Verdict(LOST, moment, difference) if difference else Verdict(IDENTICAL, moment, "")
  if not ending.refused:
    return Verdict(LOST, moment, f"status {ending.status}: {ending.err.strip()[-2000:]}")
  after = digests(trial.run)
  changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
  if changed:
    return Verdict(
      LOST, moment, f"{changed[0]} was changed although the start was refused: {ending.last_line}"
    )
  return Verdict(REFUSED, moment, ending.last_line)
