"""Hyperion (EO-1) L1T: radiance of 242 bands, each a GeoTIFF, with a text file of metadata (MTL).

The facts of the format are those of USGS' README of the product, of pygaarst (chryss/pygaarst) and of PyGMI
3.2.9.7. Of the 242 bands 198 are calibrated; the others are 0 everywhere.
"""

import datetime
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.plurals import noun
from mtl_hsi.scenes.images.products.band_stack import BandStack, StackedBand
from mtl_hsi.scenes.images.products.delivery import Delivery
from mtl_hsi.scenes.images.products.detector_overlap import leave_out
from mtl_hsi.scenes.images.products.product import Description, ProductOptions
from mtl_hsi.scenes.images.wavelengths import Wavelengths
from mtl_hsi.storage import memory

# The scene, then the number of a band or the metadata.
_NAME = re.compile(r"(eo1h\w*?)_(?:b(\d{3})_l1g?s?t\.tiff?|mtl(?:_l1g?s?t)?\.txt)")
_SCENE_DATE = re.compile(r"eo1h\d{6}(\d{4})(\d{3})")
_VALUE = re.compile(r'^\s*(\w+)\s*=\s*"?([^"\n]*?)"?\s*$', re.MULTILINE)
_VNIR, _SWIR = range(8, 58), range(77, 225)
# As in most published work, which uses bands 8 to 57 and 79 to 224.
_PREFERRED = "vnir"
# Text is decoded and matched: a few copies.
_MEMORY_RATIO = 20


class Hyperion:
  """A Hyperion L1T product; see `product.Product`."""

  title = "Hyperion L1T"
  overlaps = True
  geometries = False
  # The product has no quality layers.
  read_unclear = None

  def __init__(self, delivery: Delivery, names: Mapping[int, str], metadata: str, options: ProductOptions):
    self._chosen = options.overlap or _PREFERRED
    self._metadata = metadata
    self._fields = _read_fields(delivery, metadata)
    numbers = np.array(sorted(names))
    centres = _centres(numbers)
    order = np.argsort(centres, kind="stable")
    self._numbers, self._centres = numbers[order], centres[order]
    paths = delivery.files([names[number] for number in self._numbers.tolist()])
    self._stack = BandStack([StackedBand(path, 1) for path in paths])

  @classmethod
  def find(cls, delivery: Delivery, options: ProductOptions) -> "Hyperion | None":
    scenes = _scenes(delivery)
    if not scenes:
      return None
    if len(scenes) > 1:
      raise RequestError(
        f"{delivery.path.absolute()} contains {len(scenes)} Hyperion scenes ({min(scenes).upper()}, ...); "
        "name the folder or the MTL file of one of them"
      )
    ((scene, files),) = scenes.items()
    bands = {number: name for number, name in files.items() if number in (*_VNIR, *_SWIR)}
    where = f"beside {delivery.path.absolute()}" if delivery.named else f"in {delivery.path.absolute()}"
    if not bands:
      raise RequestError(f"there is no {scene.upper()}_B008_L1T.TIF ... {where}; keep the files together")
    if None not in files:
      raise RequestError(
        f"there is no file {scene.upper()}_MTL_L1T.TXT {where}; its scale is needed: add it, or download the "
        "product again"
      )
    return cls(delivery, bands, files[None], options)

  def describe(self) -> Description:
    is_vnir = self._numbers <= _VNIR[-1]
    factors = np.where(is_vnir, self._factor("VNIR"), self._factor("SWIR"))
    everything = np.ones(len(self._numbers), bool)
    overlapping, remark = leave_out(self._centres, is_vnir, everything, self._chosen)
    lacking = len(_VNIR) + len(_SWIR) - len(self._numbers)
    remarks = ["the values are radiance in W m-2 sr-1 um-1, not reflectance", *([remark] if remark else [])]
    if lacking:
      remarks.append(f"{lacking} calibrated {noun(lacking, 'band has', 'bands have')} no file")
    return Description(
      self._stack.shape,
      self._stack.dtype,
      Wavelengths(self._centres, None),
      np.empty(0, int),
      scaling=(1 / factors, np.zeros(len(factors))),
      background=0.0,
      georeference=self._stack.place.georeference,
      by_rows=self._stack.by_rows,
      acquired=self._date(),
      remarks=(*remarks, *self._stack.remarks),
      overlapping=overlapping,
    )

  def read(self, rows: slice, columns: slice, bands: np.ndarray) -> np.ndarray:
    return self._stack.read(rows, columns, bands)

  def _factor(self, detector: str) -> float:
    key = f"SCALING_FACTOR_{detector}"
    try:
      factor = float(self._fields.get(key, ""))
    except ValueError:
      factor = np.nan
    if not 0 < factor < np.inf:
      raise RequestError(
        f"{self._metadata}: {key} is {self._fields.get(key)!r}; expected a positive number: download the "
        "product again"
      )
    return factor

  def _date(self) -> str | None:
    given = self._fields.get("ACQUISITION_DATE", "")
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", given):
      return given
    found = _SCENE_DATE.match(self._metadata.rpartition("/")[2].lower())
    year, day = map(int, found.groups()) if found else (0, 0)
    if year < 2000 or not 1 <= day <= 366:
      return None
    return str(datetime.date(year, 1, 1) + datetime.timedelta(day - 1))


def _scenes(delivery: Delivery) -> dict[str, dict[int | None, str]]:
  """Returns the files of every scene by the number of the band, None for the metadata."""
  matches = {name: _NAME.fullmatch(name.rpartition("/")[2].lower()) for name in delivery.names}
  named = matches.get(delivery.named)
  if delivery.named is not None and named is None:
    return {}
  scenes = {}
  for name, found in matches.items():
    if found and (named is None or found[1] == named[1]):
      scenes.setdefault(found[1], {}).setdefault(int(found[2]) if found[2] else None, name)
  return scenes


def _centres(numbers: np.ndarray) -> np.ndarray:
  """Returns the centres of bands in nm, within 0.1 nm those of USGS' table, which is not in the product."""
  vnir, swir = 355.59 + 10.1752 * (numbers - 1), 851.92 + 10.0887 * (numbers - 71)
  return np.round(np.where(numbers <= _VNIR[-1], vnir, swir), 2)


def _read_fields(delivery: Delivery, name: str) -> dict[str, str]:
  path: Path = delivery.file(name)
  memory.check_file(path, _MEMORY_RATIO)
  return dict(_VALUE.findall(path.read_text("latin-1")))
