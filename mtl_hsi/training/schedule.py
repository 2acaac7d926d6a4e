"""Which epoch trains how, and which epochs' networks vote."""

import dataclasses

from mtl_hsi.errors import RequestError
from mtl_hsi.models.multitask import GROUPS


@dataclasses.dataclass(frozen=True)
class Phase:
  """A stretch of training with its own learning rate and frozen parameter groups.

  Attributes:
    name: as in the config.
    epochs: how many.
    learning_rate: of the optimiser.
    frozen: parameter groups, of `GROUPS`, that do not train.
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


@dataclasses.dataclass(frozen=True)
class Schedule:
  """Phases in their order, and the snapshots that vote.

  Attributes:
    phases: in order; every phase starts with fresh optimiser state.
    snapshots: epochs at which the network is kept to vote, counted from the
      end of the last phase, which goes on as long as the last of them needs:
      (2, 4, 6, 8, 10) in the author's code, (-8, -6, -4, -2, 0) stays within
      the paper's 130 epochs.
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

  @property
  def epochs(self) -> int:
    """All epochs that are trained."""
    return max(self._end, self.snapshot_epochs[-1])

  @property
  def snapshot_epochs(self) -> tuple[int, ...]:
    """Numbers of finished epochs after which the network is kept to vote."""
    return tuple(self._end + offset for offset in self.snapshots)

  @property
  def lengths(self) -> tuple[tuple[str, int], ...]:
    """Name and trained epochs of every phase; the last one runs to the last snapshot."""
    lengths = [(phase.name, phase.epochs) for phase in self.phases]
    name, last = lengths[-1]
    return (*lengths[:-1], (name, last + self.epochs - self._end))

  @property
  def _end(self) -> int:
    return sum(phase.epochs for phase in self.phases)

  def phase_at(self, epoch: int) -> Phase:
    """The phase that epoch, counted from 0, belongs to."""
    for phase in self.phases:
      if epoch < phase.epochs:
        return phase
      epoch -= phase.epochs
    return self.phases[-1]

  def stretch_at(self, epoch: int) -> tuple[int, int]:
    """The first epoch of the phase that an epoch belongs to, and how many that phase trains."""
    first = 0
    for _, length in self.lengths[:-1]:
      if epoch < first + length:
        return first, length
      first += length
    return first, self.lengths[-1][1]

  def starts_phase(self, epoch: int) -> bool:
    """Whether the epoch is the first one of its phase."""
    return epoch == 0 or self.phase_at(epoch) is not self.phase_at(epoch - 1)
