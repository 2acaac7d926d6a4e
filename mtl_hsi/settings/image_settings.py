"""The part of a config that says what an image's file does not: from its keys to arguments of the reader."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mtl_hsi.settings.config_checks import number, one_of, require

KEYS = ("nodata", "scale", "offset", "wavelengths", "wavelength_unit", "bad_bands")
# Options that say the same of every image of a sensor; scale and offset are one.
_OF_A_SENSOR = (("nodata",), ("scale", "offset"), ("bad_bands",))


def inherit(own: Any, scene: Mapping[str, Any]) -> dict[str, str]:
  """What an image is not told itself and has from the scene that it is like.

  Args:
    own: the image's keys, as for `read`.
    scene: the options that the scene's files had in training.

  Returns:
    The keys that it has from there, with their values.
  """
  groups = [keys for keys in _OF_A_SENSOR if not any(own[key] for key in keys)]
  return {key: scene[key] for keys in groups for key in keys if scene.get(key)}


def read(own: Any, prefix: str = "") -> dict[str, Any]:
  """What `scenes.image.Image.open` is told besides file and key.

  Args:
    own: ConfigDict with `KEYS`, or a mapping that has them.
    prefix: of these keys in messages, such as "files.fields.".

  Raises:
    RequestError: an option has a value that it cannot have.
  """
  numbers = {key: number(prefix + key, own[key]) for key in ("nodata", "scale", "offset")}
  for key in ("scale", "offset"):
    fine = numbers[key] is None or (np.isfinite(numbers[key]) and (key == "offset" or numbers[key] != 0))
    require(fine, prefix + key, own[key], "a finite number" + (" but 0" if key == "scale" else ""))
  if own["wavelength_unit"]:
    one_of(("nm", "um"), f"{prefix}wavelength_unit", own["wavelength_unit"])
    expected = "none without a CSV file of wavelengths (option wavelengths), of which it is the unit"
    require(own["wavelengths"], f"{prefix}wavelength_unit", own["wavelength_unit"], expected)
  return {
    **numbers,
    "wavelengths": Path(own["wavelengths"]) if own["wavelengths"] else None,
    "wavelength_unit": own["wavelength_unit"] or None,
    "bad_bands": own["bad_bands"] or None,
  }
