"""The networks of a run, in their order on the replica axis."""

from typing import NamedTuple

import numpy as np


class Ensemble(NamedTuple):
  """The networks that make maps, followed by those that leave out a fold of labels.

  A map belongs to one draw of training pixels. Networks of the same draw differ in their initial weights and
  batches, and vote on its map.

  Attributes:
    maps: number of draws and so of maps G.
    voters: networks that train on all training pixels of a draw, M.
    folds: number of folds of every draw k; 0 for none.
  """

  maps: int
  voters: int
  folds: int

  @property
  def count(self) -> int:
    """Number of networks G (M + k)."""
    return self.maps * (self.voters + self.folds)

  def voters_of(self, drawn: int) -> range:
    """Positions of the networks that vote on the map of a draw."""
    return range(drawn * self.voters, (drawn + 1) * self.voters)

  def without_fold(self, drawn: int, fold: int) -> int:
    """Position of the network of a draw that does not see a fold."""
    return self.maps * self.voters + drawn * self.folds + fold

  def streams(self) -> np.ndarray:
    """Returns what makes the random numbers of every network, int32 `[networks, 2]`: replica and stream.

    Voter r is replica r with stream 0, whatever else the run trains. The network without fold f of draw g has
    the replica of the draw's first voter and stream f + 1.
    """
    voters = [(r, 0) for r in range(self.maps * self.voters)]
    folds = [(g * self.voters, f + 1) for g in range(self.maps) for f in range(self.folds)]
    return np.array([*voters, *folds], np.int32)
