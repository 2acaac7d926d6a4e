"""The data of the page's interactive viewer of a scene."""

import dataclasses
import re
from pathlib import Path

import numpy as np
import rasterio

from mtl_hsi.report import colours, maps, pictures, spectra
from mtl_hsi.report.map_classes import classes_of
from mtl_hsi.report.run_report import SceneReport
from mtl_hsi.scenes.scene import Georeference

# A screen shows no more; maps of larger scenes are thinned out.
_MOST_PIXELS = 2_000_000
# Largest part of a scene's bytes that maps may use, so that something is left for spectra.
_SHARE_OF_MAPS = 0.7
# Bytes for everything else of a scene: names, tables, curve.
_REST = 100_000
# Viridis, from no confidence to full confidence.
_RAMP = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
_SCRIPTS = ("viewer_data.js", "viewer_spectrum.js", "viewer_canvas.js", "viewer_input.js", "viewer.js")
_NEITHER, _TRAIN, _TEST, _NO_DATA = range(4)


@dataclasses.dataclass(frozen=True, eq=False)
class View:
  """Maps and viewer of a scene within its share of the page.

  Attributes:
    stride: distance between the rows and columns that are shown.
    pngs: the maps at that size, encoded, in the order of `maps.scene_maps`.
    data: what the script reads, for JSON; see `viewer_data.js`.
    caption: sentences on what the viewer shows and what was left out to keep the page small.
    layers: identifier and name of each layer over the false colour.
    ramp: colours of the confidence.
    error_legend: colours of the errors with their meaning.
  """

  stride: int
  pngs: list[bytes]
  data: dict
  caption: str
  layers: list[tuple[str, str]]
  ramp: tuple[colours.RGB, ...]
  error_legend: list[tuple[colours.RGB, str]]


def script() -> str:
  """Returns the script of all viewers of a page."""
  return "\n".join(Path(__file__).with_name(name).read_text("utf-8") for name in _SCRIPTS)


def make_view(report: SceneReport, drawn: list[maps.Map], budget: int) -> View:
  """Returns the view of a scene within a number of bytes; `drawn` are its maps."""
  stride = max(1, int(np.ceil((report.prediction.size / _MOST_PIXELS) ** 0.5)))
  while True:
    pngs = [pictures.encode_png(np.ascontiguousarray(one.image[::stride, ::stride])) for one in drawn]
    pixels = spectra.deflate_base64(_pixels(report, stride))
    used = len(pixels) + sum(4 * (len(png) + 2) // 3 for png in pngs)
    if used <= _SHARE_OF_MAPS * budget or stride >= max(report.prediction.shape):
      break
    stride += 1
  encoded = spectra.encode_spectra(report.scene, stride, budget - used - _REST)
  return View(
    stride=stride,
    pngs=pngs,
    data=_data(report, stride, pixels, encoded),
    caption=_caption(report, stride, encoded),
    layers=_layers(report),
    ramp=_RAMP,
    error_legend=maps.ERROR_LEGEND[:3],
  )


def _layers(report: SceneReport) -> list[tuple[str, str]]:
  layers = [("none", "image only"), ("truth", "reference"), ("prediction", "prediction")]
  if report.probability is not None:
    layers.append(("confidence", "confidence"))
  if len(report.test):
    layers.append(("errors", "errors"))
  return layers


def _pixels(report: SceneReport, stride: int) -> np.ndarray:
  """Returns planes of bytes: truth, prediction, use and, where known, vote share and probability."""
  scene, every = report.scene, (slice(None, None, stride),) * 2
  use = np.full(scene.labels.shape, _NEITHER, np.uint8)
  use[tuple(report.test.T)] = _TEST
  use[tuple(report.train.T)] = _TRAIN
  use[~scene.measured] = _NO_DATA
  ids = np.array([one.class_id for one in classes_of(scene, report.unknown_id)])
  images = scene.labels, report.measured_prediction
  planes = [plane for image in images for plane in _class_planes(ids, image[every])]
  planes.append(use[every])
  for share in (report.vote_share, report.probability):
    if share is not None:
      planes.append((255 * np.asarray(share[every], np.float32)).round().astype(np.uint8))
  return np.stack(planes)


def _class_planes(class_ids: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
  """Returns positions of classes from 1, 0 for none: low bytes and, of more than 255 classes, high bytes."""
  positions = np.where(labels > 0, 1 + np.searchsorted(class_ids, labels), 0)
  planes = [(positions & 255).astype(np.uint8)]
  return planes if len(class_ids) <= 255 else [*planes, (positions >> 8).astype(np.uint8)]


def _data(report: SceneReport, stride: int, pixels: str, encoded: spectra.Spectra) -> dict:
  scene = report.scene
  height, width = (-(-size // stride) for size in scene.labels.shape)
  return {
    "height": height,
    "width": width,
    "stride": stride,
    "classes": [
      {"label": label, "colour": colour} for colour, label in maps.class_legend(scene, report.unknown_id)
    ],
    "confidence": report.probability is not None,
    # The votes of one snapshot are always unanimous.
    "votes": report.vote_share is not None and report.snapshots > 1,
    "ramp": _RAMP,
    "errors": {"correct": colours.CORRECT, "wrong": colours.WRONG, "training": colours.TRAINING},
    "georeference": None if scene.georeference is None else _named_georeference(scene.georeference),
    "pixels": pixels,
    "spectra": dataclasses.asdict(encoded),
    "axis": _axis(report, encoded),
  }


def _axis(report: SceneReport, encoded: spectra.Spectra) -> dict:
  wavelengths = report.scene.wavelengths
  if wavelengths is None:
    return {"name": "band", "unit": "", "values": encoded.bands}
  return {"name": "wavelength", "unit": "nm", "values": [float(wavelengths[band]) for band in encoded.bands]}


def _named_georeference(georeference: Georeference) -> dict:
  if georeference.crs is None:
    return {"transform": list(georeference.transform), "crs": "unknown coordinate system"}
  crs = rasterio.CRS.from_user_input(georeference.crs)
  authority, quoted = crs.to_authority(), re.search(r'"([^"]+)"', crs.to_wkt())
  name = ":".join(authority) if authority else quoted[1] if quoted else "unknown coordinate system"
  return {"transform": list(georeference.transform), "crs": name}


def _caption(report: SceneReport, stride: int, encoded: spectra.Spectra) -> str:
  available, distance = report.scene.cube.shape[2], stride * encoded.step
  sentences = [_false_colour_sentence(report)]
  if stride > 1:
    sentences.append(f"Maps show every {_ordinal(stride)} row and column.")
  if encoded.text:
    bands = f"{len(encoded.bands)} of {available}" if len(encoded.bands) < available else f"all {available}"
    pixels = "every pixel" if distance == 1 else f"every {_ordinal(distance)} row and column"
    sentences.append(f"Spectra are stored in 8 bits, for {bands} bands of {pixels}.")
  return " ".join(sentences)


def _false_colour_sentence(report: SceneReport) -> str:
  bands, wavelengths = report.false_colour_bands, report.scene.wavelengths
  centres = ["" if wavelengths is None else f" ({wavelengths[band]:.0f} nm)" for band in bands]
  red, green, blue = (f"{band}{centre}" for band, centre in zip(bands, centres, strict=True))
  return f"False colour: red = band {red}, green = band {green}, blue = band {blue}, counted from 0."


def _ordinal(number: int) -> str:
  ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
  return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"
