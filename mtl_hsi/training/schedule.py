"""The phases of training, and the epochs whose networks vote."""

import dataclasses
import functools
from typing import NamedTuple

from mtl_hsi.errors import RequestError
from mtl_hsi.models.multitask import GROUPS


@dataclasses.dataclass(frozen=True)
class Phase:
  """A part of training with its own learning rate and frozen parameter groups.

  Attributes:
    name: name in the config.
    epochs: number of epochs.
    learning_rate: of the optimiser.
    frozen: parameter groups in `GROUPS` that do not train.
  """

  name: str
  epochs: int
  learning_rate: float
  frozen: tuple[str, ...]

  def __post_init__(self):
    unknown = sorted(set(self.frozen) - set(GROUPS), key=str)
    if unknown:
      raise RequestError(
        f"phases.{self.name}.frozen names {unknown}; the parameter groups are {', '.join(GROUPS)}"
      )
    if set(self.frozen) == set(GROUPS):
      raise RequestError(f"phases.{self.name}.frozen names every parameter group; nothing would train")
    if self.epochs < 1:
      raise RequestError(f"phases.{self.name}.epochs is {self.epochs}; expected 1 or more")


class Span(NamedTuple):
  """The epochs in which a phase trains.

  Attributes:
    phase: the phase.
    first: its first epoch, counted from 0.
    epochs: number of epochs; the last phase lasts to the last snapshot.
  """

  phase: Phase
  first: int
  epochs: int


@dataclasses.dataclass(frozen=True)
class Schedule:
  """Phases in their order, and the snapshots that vote.

  Attributes:
    phases: in order; every phase starts with a fresh optimiser state.
    snapshots: epochs whose network is kept to vote, counted from the end of the last phase. The last phase
      is extended to the last of them: (2, 4, 6, 8, 10) in the author's code, while (-8, -6, -4, -2, 0) stays
      within the letter's 130 epochs.
  """

  phases: tuple[Phase, ...]
  snapshots: tuple[int, ...]

  def __post_init__(self):
    if not self.phases:
      raise RequestError("phases is empty; at least one phase is needed")
    if not self.snapshots or list(self.snapshots) != sorted(set(self.snapshots)):
      raise RequestError(f"snapshots is {self.snapshots}; expected ascending epochs, at least one")
    if self.snapshot_epochs[0] < 1:
      raise RequestError(
        f"snapshots starts {-self.snapshots[0]} epochs before the end, before the first epoch is done"
      )

  @functools.cached_property
  def spans(self) -> tuple[Span, ...]:
    """The epochs of every phase, in order."""
    spans, first = [], 0
    for phase in self.phases:
      spans.append(Span(phase, first, phase.epochs))
      first += phase.epochs
    extension = max(0, self.snapshots[-1])
    return (*spans[:-1], spans[-1]._replace(epochs=spans[-1].epochs + extension))

  @property
  def epochs(self) -> int:
    """Number of all epochs."""
    last = self.spans[-1]
    return last.first + last.epochs

  @property
  def snapshot_epochs(self) -> tuple[int, ...]:
    """Numbers of finished epochs after which the network is kept to vote."""
    end = sum(phase.epochs for phase in self.phases)
    return tuple(end + offset for offset in self.snapshots)

  def span_at(self, epoch: int) -> Span:
    """Returns the span that contains an epoch, counted from 0."""
    return next(span for span in reversed(self.spans) if span.first <= epoch)
