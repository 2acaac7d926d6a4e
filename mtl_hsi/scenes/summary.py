"""What a scene holds, in words, for its owner to check before any work starts."""

import re
from typing import NamedTuple

import numpy as np
import rasterio

from mtl_hsi.scenes.images.bad_bands import format_bands
from mtl_hsi.scenes.scene import Georeference, Scene

# The largest value is said to be odd from so many times the 99.9th percentile.
_OUTLIER = 10.0
_PIXELS_FOR_PERCENTILES = 200_000


class _Values(NamedTuple):
  """Of the pixels that were measured: extremes of every band `[B]`, and how many are 0 in all bands."""

  lowest: np.ndarray
  highest: np.ndarray
  zeros: int


def summary(scene: Scene, bands: str, samples_per_class: int | None) -> str:
  """Describes a scene in some lines, what is odd about it last.

  Args:
    scene: the scene.
    bands: the bands that are used, in words.
    samples_per_class: n, or None where the split is given.
  """
  values = _values(scene)
  height, width, _ = scene.cube.shape
  lines = [
    f"{scene.title}: {height} x {width} pixels{_place(scene.georeference)}",
    f"  bands: {_spectrum(scene)}; {bands}",
    f"  values: {scene.cube.dtype}, {values.lowest.min():g} to {values.highest.max():g}",
  ]
  if scene.nodata is not None:
    lines[-1] += f"; {100 * scene.nodata.mean():.3g} % of the pixels hold no measurement"
  lines.append(f"  classes: {', '.join(_classes(scene))}")
  lines += [f"  note: {remark}" for remark in (*scene.remarks, *_odd(scene, values, samples_per_class))]
  return "\n".join(lines)


def _place(georeference: Georeference | None) -> str:
  if georeference is None:
    return ", without a place on the ground"
  crs = rasterio.CRS.from_user_input(georeference.crs)
  a, b, _, d, e, _ = georeference.transform
  unit = "degrees" if crs.is_geographic else crs.linear_units
  name = re.match(r'\w+\["([^"]*)"', crs.to_wkt())
  return f" of {np.hypot(a, d):.6g} x {np.hypot(b, e):.6g} {unit}, {name[1] if name else crs.to_string()}"


def _spectrum(scene: Scene) -> str:
  if scene.wavelengths is None:
    return "wavelengths unknown"
  text = f"{scene.wavelengths.min():g} to {scene.wavelengths.max():g} nm"
  if scene.widths is not None:
    narrowest, widest = (f"{width:g}" for width in (scene.widths.min(), scene.widths.max()))
    text += f", {narrowest} nm wide" if narrowest == widest else f", {narrowest} to {widest} nm wide"
  return text


def _classes(scene: Scene) -> list[str]:
  counts = np.bincount(scene.labels[scene.labels > 0])
  numbers = [f"{counts[class_id]}" for class_id in scene.class_ids]
  if scene.tested is not None:
    trained = _trained(scene)
    numbers = [
      f"{trained[class_id]} for training, {counts[class_id] - trained[class_id]} for testing"
      for class_id in scene.class_ids
    ]
  return [
    f"{class_id} {scene.class_names[class_id]} ({number})"
    for class_id, number in zip(scene.class_ids, numbers, strict=True)
  ]


def _trained(scene: Scene) -> np.ndarray:
  """Training pixels by class id, where they are given."""
  return np.bincount(scene.labels[~scene.tested], minlength=scene.class_ids[-1] + 1)


def _odd(scene: Scene, values: _Values, samples_per_class: int | None) -> list[str]:
  odd = []
  drawn = scene.labels if scene.trained is None else np.where(scene.trained, 0, scene.labels)
  counts = np.bincount(drawn[drawn > 0], minlength=scene.class_ids[-1] + 1)
  for class_id in scene.class_ids:
    if samples_per_class is not None and counts[class_id] <= samples_per_class:
      odd.append(
        f"class {class_id} ({scene.class_names[class_id]}) has {counts[class_id]} pixels: with "
        f"{samples_per_class} samples a class all of them train, and none tests"
      )
  if scene.tested is not None:
    untrained = [class_id for class_id in scene.class_ids if not _trained(scene)[class_id]]
    odd += [
      f"class {class_id} ({scene.class_names[class_id]}) has test pixels only: nothing is trained to find it"
      for class_id in untrained
    ]
  constant = np.flatnonzero(values.lowest == values.highest)
  if len(constant):
    odd.append(
      f"{len(constant)} bands have one value everywhere, from 0 of those read: {format_bands(constant)}"
    )
  usual = _percentile(scene)
  if usual > 0 and values.highest.max() > _OUTLIER * usual:
    odd.append(
      f"the largest value, {values.highest.max():g}, is {values.highest.max() / usual:.0f} times the 99.9th "
      f"percentile, {usual:g}; scaling by the maximum presses all others together"
    )
  if values.zeros:
    odd.append(f"{values.zeros} pixels are 0 in all bands; if nothing was measured there, set nodata to 0")
  if scene.wavelengths is not None and (np.diff(scene.wavelengths) <= 0).any():
    odd.append("wavelengths do not ascend from band to band")
  return odd


def _values(scene: Scene) -> _Values:
  """Row by row, so that a large cube is never copied whole."""
  lowest, highest, zeros = None, None, 0
  for row, own in enumerate(scene.cube):
    if scene.nodata is not None:
      own = own[~scene.nodata[row]]
    if not len(own):
      continue
    low, high = own.min(axis=0), own.max(axis=0)
    lowest = low if lowest is None else np.minimum(lowest, low)
    highest = high if highest is None else np.maximum(highest, high)
    zeros += int(np.count_nonzero(~own.any(axis=1)))
  return _Values(lowest, highest, zeros)


def _percentile(scene: Scene) -> float:
  """99.9th percentile of measured values, of evenly spread pixels where there are many."""
  height, width, _ = scene.cube.shape
  step = max(1, int(np.sqrt(height * width / _PIXELS_FOR_PERCENTILES)))
  sample = scene.cube[::step, ::step]
  if scene.nodata is not None:
    sample = sample[~scene.nodata[::step, ::step]]
  # One of the values and not a mean of two, of which the larger may be the odd one.
  return float(np.percentile(sample, 99.9, method="lower")) if sample.size else 0.0
