"""The bands in the metadata of a product: wavelengths, gains and offsets."""

from collections.abc import Sequence
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.plurals import noun
from mtl_hsi.scenes.images import wavelengths
from mtl_hsi.scenes.images.wavelengths import Wavelengths


class BandTable(NamedTuple):
  """The bands of a product in ascending order of wavelength.

  Attributes:
    order: index of each band in the file, int `[B]`.
    wavelengths: centres and widths.
    scaling: gain and offset of each band, each float64 `[B]`.
  """

  order: np.ndarray
  wavelengths: Wavelengths
  scaling: tuple[np.ndarray, np.ndarray]

  def remarks(self, empty: np.ndarray) -> list[str]:
    """Returns a sentence on bands that are not in order, and one on those that have no measurement."""
    found = []
    if (np.diff(self.order) < 0).any():
      found.append("the bands of the file are put in ascending order of wavelength; options count them so")
    if len(empty):
      first, last = self.wavelengths.centres[empty[[0, -1]]]
      where = f"{first:g} nm" if len(empty) == 1 else f"from {first:g} to {last:g} nm"
      found.append(f"{len(empty)} {noun(len(empty), 'band')} without a measurement left out: {where}")
    return found


def read_band_table(bands: Sequence[ElementTree.Element], tags: Sequence[str], where: str) -> BandTable:
  """Reads the bands from their elements.

  Args:
    bands: one element per band, in the order of the file.
    tags: names of the elements with centre and width in nm, gain and offset.
    where: the file, for messages.

  Raises:
    RequestError: there are no bands, or a band lacks a number.
  """
  if not bands:
    raise RequestError(f"{where} describes no bands (bandCharacterisation); download the product again")
  centres, widths, gains, offsets = (_numbers(bands, tag, where) for tag in tags)
  order = np.argsort(centres, kind="stable")
  known = wavelengths.convert_to_nm(centres[order], widths[order], wavelengths.NM, where)
  return BandTable(order, known, (gains[order], offsets[order]))


def _numbers(bands: Sequence[ElementTree.Element], tag: str, where: str) -> np.ndarray:
  texts = [band.findtext(tag, "").strip() for band in bands]
  for index, text in enumerate(texts, start=1):
    if not _is_finite(text):
      raise RequestError(
        f"{where}: {tag} of band {index} is {text!r}; expected a number: download the product again"
      )
  return np.array([float(text) for text in texts])


def _is_finite(text: str) -> bool:
  try:
    return bool(np.isfinite(float(text)))
  except ValueError:
    return False
