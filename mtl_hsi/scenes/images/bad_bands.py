"""Which bands of a file are of no use: by a list, or by an ENVI header."""

import re

import numpy as np

from mtl_hsi.errors import RequestError

NONE = "none"
# A band, or a first one and the end; no file has bands of more digits.
_PART = re.compile(r"\s*(\d{1,9})\s*(?::\s*(\d{1,9})\s*)?")


def parse(text: str, bands: int, where: str) -> np.ndarray:
  """Indices of the bands in a list such as "0,103:108,149:163", ascending, int `[n]`.

  Bands count from 0, the end of a range is left out; "none" is the empty list.

  Raises:
    RequestError: it is no such list, names bands that are not there, or all.
  """
  bad = np.zeros(bands, bool)
  for part in [] if text.strip() == NONE else text.split(","):
    found = _PART.fullmatch(part)
    first, end = (int(found[1]), int(found[2] or int(found[1]) + 1)) if found else (0, 0)
    if first >= end:
      raise RequestError(
        f"{where}: bad_bands is {text!r}; expected bands and ranges such as '0,103:108,149:163', counted "
        f"from 0 without a range's end, or {NONE!r}"
      )
    if end > bands:
      raise RequestError(f"{where}: bad_bands names band {end - 1}; the file has {bands}, counted from 0")
    bad[first:end] = True
  return _indices(bad, where)


def from_header(items: list[str], bands: int, where: str) -> np.ndarray:
  """Indices of the bands whose entry in `bbl`, of a header or of the bands, is 0, ascending, int `[n]`.

  Raises:
    RequestError: there is not one number a band, or all are 0.
  """
  try:
    good = np.array([float(item) for item in items])
  except ValueError as error:
    raise RequestError(f"{where}: its bbl: {error}; expected 0 or 1 for every band") from error
  if len(good) != bands:
    raise RequestError(f"{where}: its bbl has {len(good)} entries for {bands} bands")
  return _indices(good == 0, where)


def in_words(indices: np.ndarray) -> str:
  """A list of bands as `parse` reads it: "103:108,149"."""
  runs = np.split(indices, np.flatnonzero(np.diff(indices) > 1) + 1)
  return ",".join(f"{run[0]}" if len(run) == 1 else f"{run[0]}:{run[-1] + 1}" for run in runs)


def _indices(bad: np.ndarray, where: str) -> np.ndarray:
  if bad.all():
    raise RequestError(f"{where}: all {len(bad)} bands are bad; none would be left")
  return np.flatnonzero(bad)
