"""Band centres and widths, converted to nm from the unit of any source."""

import re
from typing import NamedTuple

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes import wavelength_limits

NM, UM = "nm", "um"
_NM_PER_UNIT = {NM: 1.0, UM: 1000.0}
_SPELLINGS = {
  NM: re.compile(r"nm|nanomet(er|re)s?", re.IGNORECASE),
  UM: re.compile(r"[uµμ]m|micromet(er|re)s?|microns?", re.IGNORECASE),
}


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
    unit: any spelling of nm or um. If it is "" or "unknown", the unit is inferred from the centres.
    where: the source, for messages.
    kept: indices of the bands to return; those of other bands need not be valid.

  Raises:
    RequestError: the unit is another one, units are mixed, or values are negative or not finite.
  """
  centres = _checked(centres[kept], where)
  widths = None if widths is None else _checked(widths[kept], where)
  name = parse_unit(unit, where)
  if name is None:
    name = UM if centres.max() < wavelength_limits.SHORTEST else NM
  # Rounding removes the error of the conversion: 0.4 um are exactly 400 nm.
  centres = np.round(_NM_PER_UNIT[name] * centres, 6)
  found = f"{where}: wavelengths range from {centres.min():g} to {centres.max():g} nm"
  if not wavelength_limits.are_plausible_centres(centres):
    raise RequestError(
      f"{found} when read in {name}; units are mixed or wrong: expected all in nm or all in um, from "
      f"{wavelength_limits.SHORTEST:g} to {wavelength_limits.LONGEST:g} nm"
    )
  if widths is None or not widths.any():
    return Wavelengths(centres, None)
  widths = np.round(_NM_PER_UNIT[name] * widths, 6)
  if not wavelength_limits.are_plausible_widths(widths, centres):
    raise RequestError(
      f"{found} and widths from {widths.min():g} to {widths.max():g} nm; units are mixed: expected both in "
      "nm or both in um"
    )
  return Wavelengths(centres, widths)


def parse_unit(text: str, where: str) -> str | None:
  """Returns the unit that a text names, "nm" or "um"; None for "" and "unknown".

  Raises:
    RequestError: it is another unit.
  """
  text = text.strip()
  if text.lower() in ("", "unknown"):
    return None
  for name, spelling in _SPELLINGS.items():
    if spelling.fullmatch(text):
      return name
  raise RequestError(
    f"{where}: wavelengths are in {text!r}; expected nm or um: provide them in a CSV file (option "
    "wavelengths)"
  )


def _checked(values: np.ndarray, where: str) -> np.ndarray:
  if not (np.isfinite(values).all() and (values >= 0).all()):
    raise RequestError(f"{where}: wavelengths and widths must be positive numbers")
  return values
