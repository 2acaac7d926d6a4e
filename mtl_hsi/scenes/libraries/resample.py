"""Spectra of a library in the bands of a scene."""

from typing import NamedTuple

import numpy as np

from mtl_hsi.scenes.libraries.spectra import Spectra
from mtl_hsi.scenes.spectral_response import REACH_NM, response, usual_spacing


class Resampled(NamedTuple):
  """Spectra in the bands of a scene.

  Attributes:
    values: float32 `[n, B]`, NaN for spectra that do not cover the bands.
    interpolated: number of bands that lie far from the wavelengths of a spectrum, in a gap of it.
  """

  values: np.ndarray
  interpolated: int


def resample(spectra: Spectra, centres: np.ndarray, widths: np.ndarray | None) -> Resampled:
  """Resamples spectra to bands by their centres and widths.

  The response of a band is a Gaussian. As the spectra were smoothed by their own instrument before, its
  variance is the difference of the two. Gaps of a spectrum are interpolated; a band may lie up to 50 nm
  beyond its ends.

  Args:
    spectra: of the library.
    centres: nm `[B]`.
    widths: full widths at half maximum, nm `[B]`; None: the spacing of the bands.
  """
  widths = _spacing(centres) if widths is None else widths
  own = usual_spacing(spectra.wavelengths) if spectra.widths is None else spectra.widths
  found = np.full((len(spectra.values), len(centres)), np.nan, np.float32)
  interpolated = 0
  # Spectra with the same missing values are resampled by one matrix.
  patterns, members = np.unique(np.isfinite(spectra.values), axis=0, return_inverse=True)
  for number, valid in enumerate(patterns):
    known = spectra.wavelengths[valid]
    if len(known) < 2 or centres.min() < known[0] - REACH_NM or centres.max() > known[-1] + REACH_NM:
      continue
    difference = widths**2 - np.interp(centres, spectra.wavelengths, own) ** 2
    matrix = response(known, centres, np.sqrt(np.maximum(difference, 0)))
    rows = members.ravel() == number
    found[rows] = spectra.values[rows][:, valid] @ matrix
    interpolated = max(interpolated, int(np.count_nonzero(_distance(known, centres) > REACH_NM)))
  return Resampled(found, interpolated)


def _spacing(centres: np.ndarray) -> np.ndarray:
  return usual_spacing(centres) if len(np.unique(centres)) > 1 else np.zeros(len(centres))


def _distance(known: np.ndarray, centres: np.ndarray) -> np.ndarray:
  """Returns the distance of every centre to the nearest known wavelength."""
  right = np.searchsorted(known, centres).clip(1, len(known) - 1)
  return np.minimum(np.abs(known[right] - centres), np.abs(known[right - 1] - centres))
