"""Settings of the split into training and test pixels, and of the folds."""

import dataclasses
from pathlib import Path
from typing import Any

from mtl_hsi.settings.config_checks import one_of, require
from mtl_hsi.splits.drawn import ALL
from mtl_hsi.splits.split import NAMES, check_exists
from mtl_hsi.training.ensemble import Ensemble

_FOLDS, _SCENES = "folds", "scenes"


@dataclasses.dataclass(frozen=True)
class SplitSettings:
  """How pixels are split into training and test pixels.

  Attributes:
    file: a split to read, or None to draw one.
    block_size: rows and columns of a block.
    by_blocks: whether training and test pixels are drawn from separate blocks.
    by_folds: whether accuracy comes from the labels that the folds leave out.
    by_scenes: whether every fold is a whole scene.
    samples_per_class: n, or `drawn.ALL`.
    folds: number of folds k, or 0.
    fold_units: "labels" or "blocks".
    fold_buffer: distance between the training labels of a fold and those that it leaves out, in pixels.
  """

  file: Path | None
  block_size: int
  by_blocks: bool
  by_folds: bool
  by_scenes: bool
  samples_per_class: int
  folds: int
  fold_units: str
  fold_buffer: int

  @property
  def all_train(self) -> bool:
    """Whether all replicas train on the same pixels: all training labels."""
    return self.file is None and self.samples_per_class == ALL


def read(config: Any, *, all_can_train: bool) -> SplitSettings:
  """Reads and checks the split.

  Args:
    config: the whole config.
    all_can_train: whether samples_per_class may be 0, which trains on all pixels.

  Raises:
    RequestError: names the key, its value and what was expected.
  """
  # Without this ending, it is probably a misspelt name of a split, not a missing file.
  if config.split not in NAMES and not config.split.endswith(".npz"):
    check_exists(Path(config.split))
  require(config.block_size >= 1, "block_size", config.block_size, "1 or more")
  number = config.samples_per_class
  by_scenes = config.split == _SCENES
  by_folds = by_scenes or (config.split == _FOLDS and number == ALL)
  least, hint = (0, ", or 0 for all") if all_can_train or by_folds else (1, "")
  require(number >= least, "samples_per_class", number, f"1 or more{hint}")
  expected = f"0 with split={config.split!r}, which uses all labels; --config.split=random draws n per class"
  require(not by_scenes or number == ALL, "samples_per_class", number, expected)
  folds = len(config.scenes) if by_scenes else config.folds
  expected = f"0 with split='scenes', where every scene is a fold (here {folds}): set --config.folds=0"
  require(not by_scenes or config.folds in (0, folds), "folds", config.folds, expected)
  least, hint = (2, "") if by_folds or _needs_folds(config) else (0, ", or 0 for none")
  require(folds >= 2 or folds == least, "folds", folds, f"2 or more{hint}")
  require(config.fold_buffer >= 0, "fold_buffer", config.fold_buffer, "0 or more")
  return SplitSettings(
    file=None if config.split in NAMES else Path(config.split),
    block_size=config.block_size,
    by_blocks=config.split == "blocks",
    by_folds=by_folds,
    by_scenes=by_scenes,
    samples_per_class=number,
    folds=folds,
    fold_units=one_of(("labels", "blocks"), "fold_units", config.fold_units),
    fold_buffer=config.fold_buffer,
  )


def ensemble_of(split: SplitSettings, replicas: int) -> Ensemble:
  """Returns the networks of a run: replicas that train on the same pixels vote on one map."""
  if split.all_train:
    return Ensemble(1, replicas, split.folds)
  return Ensemble(replicas, 1, split.folds)


def _needs_folds(config):
  mixture = config.mixture
  return bool(mixture.local_patch or mixture.regression or mixture.smoothings)
