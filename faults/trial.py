"""One trial: a fault is inflicted on a run, which is started again, and what became of it is judged."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from faults.experiment import Ending, Experiment, digests

# Both are what was promised; "missed" says that the fault never struck, and anything else is "lost".
IDENTICAL, REFUSED, MISSED, LOST = "identical", "refused", "missed", "lost"

# A fault may come after the end of a run that was faster than the undisturbed one.
_ATTEMPTS = 5


class Missed(Exception):
  """A run was over before the fault struck, at every attempt."""


class Verdict(NamedTuple):
  """What became of a run.

  Attributes:
    outcome: IDENTICAL (its results are those of the undisturbed run, bit for bit), REFUSED (in one line, with
      every file as it was), MISSED (it was not disturbed) or LOST.
    moment: when and where the fault struck.
    remark: what the program said, or why the run counts as lost.
  """

  outcome: str
  moment: str
  remark: str


class Trial(NamedTuple):
  """What a fault is given.

  Attributes:
    experiment: to disturb.
    run: its work directory, which is not there yet.
    chance: draws the moment.
  """

  experiment: Experiment
  run: Path
  chance: random.Random


class Fault(NamedTuple):
  """A way to disturb a run.

  Attributes:
    inflict: does it, starts the run again and judges how that ends.
    damages: it destroys what was saved, so that a refusal may be all that is left; after any other one, which
      takes nothing away, a run that is refused is lost.
  """

  inflict: Callable[[Trial], Verdict]
  damages: bool = False

  def strike(self, trial: Trial) -> Verdict:
    """What becomes of a run.

    Raises:
      Missed: the fault never struck.
    """
    verdict = self.inflict(trial)
    if verdict.outcome == REFUSED and not self.damages:
      return verdict._replace(outcome=LOST, remark=f"refused though nothing was damaged: {verdict.remark}")
    return verdict


def until_struck(trial: Trial, inflict: Callable[[float], str | None]) -> str:
  """The moment at which a fault struck; it is tried anew, in a new directory, while it comes too late.

  Args:
    trial: whose run.
    inflict: does it, within a share of the time that the undisturbed run took, half as much at every attempt,
      since this run may be faster; the moment, or None where the run was over.

  Raises:
    Missed: it never struck.
  """
  for attempt in range(_ATTEMPTS):
    moment = inflict(0.5**attempt)
    if moment is not None:
      return moment
    shutil.rmtree(trial.run, ignore_errors=True)
  raise Missed(f"the run was over before the fault struck, {_ATTEMPTS} times")


def start_again(trial: Trial, moment: str, **options) -> Verdict:
  """Starts the run again and judges how it ends."""
  before = digests(trial.run)
  return judge(trial, moment, trial.experiment.go(trial.run, **options), before)


def judge(trial: Trial, moment: str, ending: Ending, before: dict[str, str]) -> Verdict:
  """The verdict on a start; `before` are the digests of all files as they were then."""
  if ending.status == 0:
    difference = trial.experiment.difference(trial.run)
    return Verdict(LOST, moment, difference) if difference else Verdict(IDENTICAL, moment, "")
  if not ending.refused:
    return Verdict(LOST, moment, f"status {ending.status}: {ending.err.strip()[-2000:]}")
  after = digests(trial.run)
  changed = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
  if changed:
    return Verdict(LOST, moment, f"{changed[0]} was changed by a start that was refused: {ending.last_line}")
  return Verdict(REFUSED, moment, ending.last_line)
