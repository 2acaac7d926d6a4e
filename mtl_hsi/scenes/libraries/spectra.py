"""The spectra that every reader of libraries returns."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.wavelengths import Wavelengths
from mtl_hsi.scenes.scene_checks import LARGEST_VALUE


class Spectra(NamedTuple):
  """The spectra of a library.

  Attributes:
    values: float32 `[n, L]`, NaN where missing.
    wavelengths: nm, ascending float64 `[L]`.
    widths: full widths at half maximum in nm `[L]`, or None.
    names: names of the spectra `[n]`, or None if the library has none.
    columns: further entries of all spectra, each `[n]`, by the title of their column.
    origin: the file, for messages.
  """

  values: np.ndarray
  wavelengths: np.ndarray
  widths: np.ndarray | None
  names: Sequence[str] | None
  columns: Mapping[str, Sequence[str]]
  origin: str


def make_spectra(
  values: np.ndarray,
  bands: Wavelengths,
  names: Sequence[str] | None,
  columns: Mapping[str, Sequence[str]],
  origin: str,
) -> Spectra:
  """Returns spectra in order of wavelength; fill values become NaN, and of equal wavelengths one is kept.

  Args:
    values: `[n, L]` in the order of the file.
    bands: in the same order.
    names, columns, origin: see `Spectra`.

  Raises:
    RequestError: there are fewer than two wavelengths.
  """
  wavelengths, order = np.unique(bands.centres, return_index=True)
  if len(wavelengths) < 2:
    raise RequestError(f"{origin} has {len(wavelengths)} wavelength; a library needs at least two")
  with np.errstate(invalid="ignore", over="ignore"):
    values = values[:, order].astype(np.float32)
    values[~(np.abs(values) < LARGEST_VALUE)] = np.nan
  widths = None if bands.widths is None else bands.widths[order]
  return Spectra(values, wavelengths, widths, names, columns, origin)
