"""A page on which a sample is filled in by keyboard: one file, which needs no network.

Neither the page nor its data have the class of a unit in the map, or its stratum.
"""

import base64
import hashlib
import string
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mtl_hsi.assessment import sample_files
from mtl_hsi.assessment.design import Design
from mtl_hsi.assessment.unit_images import UnitImages
from mtl_hsi.report import maps, pictures, templates
from mtl_hsi.storage.atomic_files import json_bytes

PAGE = "_label.html"
# Bound on the bytes of all units; browsers open larger pages slowly.
MOST_BYTES = 32_000_000

_HERE = Path(__file__).parent
_SCRIPTS = (
  _HERE / "label_table.js",
  _HERE.parent / "report" / "viewer_spectrum.js",
  _HERE / "label_view.js",
  _HERE / "label.js",
)
_DIGITS = tuple(string.digits[1:])
# Keys of classes whose id is no digit from 1 to 9; the page needs the other letters itself.
_LETTERS = [letter for letter in string.ascii_lowercase if letter not in "elsu"]


def count_shown(images: UnitImages) -> int:
  """Returns how many units fit on the page, the first ones."""
  return min(len(images.corners), MOST_BYTES // images.most_bytes)


def render(
  design: Design, names: Mapping[int, str], further: Sequence[str], images: UnitImages, table: str
) -> bytes:
  """Returns the page.

  Args:
    design: the sample.
    names: names of the classes to offer, by id.
    further: names of those among them that the map lacks.
    images: what is shown of each unit.
    table: name of the file of the filled-in table.

  Raises:
    RequestError: the image is damaged.
  """
  shown = count_shown(images)
  script = "\n".join(path.read_text("utf-8") for path in _SCRIPTS)
  classes = _classes(names, further)
  data = _data(design, classes, images, shown, table)
  template = templates.environment(_HERE).get_template("label.html")
  content = template.render(
    design=design,
    classes=classes,
    image=images.image,
    bands=_band_names(images),
    overview=_data_url(pictures.encode_png(images.overview)),
    has_spectra=bool(images.spectrum_bands.size),
    data=data,
    script=script,
    # The browser runs this script only, whatever a file may contain.
    script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
  )
  return content.encode(errors="backslashreplace")


def _data(design: Design, classes: list[dict], images: UnitImages, shown: int, table: str) -> dict:
  """Returns what the script reads."""
  # Neighbours follow each other, so that blocks of the file are read once.
  found = {int(i): images.read(int(i)) for i in np.lexsort(images.corners[:shown, 0].T[::-1])}
  units = [found[i] for i in range(shown)]
  spectra = [unit.spectrum for unit in units if unit.spectrum is not None]
  usual = np.percentile(spectra, (1, 99)).tolist() if spectra else [0.0, 1.0]
  wavelengths = images.image.wavelengths
  axis = images.spectrum_bands if wavelengths is None else wavelengths[images.spectrum_bands]
  name, unit = ("band", "") if wavelengths is None else ("wavelength", "nm")
  head, rows = sample_files.table_cells(design)
  return {
    "table": table,
    "head": head,
    "rows": rows[:shown],
    # Of the sample, of which the page may have a part.
    "count": len(rows),
    "design": hashlib.sha256(json_bytes(design.as_json())).hexdigest(),
    "classes": classes,
    "axis": {"name": name, "unit": unit, "values": axis.tolist()},
    "spectra": {"usual": usual},
    "units": [
      {
        "chip": base64.b64encode(unit.png).decode(),
        "outline": unit.outline.round(4).tolist(),
        "place": unit.place.round(4).tolist(),
        "spectrum": None if unit.spectrum is None else [float(f"{value:.4g}") for value in unit.spectrum],
      }
      for unit in units
    ],
  }


def _classes(names: Mapping[int, str], further: Sequence[str]) -> list[dict]:
  """Returns the classes: label, what is written into the table, how it may be written besides, and key."""
  letters = iter([*_LETTERS, *map(str.upper, _LETTERS)])
  classes = []
  for class_id, name in names.items():
    # What estimates number further classes with depends on the map and on their order.
    cell = name if name in further else str(class_id)
    key = cell if cell in _DIGITS else next(letters, "")
    # The key shows the id of such a class already.
    label = name if name in further or key == cell else maps.class_label(class_id, name)
    classes.append({"label": label, "cell": cell, "name": name, "key": key})
  return classes


def _band_names(images: UnitImages) -> list[str]:
  """Returns the number and the wavelength of what is shown as red, green and blue."""
  wavelengths = images.image.wavelengths
  centres = ["" if wavelengths is None else f" ({wavelengths[band]:.0f} nm)" for band in images.bands]
  return [f"{band}{centre}" for band, centre in zip(images.bands, centres, strict=True)]


def _data_url(png: bytes) -> str:
  return "data:image/png;base64," + base64.b64encode(png).decode()
