"""The bands of two detectors whose spectra overlap: which of them are used."""

from typing import Literal

import numpy as np

from mtl_hsi.plurals import noun


def leave_out(
  centres: np.ndarray, is_vnir: np.ndarray, usable: np.ndarray, choice: Literal["vnir", "swir", "all"]
) -> tuple[np.ndarray, str | None]:
  """Returns the bands of the other detector in the overlap, and a remark on them.

  Args:
    centres: centres of the bands in nm, `[B]`.
    is_vnir: whether a band is of the first detector, bool `[B]`; all others are of the second.
    usable: whether a band has measurements, bool `[B]`. Others make no overlap.
    choice: the detector that is used.

  Returns:
    Indices of the bands to leave out, int, ascending, and a sentence; None if nothing overlaps.
  """
  vnir, swir = centres[is_vnir & usable], centres[~is_vnir & usable]
  if not len(vnir) or not len(swir) or swir.min() > vnir.max():
    return np.empty(0, int), None
  first, last = swir.min(), vnir.max()
  where = f"the detectors overlap from {first:.0f} to {last:.0f} nm"
  if choice == "all":
    return np.empty(0, int), f"{where}; the bands of both are used"
  others = is_vnir & (centres >= first) if choice == "swir" else ~is_vnir & (centres <= last)
  left_out = np.flatnonzero(others & usable)
  count = len(left_out)
  bands = f"{count} {noun(count, 'band')}"
  used, other = ("SWIR", "VNIR") if choice == "swir" else ("VNIR", "SWIR")
  return left_out, (
    f"{where}; {used} is used there, and {bands} of {other} {noun(count, 'is', 'are')} left out "
    "(option overlap)"
  )
