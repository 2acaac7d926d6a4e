"""A summary of a scene for its owner to check before training."""

import re
from typing import NamedTuple

import numpy as np
import rasterio

from mtl_hsi.plurals import noun
from mtl_hsi.scenes.cube import every_nth, lines
from mtl_hsi.scenes.images.bad_bands import format_bands
from mtl_hsi.scenes.legend import spelled
from mtl_hsi.scenes.scene import Georeference, Scene

# The largest value is unusual if it exceeds the 99.9th percentile by this factor.
_OUTLIER = 10.0
_PIXELS_FOR_PERCENTILES = 200_000


class _Values(NamedTuple):
  """Minimum and maximum of every band `[B]`, and the number of pixels with only zeros, without nodata."""

  lowest: np.ndarray
  highest: np.ndarray
  zeros: int


def summary(scene: Scene, bands: str, samples_per_class: int | None) -> str:
  """Returns a description of a scene in a few lines; the last ones note anything unusual.

  Args:
    scene: the scene.
    bands: text on the bands in use.
    samples_per_class: training samples to draw per class, or None if the split is given.
  """
  values = _measured_values(scene)
  height, width, _ = scene.cube.shape
  lines = [
    f"{scene.title}: {height} rows x {width} columns{position(scene.georeference)}{_date(scene)}",
    f"  bands: {_spectrum(scene)}; {bands}",
    f"  values: {scene.cube.dtype}, {values.lowest.min():g} to {values.highest.max():g}",
  ]
  if scene.nodata is not None:
    lines[-1] += f"; {100 * scene.nodata.mean():.3g}% of the pixels are nodata"
  lines.append(f"  classes: {', '.join(_classes(scene))}")
  notes = (*scene.remarks, *_class_notes(scene, samples_per_class), *_value_notes(scene, values))
  return "\n".join([*lines, *(f"  note: {note}" for note in notes)])


def position(georeference: Georeference | None) -> str:
  """Returns size of pixels and reference system, such as ", pixels of 4 x 4 metre, WGS 84 / UTM zone 33N"."""
  if georeference is None:
    return ", not georeferenced"
  a, b, _, d, e, _ = georeference.transform
  size = f", pixels of {np.hypot(a, d):.6g} x {np.hypot(b, e):.6g}"
  if georeference.crs is None:
    return f"{size}, coordinate reference system unknown"
  crs = rasterio.CRS.from_user_input(georeference.crs)
  unit = "degrees" if crs.is_geographic else crs.linear_units
  name = re.match(r'\w+\["([^"]*)"', crs.to_wkt())
  return f"{size} {unit}, {name[1] if name else crs.to_string()}"


def _date(scene: Scene) -> str:
  return "" if scene.acquired is None else f", acquired {scene.acquired}"


def _spectrum(scene: Scene) -> str:
  if scene.wavelengths is None:
    return "wavelengths unknown"
  text = f"{scene.wavelengths.min():g} to {scene.wavelengths.max():g} nm"
  if scene.widths is not None:
    narrowest, widest = (f"{width:g}" for width in (scene.widths.min(), scene.widths.max()))
    text += f", {narrowest} nm wide" if narrowest == widest else f", {narrowest} to {widest} nm wide"
  return text


def _classes(scene: Scene) -> list[str]:
  counts = _count(scene, scene.labels)
  if scene.tested is None:
    numbers = [f"{counts[class_id]}" for class_id in scene.class_ids]
  else:
    trained = _count(scene, scene.labels[~scene.tested])
    numbers = [
      f"{trained[class_id]} for training, {counts[class_id] - trained[class_id]} for testing"
      for class_id in scene.class_ids
    ]
  spectra = _spectra(scene)
  return [
    f"{class_id} {scene.class_names[class_id]} ({number}{_and_spectra(spectra[class_id])})"
    for class_id, number in zip(scene.class_ids, numbers, strict=True)
  ]


def _and_spectra(count: int) -> str:
  return f" and {count} {noun(count, 'spectrum', 'spectra')}" if count else ""


