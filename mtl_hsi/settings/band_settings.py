"""The part of a config that says how scenes' bands and values become a network's: from its keys to values."""

import functools
from typing import Any

import numpy as np

from mtl_hsi.channels import scaling
from mtl_hsi.errors import RequestError
from mtl_hsi.settings.config_checks import one_of, require

BY_WAVELENGTH = "wavelength"
_MOST_BANDS = 100_000


def alignment(config: Any) -> str:
  """How scenes of different bands are brought together, "index" or `BY_WAVELENGTH`.

  Raises:
    RequestError: it is neither, or has an option that belongs to the other.
  """
  if config.alignment == BY_WAVELENGTH and config.bands is not None:
    raise RequestError(
      f"config key bands is {config.bands}, which belongs to alignment=index; with alignment=wavelength "
      "leave it at None, as in configs/own.py, and give 'grid' to choose the common bands"
    )
  if config.alignment == "index" and config.grid:
    raise RequestError(
      f"config key grid is {config.grid!r}, which belongs to alignment=wavelength; leave it empty"
    )
  return one_of(("index", BY_WAVELENGTH), "alignment", config.alignment)


def grid(config: Any) -> np.ndarray | None:
  """Centres of the common bands in nm, of "400:2500:10", the end included, or "450,550,650"; None of "".

  Raises:
    RequestError: the text is neither.
  """
  text = config.grid
  if not text:
    return None
  try:
    if ":" in text:
      first, end, step = map(float, text.split(":"))
      # A step that fits up to rounding still ends at the end.
      count = int((end - first) / step + 1e-6) + 1
      # No sensor has so many bands; a step that is a slip must not fill the memory.
      centres = first + step * np.arange(count if count <= _MOST_BANDS else 0)
    else:
      centres = np.array([float(number) for number in text.split(",")])
  except (ValueError, ZeroDivisionError, OverflowError):
    centres = np.zeros(0)
  require(
    centres.size > 0 and np.isfinite(centres).all() and centres.min() > 0 and centres.max() >= 100,
    "grid",
    text,
    "'first:last:step' in nm, such as '400:2500:10', or centres with commas between",
  )
  return centres


def scaling_method(config: Any) -> scaling.Method:
  """From a scene to the scaling of its values: by a method's name or by a number.

  Raises:
    RequestError: the text is neither.
  """
  text = config.scaling
  if text in scaling.METHODS:
    return scaling.METHODS[text]
  try:
    number = float(text)
  except ValueError:
    number = np.nan
  require(
    0 < number < np.inf, "scaling", text, f"{', '.join(map(repr, scaling.METHODS))} or a positive number"
  )
  return functools.partial(scaling.by_number, number=number)


def mnf_components(config: Any) -> int:
  """How many minimum noise fractions join the bands as channels.

  Raises:
    RequestError: the number is negative, or bands do not have the mean 0 that these need.
  """
  count = config.mnf_components
  require(count >= 0, "mnf_components", count, "0 (none) or more")
  if count and config.scaling != "per_band":
    raise RequestError(
      f"config key mnf_components is {count} and scaling is {config.scaling!r}; components need "
      "scaling='per_band', and other scalings mnf_components=0"
    )
  return count
