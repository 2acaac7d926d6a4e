"""The response of a sensor's bands: how densely sampled spectra are resampled to them."""

import numpy as np

from mtl_hsi.errors import RequestError

# How far a band may lie beyond the wavelengths of a library: AVIRIS extends 39 nm further than earthlib.
REACH_NM = 50.0
_FWHM_PER_SIGMA = 2.0 * np.sqrt(2.0 * np.log(2.0))


def response(wavelengths: np.ndarray, centres: np.ndarray, widths: np.ndarray) -> np.ndarray:
  """Returns the matrix that resamples spectra to the bands of a sensor: `spectra @ response`.

  Each band is the mean of the spectrum weighted by a Gaussian with the band's full width at half maximum,
  truncated at two widths from the centre. Between the wavelengths of the library, and across its gaps, the
  spectrum is interpolated linearly. Beyond the ends it is constant, and band centres may lie up to 50 nm
  beyond.

  Args:
    wavelengths: nm, ascending `[L]`.
    centres, widths: nm `[B]`.

  Returns:
    float64 `[L, B]`; every column sums to 1.

  Raises:
    RequestError: a band centre is more than 50 nm outside the wavelengths.
  """
  low, high = wavelengths[0], wavelengths[-1]
  far = [c for c in centres if not low - REACH_NM <= c <= high + REACH_NM]
  if far:
    raise RequestError(
      f"band centre {far[0]:g} nm lies outside the spectral library's {low:g} to {high:g} nm; "
      "give centres in nm within that range (up to 50 nm beyond)"
    )
  steps = np.linspace(-2.0, 2.0, 161)
  weights = np.exp(-0.5 * (steps * _FWHM_PER_SIGMA) ** 2)
  weights /= weights.sum()
  matrix = np.zeros((len(wavelengths), len(centres)))
  for band, (centre, width) in enumerate(zip(centres, widths, strict=True)):
    at = np.clip(centre + steps * width, low, high)
    right = np.clip(np.searchsorted(wavelengths, at), 1, len(wavelengths) - 1)
    share = (at - wavelengths[right - 1]) / (wavelengths[right] - wavelengths[right - 1])
    np.add.at(matrix[:, band], right - 1, weights * (1.0 - share))
    np.add.at(matrix[:, band], right, weights * share)
  return matrix


def usual_spacing(centres: np.ndarray) -> np.ndarray:
  """Returns the usual distance of neighbours around every band: a median, so gaps have no effect.

  Args:
    centres: nm `[b]`, in any order, of at least two different values.
  """
  from scipy import ndimage

  nodes, node_of_band = np.unique(centres, return_inverse=True)
  steps = np.diff(nodes)
  usual = ndimage.median_filter(np.append(steps, steps[-1]), size=5, mode="nearest")
  return usual[node_of_band]