def _spectra(scene: Scene) -> np.ndarray:
  """Returns the number of spectra of the library by class id."""
  ids = np.empty(0, int) if scene.library is None else scene.library.class_ids
  return np.bincount(ids, minlength=scene.class_ids[-1] + 1)


def _class_notes(scene: Scene, samples_per_class: int | None) -> list[str]:
  notes = _spelling_notes(scene)
  counts = _count(scene, scene.labels if scene.trained is None else scene.labels[~scene.trained])
  spectra = _spectra(scene)
  if samples_per_class is not None:
    notes += [
      f"class {class_id} ({scene.class_names[class_id]}) has {counts[class_id]} "
      f"{noun(counts[class_id], 'pixel')}: with {samples_per_class} {noun(samples_per_class, 'sample')} per "
      "class, all are used for training and none for testing"
      for class_id in scene.class_ids
      if counts[class_id] <= samples_per_class and not (counts[class_id] == 0 and spectra[class_id])
    ]
  if scene.tested is not None:
    trained = _count(scene, scene.labels[~scene.tested])
    notes += [
      f"class {class_id} ({scene.class_names[class_id]}) has only test pixels, so no network can learn it"
      for class_id in scene.class_ids
      if not (trained[class_id] or spectra[class_id])
    ]
  return notes


def _spelling_notes(scene: Scene) -> list[str]:
  """Returns a note on names that may be one class, spelled in several ways."""
  spellings = {}
  for name in scene.class_names.values():
    spellings.setdefault(spelled(name), []).append(name)
  return [
    f"classes {' and '.join(map(repr, names))} count as {len(names)}, because their names are spelled "
    "differently; give them one name if they are the same"
    for names in spellings.values()
    if len(set(names)) > 1
  ]


def _count(scene: Scene, labels: np.ndarray) -> np.ndarray:
  """Returns the number of labels by class id."""
  return np.bincount(labels.ravel(), minlength=scene.class_ids[-1] + 1)


def _value_notes(scene: Scene, values: _Values) -> list[str]:
  notes = []
  constant = np.flatnonzero(values.lowest == values.highest)
  if len(constant):
    have = noun(len(constant), "band has", "bands have")
    notes.append(
      f"{len(constant)} {have} the same value everywhere (counted from 0, without bad bands): "
      f"{format_bands(constant)}"
    )
  usual, largest = _percentile(scene), values.highest.max()
  if usual > 0 and largest > _OUTLIER * usual:
    notes.append(
      f"the largest value, {largest:g}, is {largest / usual:.0f} times the 99.9th percentile, {usual:g}; "
      "scaling by the maximum compresses all other values"
    )
  if values.zeros:
    are, they = noun(values.zeros, "pixel is", "pixels are"), noun(values.zeros, "it has", "they have")
    notes.append(f"{values.zeros} {are} 0 in all bands; if {they} no measurement, set nodata to 0")
  if scene.wavelengths is not None and (np.diff(scene.wavelengths) <= 0).any():
    notes.append("wavelengths do not increase from band to band")
  return notes


def _measured_values(scene: Scene) -> _Values:
  """Works row by row, so that a large cube is never copied whole."""
  lowest, highest, zeros = None, None, 0
  for row, measured in lines(scene.cube, scene.measured):
    values = row[measured]
    if not len(values):
      continue
    low, high = values.min(axis=0), values.max(axis=0)
    lowest = low if lowest is None else np.minimum(lowest, low)
    highest = high if highest is None else np.maximum(highest, high)
    zeros += int(np.count_nonzero(~values.any(axis=1)))
  return _Values(lowest, highest, zeros)


def _percentile(scene: Scene) -> float:
  """Returns the 99.9th percentile of the measured values; in large scenes, of evenly spaced pixels."""
  height, width, _ = scene.cube.shape
  step = max(1, int(np.sqrt(height * width / _PIXELS_FOR_PERCENTILES)))
  sample = every_nth(scene.cube, step)
  if scene.nodata is not None:
    sample = sample[~scene.nodata[::step, ::step]]
  # An existing value, not the mean of two, the larger of which may be the outlier.
  return float(np.percentile(sample, 99.9, method="lower")) if sample.size else 0.0
