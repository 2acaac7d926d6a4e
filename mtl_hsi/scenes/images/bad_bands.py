"""Bad bands of an image: lists of the user, and the flags (`bbl`) in the metadata of a raster."""

import re

import numpy as np
import rasterio

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import envi_header, raster_masks, raster_tags

_EMPTY_LIST = "none"
# A band, or the first band and the end of a range. No file has more than 10^9 bands.
_ITEM = re.compile(r"\s*(\d{1,9})\s*(?::\s*(\d{1,9})\s*)?")


def parse_bands(text: str, bands: int, where: str) -> np.ndarray:
  """Returns the bad bands in a list such as "0,103:108,149:163" as ascending indices, int `[n]`.

  Bands count from 0, and ranges exclude their end; "none" is the empty list.

  Raises:
    RequestError: the list is malformed, names bands that do not exist, or names all bands.
  """
  bad = np.zeros(bands, bool)
  for item in [] if text.strip() == _EMPTY_LIST else text.split(","):
    found = _ITEM.fullmatch(item)
    first, end = (int(found[1]), int(found[2] or int(found[1]) + 1)) if found else (0, 0)
    if first >= end:
      raise RequestError(
        f"{where}: bad_bands is {text!r}; expected bands and ranges such as '0,103:108,149:163', counted "
        f"from 0 and without the end of a range, or {_EMPTY_LIST!r}"
      )
    if end > bands:
      raise RequestError(
        f"{where}: bad_bands names band {max(first, bands)}; the file has {bands}, counted from 0"
      )
    bad[first:end] = True
  return _indices(bad, where)


def format_bands(indices: np.ndarray) -> str:
  """Returns a list of bands that `parse_bands` can read: "103:108,149"."""
  runs = np.split(indices, np.flatnonzero(np.diff(indices) > 1) + 1)
  return ",".join(f"{run[0]}" if len(run) == 1 else f"{run[0]}:{run[-1] + 1}" for run in runs)


def read_bad_bands(raster: rasterio.DatasetReader, where: str) -> np.ndarray:
  """Returns the bands that a raster flags as bad, as ascending indices without alpha bands, int `[n]`.

  The flags are those of an ENVI header or, as the EnMAP-Box writes them, one in the metadata of each band;
  without flags, no band is bad.

  Raises:
    RequestError: the flags are invalid, or those of all bands are 0.
  """
  flags = envi_header.split_list(envi_header.fields(raster).get("bbl", ""))
  bands = raster_masks.data_bands(raster)
  if not flags and raster.driver != "ENVI":
    tags = [{key.lower(): value for key, value in raster_tags.tags(raster, band).items()} for band in bands]
    # Bands without a flag are good if others have one.
    flags = [band.get("bbl", "1") for band in tags] if any("bbl" in band for band in tags) else []
  return parse_flags(flags, len(bands), where) if flags else np.empty(0, int)


def parse_flags(flags: list[str], bands: int, where: str) -> np.ndarray:
  """Returns the bands whose flag is 0 as ascending indices, int `[n]`.

  Raises:
    RequestError: there is not one number per band, or all are 0.
  """
  try:
    good = np.array([float(flag) for flag in flags])
  except ValueError as error:
    raise RequestError(f"{where}: invalid bbl ({error}); expected 0 or 1 for every band") from error
  if len(good) != bands:
    raise RequestError(f"{where}: bbl has {len(good)} entries for {bands} bands; expected one per band")
  return _indices(good == 0, where)


def _indices(bad: np.ndarray, where: str) -> np.ndarray:
  if bad.all():
    raise RequestError(f"{where}: all {len(bad)} bands are bad; at least one must remain")
  return np.flatnonzero(bad)
