"""The part of a config that says what an image's file does not: from its keys to arguments of the reader."""

from pathlib import Path
from typing import Any

import numpy as np

from mtl_hsi.config_checks import number, one_of, require


def read(own: Any, prefix: str = "") -> dict[str, Any]:
  """What `scenes.image.Image.open` is told besides file and key.

  Args:
    own: ConfigDict with the keys `nodata`, `scale`, `offset`, `wavelengths`, `wavelength_unit`, `bad_bands`.
    prefix: of these keys in messages, such as "files.fields.".

  Raises:
    RequestError: an option has a value that it cannot have.
  """
  numbers = {key: number(prefix + key, own[key]) for key in ("nodata", "scale", "offset")}
  for key in ("scale", "offset"):
    fine = numbers[key] is None or (np.isfinite(numbers[key]) and (key == "offset" or numbers[key] != 0))
    require(fine, prefix + key, own[key], "a finite number" + (" but 0" if key == "scale" else ""))
  if own.wavelength_unit:
    one_of(("nm", "um"), f"{prefix}wavelength_unit", own.wavelength_unit)
  return {
    **numbers,
    "wavelengths": Path(own.wavelengths) if own.wavelengths else None,
    "wavelength_unit": own.wavelength_unit or None,
    "bad_bands": own.bad_bands or None,
  }
