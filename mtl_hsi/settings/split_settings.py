"""Settings of the split into training and test pixels."""

import dataclasses
from pathlib import Path
from typing import Any

from mtl_hsi.settings.config_checks import require

_DRAWN = ("random", "blocks")


@dataclasses.dataclass(frozen=True)
class SplitSettings:
  """How pixels are split into training and test pixels.

  Attributes:
    file: a split to read, or None to draw one.
    block_size: side of the blocks that training and test pixels are drawn from, or None for a random split.
    samples_per_class: n, or `drawn.ALL`.
  """

  file: Path | None
  block_size: int | None
  samples_per_class: int


def read(config: Any, *, all_can_train: bool) -> SplitSettings:
  """Reads and checks the split.

  Args:
    config: the whole config.
    all_can_train: whether samples_per_class may be 0, which trains on all pixels.

  Raises:
    RequestError: names the key, its value and what was expected.
  """
  require(config.block_size >= 1, "block_size", config.block_size, "1 or more")
  number = config.samples_per_class
  least, hint = (0, ", or 0 for all") if all_can_train else (1, "")
  require(number >= least, "samples_per_class", number, f"1 or more{hint}")
  return SplitSettings(
    file=None if config.split in _DRAWN else Path(config.split),
    block_size=config.block_size if config.split == "blocks" else None,
    samples_per_class=number,
  )
