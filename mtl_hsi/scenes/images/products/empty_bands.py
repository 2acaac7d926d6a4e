"""Finds the bands of a product that have no measurement, where the product does not flag them."""

from collections.abc import Callable

import numpy as np

# Rows in which a measured pixel is looked for.
_ROWS = 9
# Every product measures here, where no vapour absorbs.
_CLEAR_WAVELENGTH = 860.0


def find_empty_bands(
  read: Callable[[slice, slice, np.ndarray], np.ndarray],
  shape: tuple[int, int, int],
  wavelengths: np.ndarray,
  fill: float | None,
) -> np.ndarray:
  """Returns the bands without a measurement, judged by up to nine pixels; ascending, int `[n]`.

  A band is empty if it is fill in all these pixels, or has one value that is not positive, as processors
  write into bands that they do not retrieve.

  Args:
    read: as `Product.read`.
    shape: H, W and B.
    wavelengths: band centres in nm, `[B]`.
    fill: value without measurement, or None.
  """
  height, _, count = shape
  reference = np.array([np.abs(wavelengths - _CLEAR_WAVELENGTH).argmin()])
  spectra = []
  for row in np.unique(np.linspace(0, height - 1, _ROWS + 2).round().astype(int)[1:-1]):
    rows = slice(int(row), int(row) + 1)
    measured = np.flatnonzero(~_is_fill(read(rows, slice(None), reference)[0, :, 0], fill))
    if len(measured):
      column = int(measured[len(measured) // 2])
      spectra.append(read(rows, slice(column, column + 1), np.arange(count))[0, 0])
  if not spectra:
    return np.empty(0, int)
  values = np.stack(spectra)
  constant = (values == values[0]).all(axis=0) & ~(values[0] > 0) & (len(spectra) > 1)
  empty = _is_fill(values, fill).all(axis=0) | constant
  return np.flatnonzero(empty) if not empty.all() else np.empty(0, int)


def _is_fill(values: np.ndarray, fill: float | None) -> np.ndarray:
  missing = ~np.isfinite(values) if values.dtype.kind == "f" else np.zeros(values.shape, bool)
  return missing if fill is None else missing | (values == fill)
