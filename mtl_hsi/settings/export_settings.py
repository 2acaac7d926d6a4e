"""Reads configs/export.py: from keys to checked, typed values."""

import dataclasses
import re
from pathlib import Path
from typing import Any

from mtl_hsi.errors import RequestError
from mtl_hsi.settings.config_checks import one_of, require

MODEL, STABLEHLO = "model", "stablehlo"
_LICENCE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,63}")


@dataclasses.dataclass(frozen=True)
class ExportSettings:
  """The settings of an export.

  Attributes:
    run: work directory of the finished run, or an exported file.
    output: the file to write, or None.
    kind: `MODEL` or `STABLEHLO`.
    scene: with `STABLEHLO`, the scene that images resemble, or None for the target.
    tile: with `STABLEHLO`, rows and columns of images, or None for any.
    training_pixels: whether training pixels are exported too.
    license: identifier of the licence of the model.
  """

  run: Path
  output: str | None
  kind: str
  scene: str | None
  tile: int | None
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
  for key in ("scene", "tile"):
    unused = config.kind == MODEL and config[key]
    require(not unused, key, config[key], f"no value, because it applies only with --config.kind={STABLEHLO}")
  unused = config.kind == STABLEHLO and config.training_pixels
  require(not unused, "training_pixels", True, f"False with --config.kind={STABLEHLO}")
  require(config.tile is None or config.tile >= 1, "tile", config.tile, "1 or more")
  return ExportSettings(
    run=Path(config.export_of),
    output=config.output or None,
    kind=one_of((MODEL, STABLEHLO), "kind", config.kind),
    scene=config.scene or None,
    tile=config.tile,
    training_pixels=config.training_pixels,
    license=config.license,
  )
