"""Settings of the channels: how the bands and values of scenes become the network's input."""

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from mtl_hsi.channels import scaling
from mtl_hsi.errors import RequestError
from mtl_hsi.settings.config_checks import one_of, require

BY_WAVELENGTH = "wavelength"
_MOST_BANDS = 100_000


@dataclasses.dataclass(frozen=True)
class BandSettings:
  """How the bands and values of the scenes become the network's channels.

  Attributes:
    alignment: "index" or `BY_WAVELENGTH`.
    count: input channels B, for alignment by index, or None for all bands as they are.
    grid: centres of the common bands in nm, or None for those of the coarsest scene, for alignment by
      wavelength.
    reversed: names of the scenes whose bands are reversed.
    scaling: from a scene to the scaling of its values; None: the scenes have a common one
      (`scaling.by_band_jointly`).
    mnf_components: number of MNF components that join the bands as channels; 0 for none.
  """

  alignment: str
  count: int | None
  grid: np.ndarray | None
  reversed: frozenset[str]
  scaling: scaling.Method | None
  mnf_components: int


def read(config: Any, scenes: Sequence[str]) -> BandSettings:
  """Reads and checks how bands become channels.

  Args:
    config: the whole config.
    scenes: names of all scenes.

  Raises:
    RequestError: names the key, its value and what was expected.
  """
  require(config.bands is None or config.bands >= 1, "bands", config.bands, "1 or more, or None")
  return BandSettings(
    alignment=_alignment(config),
    count=config.bands,
    grid=_grid(config),
    reversed=frozenset(one_of(scenes, "reversed", name) for name in config.reversed),
    scaling=_scaling_method(config),
    mnf_components=_mnf_components(config),
  )


def _alignment(config):
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


def _grid(config):
  """The centres in "400:2500:10", which includes the end, or "450,550,650"; None for ""."""
  text = config.grid
  if not text:
    return None
  try:
    if ":" in text:
      first, end, step = map(float, text.split(":"))
      # The end is included even if rounding makes the last step slightly too long.
      count = int((end - first) / step + 1e-6) + 1
      # No sensor has so many bands; a mistyped step must not fill the memory.
      centres = first + step * np.arange(count if count <= _MOST_BANDS else 0)
    else:
      centres = np.array([float(number) for number in text.split(",")])
  except (ValueError, ZeroDivisionError, OverflowError):
    centres = np.zeros(0)
  require(
    centres.size > 0 and np.isfinite(centres).all() and centres.min() > 0 and centres.max() >= 100,
    "grid",
    text,
    "'first:last:step' in nm, such as '400:2500:10', or centres separated by commas",
  )
  return centres


def _scaling_method(config):
  text = config.scaling
  if text == scaling.JOINT:
    return None
  if text in scaling.METHODS:
    return scaling.METHODS[text]
  try:
    number = float(text)
  except ValueError:
    number = np.nan
  require(
    0 < number < np.inf,
    "scaling",
    text,
    f"{', '.join(map(repr, (*scaling.METHODS, scaling.JOINT)))} or a positive number",
  )
  return functools.partial(scaling.by_number, number=number)


def _mnf_components(config):
  count = config.mnf_components
  require(count >= 0, "mnf_components", count, "0 (none) or more")
  if count and config.scaling not in scaling.STANDARDISED:
    raise RequestError(
      f"config key mnf_components is {count} and scaling is {config.scaling!r}; components need "
      "scaling='per_band' or 'per_band_joint', and other scalings mnf_components=0"
    )
  return count
