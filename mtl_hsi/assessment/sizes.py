"""How many units to draw, and how many of them in each stratum."""

from collections.abc import Sequence

import numpy as np

from mtl_hsi.errors import RequestError

# Needed for a standard error.
_FEWEST = 2


def size_for(standard_error: float, accuracies: Sequence[float], units: Sequence[int]) -> int:
  """Returns the size of a stratified sample that gives overall accuracy a standard error.

    n = (sum W_h S_h)^2 / (S^2 + sum W_h S_h^2 / N), with S_h^2 = U_h (1 - U_h)
  (Cochran, "Sampling Techniques" (1977), eq. 5.25; Olofsson et al. 2014, eq. 13).

  Args:
    standard_error: S.
    accuracies: expected user's accuracy U_h in each stratum.
    units: number of units N_h in each stratum.
  """
  weights = np.array(units) / np.sum(units)
  expected = np.array(accuracies)
  variances = expected * (1 - expected)
  spread = (weights @ np.sqrt(variances)) ** 2
  return int(np.ceil(spread / (standard_error**2 + weights @ variances / np.sum(units))))


def allocate(
  size: int, units: Sequence[int], allocation: str, floor: int, *, can_grow: bool = False
) -> list[int]:
  """Returns the number of units to draw in each stratum.

  "proportional" follows the numbers of units, "equal" draws as many everywhere, and "floor" is proportional
  except that no stratum has fewer than `floor`. Every stratum has at least two units, or all that exist.

  Args:
    size: number of units in all strata together.
    units: number of units that exist in each stratum, none of them 0.
    allocation: one of `assessment_settings.ALLOCATIONS`.
    floor: smallest number for "floor".
    can_grow: whether the sample may become larger than `size` for the floors' sake.

  Raises:
    RequestError: the size is too small for the strata.
  """
  units = np.array(units)
  least = np.minimum(units, max(floor, _FEWEST) if allocation == "floor" else _FEWEST)
  if can_grow:
    size = max(size, int(least.sum()))
  size = min(size, int(units.sum()))
  if least.sum() > size:
    raise RequestError(
      f"config key size is {size}, too few for {len(units)} strata with at least {least.max()} units each; "
      f"expected {least.sum()} or more (config keys size, allocation, floor)"
    )
  shares = np.ones(len(units)) if allocation == "equal" else units.astype(float)
  return _fill(size, shares, least, units).tolist()


def _fill(size, shares, least, most) -> np.ndarray:
  """Divides `size` in proportion to `shares`, with at least `least` and at most `most` in each stratum."""
  fixed = np.full(len(shares), -1)
  while True:
    free = fixed < 0
    left = size - fixed[~free].sum()
    if not free.any():
      return fixed
    wanted = np.where(free, left * shares / shares[free].sum(), 0.0)
    low, high = free & (wanted < least), free & (wanted > most)
    # What the floors take, the others lack; what the ceilings leave, the others get. The larger effect first.
    missing, surplus = (least - wanted)[low].sum(), (wanted - most)[high].sum()
    if missing >= surplus and low.any():
      fixed[low] = least[low]
    elif high.any():
      fixed[high] = most[high]
    else:
      return np.where(free, _rounded(wanted, left, most), fixed)


def _rounded(wanted: np.ndarray, total: int, most: np.ndarray) -> np.ndarray:
  """Rounds to whole numbers of a given sum, by the largest remainders."""
  whole = np.floor(wanted).astype(int)
  rest = np.where(whole < most, wanted - whole, -1.0)
  whole[np.argsort(-rest, kind="stable")[: total - whole.sum()]] += 1
  return whole
