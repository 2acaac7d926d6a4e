"""ENVI headers of classifications."""

import re
from pathlib import Path

import numpy as np
import rasterio

from mtl_hsi.report import colours
from mtl_hsi.report.rasters import Legend
from mtl_hsi.scenes.scene import Georeference

# The largest difference of a corner of the map from its place, in pixels.
_TOLERANCE = 0.01
_FOOT = 0.3048


def complete(path: Path, legend: Legend, crs: str | None) -> None:
  """Turns the header that GDAL wrote into that of a classification; rasterio has no option for this.

  Args:
    path: the header.
    legend: classes of the map.
    crs: coordinate reference system of the map, or None.
  """
  # GDAL's description is the temporary name of the file.
  kept = re.sub(
    r"^(description|band names) = \{.*?\}\n|^file type = [^\n]*\n",
    "",
    _with_units(path.read_text("utf-8"), crs),
    flags=re.S | re.M,
  )
  ids = range(max(legend.names) + 1)
  # A comma or a brace would end a name.
  safe = str.maketrans(",{}", ";()")
  names = [legend.names.get(i, "").translate(safe) for i in ids]
  names[0] = "Unclassified"
  table = {0: colours.NO_DATA, **legend.colours}
  lookup = [str(part) for i in ids for part in table.get(i, colours.UNLABELLED)]
  lines = [
    f"description = {{{legend.title.translate(safe)}}}",
    "band names = {predicted class}",
    "file type = ENVI Classification",
    f"classes = {len(names)}",
    f"class lookup = {{{', '.join(lookup)}}}",
    f"class names = {{{', '.join(names)}}}",
  ]
  path.write_text(kept.rstrip("\n") + "\n" + "\n".join(lines) + "\n", "utf-8")


def can_place(georeference: Georeference, height: int, width: int) -> bool:
  """Returns whether an ENVI header can give the position of an image of H x W pixels.

  It can if columns lead east and rows south, or if both are turned by the same angle and pixels are square.
  """
  a, b, _, d, e, _ = georeference.transform
  tolerance = _TOLERANCE * np.sqrt(abs(a * e - b * d)) / max(height, width)
  if max(abs(b), abs(d)) <= tolerance:
    return a > 0 > e
  return abs(a + e) <= tolerance and abs(b - d) <= tolerance


def _with_units(text: str, crs: str | None) -> str:
  """Corrects the unit of a header: to readers, "Feet" are international ones, whatever the system is."""
  if crs is None:
    return text
  system = rasterio.CRS.from_user_input(crs)
  name, factor = system.linear_units_factor if system.is_projected else ("", 1.0)
  return text.replace("units=Feet", "units=US Survey Feet") if "foot" in name and factor != _FOOT else text
