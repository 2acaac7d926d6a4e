"""The options of a scene for the spectra of a library."""

from pathlib import Path
from typing import Any

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.libraries.read import LibraryOptions
from mtl_hsi.settings.config_checks import number, one_of, require

_FURTHER = ("library_classes", "library_column", "library_scale", "library_brightness", "library_for")
_UNLABELLED, _ALL = "unlabelled", "all"
# The regression then found 85% of a simulated soil without labels, instead of 40% (docs/scenes.md).
_BRIGHTNESS = (0.6, 0.8, 1.0)
# More multiply the samples without telling more.
_MOST_LEVELS = 20


def read(options: Any, prefix: str) -> LibraryOptions | None:
  """Returns how a scene uses a library; None if it has none.

  Args:
    options: a ConfigDict or mapping with the options of the scene.
    prefix: prefix of the keys in messages, such as "files.fields.".

  Raises:
    RequestError: an option has an invalid value.
  """
  given = {key: options.get(key) or "" for key in ("library", *_FURTHER)}
  if not given["library"]:
    unused = [key for key in _FURTHER if given[key]]
    if unused:
      raise RequestError(f"{prefix}{unused[0]} is {given[unused[0]]!r} and there is no {prefix}library")
    return None
  scale = number(f"{prefix}library_scale", given["library_scale"])
  fine = scale is None or (np.isfinite(scale) and scale > 0)
  require(fine, f"{prefix}library_scale", given["library_scale"], "a finite number above 0")
  brightness = _brightness(f"{prefix}library_brightness", given["library_brightness"])
  return LibraryOptions(
    library=Path(given["library"]),
    library_classes=Path(given["library_classes"]) if given["library_classes"] else None,
    library_column=given["library_column"] or None,
    library_scale=scale,
    library_for=one_of((_UNLABELLED, _ALL), f"{prefix}library_for", given["library_for"] or _UNLABELLED),
    library_brightness=brightness,
  )


def _brightness(key: str, text: str) -> tuple[float, ...]:
  if not text:
    return _BRIGHTNESS
  values = tuple(number(key, item.strip()) for item in text.split(","))
  fine = len(values) <= _MOST_LEVELS and all(value is not None and 0 < value < 100 for value in values)
  require(
    fine,
    key,
    text,
    f"at most {_MOST_LEVELS} factors above 0, such as 0.6,0.8,1; 1 for the spectra as they are",
  )
  return values
