"""Band centres and widths, converted to nm from the unit of any source."""

import re
from typing import NamedTuple

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes import wavelength_limits

NM, UM = "nm", "um"
# Beginning of the remark on wavelengths that a file has and that cannot be used.
UNUSED = "the wavelengths in the file are not used"


class _Unit(NamedTuple):
  """A unit: the pattern of its names, and nm = factor * value, or factor / value if it is reciprocal."""

  spelling: re.Pattern
  factor: float
  reciprocal: bool = False


def _unit(spelling: str, factor: float, reciprocal: bool = False) -> _Unit:
  return _Unit(re.compile(spelling, re.IGNORECASE), factor, reciprocal)


# The units of ENVI headers. A wavenumber of 1/cm and a frequency are the reciprocals of a wavelength.
_UNITS = {
  NM: _unit(r"nm|nanomet(er|re)s?", 1.0),
  UM: _unit(r"[uµμ]m|micromet(er|re)s?|microns?", 1e3),
  "angstrom": _unit(r"[åÅ]|[aåÅ]ngstr[oö]ms?", 0.1),
  "mm": _unit(r"mm|millimet(er|re)s?", 1e6),
  "cm": _unit(r"cm|centimet(er|re)s?", 1e7),
  "m": _unit(r"m|met(er|re)s?", 1e9),
  "1/cm": _unit(r"wavenumbers?|1/cm|cm\^?\(?-1\)?|cm⁻¹", 1e7, True),
  "MHz": _unit(r"mhz|megahertz", 299_792_458e3, True),
  "GHz": _unit(r"ghz|gigahertz", 299_792_458.0, True),
}
# Centres 1, 2, 3 ... of this many bands or more are the numbers of the bands.
_FEWEST_NUMBERED = 5


class Wavelengths(NamedTuple):
  """Band centres and full widths at half maximum in nm, each float64 `[B]`, or None if unknown."""

  centres: np.ndarray | None
  widths: np.ndarray | None


def convert_to_nm(
  centres: np.ndarray,
  widths: np.ndarray | None,
  unit: str,
  where: str,
  kept: np.ndarray | slice = slice(None),
) -> Wavelengths:
  """Converts centres and widths of one unit to nm.

  Args:
    centres: `[B]`.
    widths: `[B]`, or None. If all are 0, they count as unknown.
    unit: any name of a unit of length, of wavenumbers or of frequencies. If it is "" or "unknown", it is
      nm or um, whichever suits the centres.
    where: the source, for messages.
    kept: indices of the bands to return; those of other bands need not be valid.

  Raises:
    RequestError: the unit is another one, units are mixed, the centres number the bands, or values are
      negative or not finite.
  """
  if is_numbering(centres):
    raise RequestError(f"{where}: the wavelengths are {centres[0]:g} to {centres[-1]:g}, numbers of bands")
  centres = _checked(centres[kept], where)
  widths = None if widths is None else _checked(widths[kept], where)
  name = parse_unit(unit, where)
  if name is None:
    name = UM if centres.max() < wavelength_limits.SHORTEST else NM
  if _UNITS[name].reciprocal and not centres.all():
    raise RequestError(f"{where}: a wavelength is 0 {name}; expected positive numbers")
  if widths is not None:
    widths = _widths_in_nm(widths, centres, _UNITS[name])
  centres = _centres_in_nm(centres, _UNITS[name])
  found = f"{where}: wavelengths range from {centres.min():g} to {centres.max():g} nm"
  if not wavelength_limits.are_plausible_centres(centres):
    raise RequestError(
      f"{found} when read in {name}; units are mixed or wrong: expected all in nm or all in um, from "
      f"{wavelength_limits.SHORTEST:g} to {wavelength_limits.LONGEST:g} nm"
    )
  if widths is None or not widths.any():
    return Wavelengths(centres, None)
  if not wavelength_limits.are_plausible_widths(widths, centres):
    raise RequestError(
      f"{found} and widths from {widths.min():g} to {widths.max():g} nm; units are mixed: expected both in "
      "nm or both in um"
    )
  return Wavelengths(centres, widths)


def is_numbering(values: np.ndarray) -> bool:
  """Returns whether values `[B]` number the bands, from 0 or from 1."""
  first = values[0] if len(values) >= _FEWEST_NUMBERED else np.nan
  return first in (0, 1) and bool((values == first + np.arange(len(values))).all())


def parse_unit(text: str, where: str) -> str | None:
  """Returns the unit that a text names, such as "nm" or "um"; None for "" and "unknown".

  Raises:
    RequestError: it is another unit.
  """
  text = text.strip()
  if text.lower() in ("", "unknown"):
    return None
  for name, unit in _UNITS.items():
    if unit.spelling.fullmatch(text):
      return name
  raise RequestError(
    f"{where}: wavelengths are in {text!r}; expected nm or um: provide them in a CSV file (option "
    "wavelengths)"
  )


# Rounding removes the error of the conversion: 0.4 um are exactly 400 nm.
@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def _centres_in_nm(centres: np.ndarray, unit: _Unit) -> np.ndarray:
  return np.round(unit.factor / centres if unit.reciprocal else unit.factor * centres, 6)


@np.errstate(over="ignore", invalid="ignore", divide="ignore")
def _widths_in_nm(widths: np.ndarray, centres: np.ndarray, unit: _Unit) -> np.ndarray:
  return np.round(unit.factor * widths / (centres**2 if unit.reciprocal else 1.0), 6)


def _checked(values: np.ndarray, where: str) -> np.ndarray:
  if not (np.isfinite(values).all() and (values >= 0).all()):
    raise RequestError(f"{where}: wavelengths and widths must be positive numbers")
  return values
