"""What the page's viewer of a scene shows, packed for its script."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import rasterio

from mtl_hsi.report import colours, maps, spectra
from mtl_hsi.report.contents import SceneReport
from mtl_hsi.scenes.scene import Georeference

# A screen shows no more; larger scenes are thinned out.
_MOST_PIXELS = 2_000_000
# What maps may take of a scene's bytes, so that something is left for spectra.
_SHARE_OF_MAPS = 0.7
# Bytes for everything else of a scene: names, tables, curve.
_REST = 100_000
# Of viridis, from no confidence to full.
_RAMP = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
_SCRIPTS = ("viewer_data.js", "viewer.js")
_NEITHER, _TRAIN, _TEST, _NO_DATA = range(4)


@dataclasses.dataclass(frozen=True, eq=False)
class View:
  """Maps and viewer of a scene within its share of the page.

  Attributes:
    every: every how many rows and columns are shown.
    pngs: the maps at that size, encoded, in the order of `maps.maps`.
    data: what the script reads, for JSON; `viewer.js` says how.
    caption: sentences on what the viewer shows, and what was left out to keep the page small.
    layers: identifier and name of each layer over the false colour.
    ramp: colours of the confidence.
    error_legend: colours of the errors with their meaning.
  """

  every: int
  pngs: list[bytes]
  data: dict
  caption: str
  layers: list[tuple[str, str]]
  ramp: tuple[colours.RGB, ...]
  error_legend: list[tuple[colours.RGB, str]]


def script() -> str:
  """The script of all viewers of a page."""
  return "\n".join(Path(__file__).with_name(name).read_text("utf-8") for name in _SCRIPTS)


def view(report: SceneReport, drawn: list[maps.Map], budget: int) -> View:
  """Packs a scene into so many bytes of the page; `drawn` are its maps."""
  every = max(1, int(np.ceil((report.prediction.size / _MOST_PIXELS) ** 0.5)))
  while True:
    pngs = [maps.png(np.ascontiguousarray(one.image[::every, ::every])) for one in drawn]
    pixels = spectra.packed(_pixels(report, every))
    used = len(pixels) + sum(4 * (len(png) + 2) // 3 for png in pngs)
    if used <= _SHARE_OF_MAPS * budget or every >= max(report.prediction.shape):
      break
    every += 1
  found = spectra.spectra(report.scene, every, budget - used - _REST)
  layers = [("truth", "truth"), ("prediction", "prediction"), ("errors", "errors")]
  if report.probability is not None:
    layers.insert(2, ("confidence", "confidence"))
  return View(
    every=every,
    pngs=pngs,
    data=_data(report, every, pixels, found),
    caption=_caption(report, drawn[0], every, found),
    layers=layers,
    ramp=_RAMP,
    error_legend=maps.ERROR_LEGEND[:3],
  )


def _pixels(report: SceneReport, every: int) -> np.ndarray:
  """Bytes of truth, prediction, split and, where known, vote share and probability, one after the other."""
  scene = report.scene
  marks = np.full(scene.labels.shape, _NEITHER, np.uint8)
  for rows, mark in ((report.test, _TEST), (report.train, _TRAIN)):
    marks[tuple(rows[rows[:, 0] >= 0].T)] = mark
  if scene.nodata is not None:
    marks[scene.nodata] = _NO_DATA
  planes = [*_places(report, scene.labels), *_places(report, report.visible), marks]
  for share in (report.vote_share, report.probability):
    if share is not None:
      planes.append((255 * np.asarray(share, np.float32)).round().astype(np.uint8))
  return np.stack([plane[::every, ::every] for plane in planes])


def _places(report: SceneReport, ids: np.ndarray) -> list[np.ndarray]:
  """Places of class ids from 1, 0 for none, low bytes and, of more than 255 classes, high bytes."""
  class_ids = report.scene.class_ids
  places = np.where(ids > 0, 1 + np.searchsorted(class_ids, ids), 0)
  planes = [(places & 255).astype(np.uint8)]
  return planes if len(class_ids) <= 255 else [*planes, (places >> 8).astype(np.uint8)]


def _data(report: SceneReport, every: int, pixels: str, found: spectra.Spectra) -> dict:
  scene = report.scene
  height, width = (-(-size // every) for size in scene.labels.shape)
  wavelengths = None if scene.wavelengths is None else [float(scene.wavelengths[b]) for b in found.bands]
  return {
    "height": height,
    "width": width,
    "every": every,
    "classes": [{"label": label, "colour": colour} for colour, label in maps.class_legend(scene)],
    "confidence": report.probability is not None,
    # A network alone is always of one mind.
    "votes": report.vote_share is not None and report.voters > 1,
    "ramp": _RAMP,
    "errors": {"correct": colours.CORRECT, "wrong": colours.WRONG, "training": colours.TRAINING},
    "georeference": None if scene.georeference is None else _place(scene.georeference),
    "pixels": pixels,
    "spectra": dataclasses.asdict(found),
    "axis": {"name": "band", "unit": "", "values": found.bands}
    if wavelengths is None
    else {"name": "wavelength", "unit": "nm", "values": wavelengths},
  }


def _place(georeference: Georeference) -> dict:
  crs = rasterio.CRS.from_user_input(georeference.crs)
  known, quoted = crs.to_authority(), re.search(r'"([^"]+)"', crs.to_wkt())
  name = ":".join(known) if known else quoted[1] if quoted else "unknown system"
  return {"transform": list(georeference.transform), "crs": name}


def _caption(report: SceneReport, false_colour: maps.Map, every: int, found: spectra.Spectra) -> str:
  bands, apart = report.scene.cube.shape[2], every * found.step
  channels = "; ".join(text for _, text in false_colour.legend[:3])
  sentences = [f"False colour has {channels}."]
  if every > 1:
    sentences.append(f"Maps show every {_ordinal(every)} row and column.")
  if found.text:
    some = f"{bands}" if len(found.bands) == bands else f"{len(found.bands)} of {bands}"
    whose = "pixel" if apart == 1 else f"{_ordinal(apart)} row and column"
    sentences.append(f"Spectra are kept in 8 bits, {some} bands of every {whose}.")
  scene, page = (budget / 1e6 for budget in (spectra.SCENE_BUDGET, spectra.PAGE_BUDGET))
  sentences.append(f"All this takes at most {scene:g} MB a scene and {page:g} MB a page.")
  return " ".join(sentences)


def _ordinal(number: int) -> str:
  ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
  return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"
