"""The data of the page's interactive viewer of a scene."""

import dataclasses
import re

import numpy as np
import rasterio

from mtl_hsi.report import colours, ground_scale, maps, pictures, spectra, viewer_planes
from mtl_hsi.report.run_report import SceneReport
from mtl_hsi.scenes.scene import Georeference

# A screen shows no more; maps of larger scenes are thinned out.
_MOST_PIXELS = 2_000_000
# Largest part of a scene's bytes that maps may use, so that something is left for spectra.
_SHARE_OF_MAPS = 0.7
# Bytes for everything else of a scene: names, tables, curve.
_REST = 100_000
# Viridis.
_RAMP = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))


@dataclasses.dataclass(frozen=True, eq=False)
class View:
  """Maps and viewer of a scene within its share of the page.

  Attributes:
    stride: distance between the rows and columns that are shown.
    pngs: the maps at that size, encoded, in the order of `maps.scene_maps`.
    data: what the script reads, for JSON; see `viewer_data.js`.
    caption: sentences on what the viewer shows and what was left out to keep the page small.
    layers: identifier and name of each layer over the false colour.
    facts: identifier and name of further values of a pixel, besides its classes and use.
    ramps: identifier and meaning of the layers whose colours are those of the ramp.
    ramp: colours from 0 to 100%.
    error_legend: colours of the errors with their meaning.
    maps: name of each map that can be chosen.
    folds: number of folds that can be chosen.
  """

  stride: int
  pngs: list[bytes]
  data: dict
  caption: str
  layers: list[tuple[str, str]]
  facts: list[tuple[str, str]]
  ramps: list[tuple[str, str]]
  ramp: tuple[colours.RGB, ...]
  error_legend: list[tuple[colours.RGB, str]]
  maps: list[str]
  folds: int


def make_view(report: SceneReport, drawn: list[maps.Map], budget: int) -> View:
  """Returns the view of a scene within a number of bytes; `drawn` are its maps."""
  stride = max(1, int(np.ceil((report.prediction.size / _MOST_PIXELS) ** 0.5)))
  of_maps = _SHARE_OF_MAPS * budget
  while True:
    pngs = [pictures.encode_png(np.ascontiguousarray(one.image[::stride, ::stride])) for one in drawn]
    planes = _first_planes(report, stride)
    used = _length(planes) + sum(4 * (len(png) + 2) // 3 for png in pngs)
    if used <= of_maps or stride >= max(report.prediction.shape):
      break
    stride += 1
  further = _further_planes(report, stride, of_maps - used)
  planes |= {"maps": [planes["first"], *further]}
  used += sum(map(len, further))
  encoded = spectra.encode_spectra(report.scene, stride, budget - used - _REST)
  return View(
    stride=stride,
    pngs=pngs,
    data=_data(report, stride, planes, encoded),
    caption=_caption(report, stride, encoded, 1 + len(further)),
    layers=_layers(report),
    facts=_facts(report),
    ramps=_ramps(report),
    ramp=_RAMP,
    error_legend=_error_legend(report),
    maps=[f"replica {number}" for number in range(1, 2 + len(further))],
    folds=_folds(report),
  )


def _layers(report: SceneReport) -> list[tuple[str, str]]:
  layers = [("none", "image only"), ("truth", "reference"), ("prediction", "prediction")]
  if report.probability is not None:
    layers.append(("confidence", "confidence"))
  if len(report.test):
    layers.append(("errors", "errors"))
  if report.left_out_labels is not None:
    layers.append(("left", "left-out labels"))
  if report.further:
    layers.append(("agreement", "agreement"))
  return layers


def _facts(report: SceneReport) -> list[tuple[str, str]]:
  known = [
    ("confidence", "Confidence", report.probability is not None),
    ("votes", "Votes", _has_votes(report)),
    ("agreement", "Agreement", bool(report.further)),
    ("left", "Left out", report.left_out_labels is not None),
  ]
  return [(key, words) for key, words, there in known if there]


def _ramps(report: SceneReport) -> list[tuple[str, str]]:
  of_snapshots = ", averaged over the snapshots" if _has_votes(report) else ""
  ramps = [("confidence", f"probability of the predicted class{of_snapshots}")]
  if report.further:
    ramps.append(("agreement", "share of the replicas that predict the most frequent class"))
  return ramps


def _has_votes(report: SceneReport) -> bool:
  # The votes of one snapshot are always unanimous.
  return report.vote_share is not None and report.snapshots > 1


def _error_legend(report: SceneReport) -> list[tuple[colours.RGB, str]]:
  if report.left_out_labels is None:
    return maps.ERROR_LEGEND[:3]
  return [(colours.WRONG, "left-out label, wrong"), (colours.CORRECT, "left-out label, correct")]


def _folds(report: SceneReport) -> int:
  return 0 if report.left_out_labels is None else int(report.left_out_labels.fold.max(initial=-1)) + 1


def _first_planes(report: SceneReport, stride: int) -> dict:
  """Returns the encoded planes of labels and first map, and those that belong to no single map."""
  planes = {
    "truth": viewer_planes.encode_truth(report, stride),
    "first": viewer_planes.encode_map(report, report.first, report.measured_prediction, stride),
    "agreement": None,
    "left_out": None,
  }
  if report.further:
    planes["agreement"] = viewer_planes.encode_agreement([report.first, *report.further], stride)
  if report.left_out_labels is not None:
    planes["left_out"] = viewer_planes.encode_left_out(report, stride)
  return planes


def _further_planes(report: SceneReport, stride: int, budget: float) -> list[str]:
  """Returns the encoded planes of the other maps, from the second on, as many as fit on the page."""
  found = []
  for one in report.further:
    prediction = np.where(report.scene.measured, one.prediction, 0)
    planes = viewer_planes.encode_map(report, one, prediction, stride)
    budget -= len(planes)
    if budget < 0:
      break
    found.append(planes)
  return found


def _length(planes: dict) -> int:
  return sum(len(text) for text in planes.values() if text)


def _data(report: SceneReport, stride: int, planes: dict, encoded: spectra.Spectra) -> dict:
  scene = report.scene
  height, width = (-(-size // stride) for size in scene.labels.shape)
  return {
    "name": scene.name,
    "height": height,
    "width": width,
    "stride": stride,
    "classes": [
      {"label": label, "colour": colour} for colour, label in maps.class_legend(scene, report.unknown_id)
    ],
    "confidence": report.probability is not None,
    "votes": _has_votes(report),
    "ramp": _RAMP,
    "errors": {"correct": colours.CORRECT, "wrong": colours.WRONG, "training": colours.TRAINING},
    "georeference": None if scene.georeference is None else _named_georeference(scene.georeference),
    "metres": ground_scale.metres_per_column(scene.georeference, *scene.labels.shape),
    **{key: planes[key] for key in ("truth", "maps", "agreement", "left_out")},
    "folds": _folds(report),
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


def _caption(report: SceneReport, stride: int, encoded: spectra.Spectra, shown: int) -> str:
  available, distance = report.scene.cube.shape[2], stride * encoded.step
  sentences = [_false_colour_sentence(report)]
  replicas = 1 + len(report.further)
  if shown < replicas:
    sentences.append(f"To keep this page small, it shows the maps of only {shown} of {replicas} replicas.")
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
