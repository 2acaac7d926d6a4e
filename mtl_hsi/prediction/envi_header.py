"""ENVI headers of classifications."""

import re
from pathlib import Path

from mtl_hsi.report import colours
from mtl_hsi.report.rasters import Legend


def complete(path: Path, legend: Legend) -> None:
  """Turns the header that GDAL wrote into that of a classification; rasterio has no option for this."""
  # GDAL's description is the temporary name of the file.
  kept = re.sub(
    r"^(description|band names) = \{.*?\}\n|^file type = [^\n]*\n",
    "",
    path.read_text("utf-8"),
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
