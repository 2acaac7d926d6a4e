"""The keys that complete the metadata of an image file, as arguments of the reader."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mtl_hsi.scenes.images.products.product import ProductOptions
from mtl_hsi.settings.config_checks import number, numbers_of, one_of, require

KEYS = (
  *("nodata", "scale", "offset", "wavelengths", "wavelength_unit", "bad_bands"),
  *("quality", "overlap", "geometry"),
)
# Options that are equal for all images of a sensor; scale and offset belong together.
_OF_A_SENSOR = (("nodata",), ("scale", "offset"), ("bad_bands",), ("quality",), ("overlap",), ("geometry",))
_CHOICES = {"quality": ("clear", "none"), "overlap": ("vnir", "swir", "all"), "geometry": ("map", "sensor")}


def inherit(keys_of_image: Any, scene: Mapping[str, Any], options: Collection[str]) -> dict[str, str]:
  """Returns the keys that a new image takes from the scene that it resembles, with their values.

  Args:
    keys_of_image: the keys given for the image, as for `read`.
    scene: the options of the scene in training.
    options: those of the options of products that the image has.
  """
  groups = [keys for keys in _OF_A_SENSOR if not any(keys_of_image[key] for key in keys)]
  groups = [keys for keys in groups if keys[0] in options or keys[0] not in _CHOICES]
  return {key: scene[key] for keys in groups for key in keys if scene.get(key)}


def read(given: Any, prefix: str = "") -> dict[str, Any]:
  """Returns the arguments of `Image.open` other than file and key.

  Args:
    given: a ConfigDict or mapping with `KEYS`.
    prefix: prefix of the keys in messages, such as "files.fields.".

  Raises:
    RequestError: an option has an invalid value.
  """
  numbers = {key: number(prefix + key, given[key]) for key in ("scale", "offset")}
  for key in ("scale", "offset"):
    fine = numbers[key] is None or (np.isfinite(numbers[key]) and (key == "offset" or numbers[key] != 0))
    require(fine, prefix + key, given[key], "a finite number" + (" other than 0" if key == "scale" else ""))
  if given["wavelength_unit"]:
    one_of(("nm", "um"), f"{prefix}wavelength_unit", given["wavelength_unit"])
    expected = "no value, because it is the unit of a CSV file (option wavelengths) and none is given"
    require(given["wavelengths"], f"{prefix}wavelength_unit", given["wavelength_unit"], expected)
  for key, choices in _CHOICES.items():
    if given[key]:
      one_of(choices, prefix + key, given[key])
  return {
    **numbers,
    "nodata": numbers_of(f"{prefix}nodata", given["nodata"]),
    "wavelengths": Path(given["wavelengths"]) if given["wavelengths"] else None,
    "wavelength_unit": given["wavelength_unit"] or None,
    "bad_bands": given["bad_bands"] or None,
    "quality": None if given["quality"] in ("", "none") else given["quality"],
    "product": ProductOptions(given["overlap"] or None, given["geometry"] or None),
  }
