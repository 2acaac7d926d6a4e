"""Reads configs/export.py: from keys to checked, typed values."""

import dataclasses
import re
from pathlib import Path
from typing import Any

from mtl_hsi.errors import RequestError
from mtl_hsi.settings.config_checks import require

_LICENCE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,63}")


@dataclasses.dataclass(frozen=True)
class ExportSettings:
  """The settings of an export.

  Attributes:
    run: work directory of the finished run, or an exported file.
    output: the file to write, or None.
    training_pixels: whether training pixels are exported too.
    license: identifier of the licence of the model.
  """

  run: Path
  output: str | None
  training_pixels: bool
  license: str


def read(config: Any) -> ExportSettings:
  """Reads and checks a config of configs/export.py; opens nothing.

  Raises:
    RequestError: names the key, its value and what was expected.
  """
  if not config.export_of:
    raise RequestError("nothing to export: give the work directory of a run, --config.export_of=<path>")
  expected = "an identifier of the Hugging Face hub, such as cc-by-4.0, apache-2.0, other or unknown"
  require(_LICENCE.fullmatch(config.license), "license", config.license, expected)
  return ExportSettings(
    run=Path(config.export_of),
    output=config.output or None,
    training_pixels=config.training_pixels,
    license=config.license,
  )
