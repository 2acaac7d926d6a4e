"""Reads a spectral library, and makes it samples of a scene."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.plurals import noun
from mtl_hsi.scenes.cube import Cube
from mtl_hsi.scenes.images.wavelengths import Wavelengths
from mtl_hsi.scenes.labels.label_set import Labels
from mtl_hsi.scenes.libraries.classes import find_classes
from mtl_hsi.scenes.libraries.csv_library import read_csv_library
from mtl_hsi.scenes.libraries.envi_library import read_envi_library
from mtl_hsi.scenes.libraries.resample import resample
from mtl_hsi.scenes.libraries.spectra import Spectra
from mtl_hsi.scenes.libraries.units import scale_to_scene
from mtl_hsi.scenes.scene import LibrarySpectra

# Texts of a cell without a class.
_MISSING = ("", "nan", "null")
_TABLES = (".csv", ".txt", ".tsv")


class LibraryOptions(NamedTuple):
  """A spectral library, and how its spectra are used.

  Attributes:
    library: ENVI spectral library, or a table of spectra.
    library_classes: CSV file of name and class of the spectra to use, or None.
    library_column: column of a table of spectra that has the classes, or None to find it.
    library_scale: factor from the values of the library to those of the scene; None finds it.
    library_for: "unlabelled" uses the spectra of classes that no label trains, "all" those of all classes.
    library_brightness: factors at which every spectrum is a sample: pixels on slopes, in shade or of rough
      surfaces are darker than a spectrum that was measured beside a white reference.
  """

  library: Path
  library_classes: Path | None = None
  library_column: str | None = None
  library_scale: float | None = None
  library_for: str = "unlabelled"
  library_brightness: tuple[float, ...] = (1.0,)


class NamedSpectra(NamedTuple):
  """Spectra whose classes are known, n of them; `classes` are ids or names."""

  spectra: Spectra
  classes: Sequence[str]
  total: int


def read_library(options: LibraryOptions) -> NamedSpectra:
  """Reads the spectra that have a class.

  Raises:
    RequestError: a file cannot be read, or no spectrum has a class.
  """
  table = options.library.suffix.lower() in _TABLES
  spectra = read_csv_library(options.library) if table else read_envi_library(options.library)
  classes = find_classes(spectra, options.library_classes, options.library_column)
  used = [index for index, text in enumerate(classes) if text.lower() not in _MISSING]
  if not used:
    raise RequestError(f"{spectra.origin}: no spectrum has a class; say which ones to use (library_classes)")
  kept = spectra._replace(values=spectra.values[used])
  return NamedSpectra(kept, [classes[index] for index in used], len(classes))


def samples_of_scene(
  library: NamedSpectra,
  options: LibraryOptions,
  labels: Labels,
  bands: Wavelengths,
  cube: Cube,
  nodata: np.ndarray | None,
) -> tuple[LibrarySpectra | None, list[str]]:
  """Returns the spectra as samples of a scene, and sentences for the user.

  Args:
    library: the spectra.
    options: how they are used.
    labels: of the scene, with the class ids of the spectra.
    bands: of the scene.
    cube: values of the scene.
    nodata: pixels of the scene without a measurement, or None.

  Raises:
    RequestError: the scene has no wavelengths, the spectra do not cover them, or their unit is unknown.
  """
  where = library.spectra.origin
  class_ids, names = labels.spectra, labels.names
  if bands.centres is None:
    raise RequestError(
      f"{where} (library): the scene has no wavelengths, to which its spectra are resampled; give them as a "
      "CSV file (wavelengths)"
    )
  # A spectrum of class 0 has a class number that means unlabelled.
  known = class_ids > 0
  wanted = known & (~np.isin(class_ids, labels.image) | (options.library_for == "all"))
  remarks = _unused_classes(class_ids[known & ~wanted], names)
  if not wanted.any():
    return None, remarks
  resampled = resample(library.spectra._replace(values=library.spectra.values[wanted]), *bands)
  covered = np.isfinite(resampled.values).all(axis=1)
  _check_covered(covered, library.spectra, bands.centres)
  values, ids = resampled.values[covered], class_ids[wanted][covered]
  factor = options.library_scale or scale_to_scene(values, cube, nodata, where)
  remarks.append(_summary(library, options, ids, names, factor))
  lost = int(np.count_nonzero(~covered))
  if lost:
    remarks.append(f"{lost} {noun(lost, 'spectrum', 'spectra')} of the library left out, without all bands")
  if resampled.interpolated:
    count = resampled.interpolated
    remarks.append(
      f"{count} {noun(count, 'band lies', 'bands lie')} in gaps of the library, where its spectra are "
      "interpolated; consider leaving them out (bad_bands)"
    )
  factors = factor * np.array(options.library_brightness)
  samples = np.concatenate([factor * values for factor in factors]).astype(np.float32)
  return LibrarySpectra(samples, np.tile(ids, len(factors)).astype(np.int32)), remarks


def _unused_classes(ids: np.ndarray, names: Mapping[int, str]) -> list[str]:
  if not len(ids):
    return []
  listed = ", ".join(names[class_id] for class_id in np.unique(ids).tolist())
  return [
    f"{len(ids)} {noun(len(ids), 'spectrum', 'spectra')} of the library not used, as labels train their "
    f"classes ({listed}); library_for=all uses them"
  ]


def _check_covered(covered: np.ndarray, spectra: Spectra, wavelengths: np.ndarray) -> None:
  if covered.any():
    return
  raise RequestError(
    f"{spectra.origin} (library) has no spectrum of all bands: its wavelengths are "
    f"{spectra.wavelengths[0]:g} to {spectra.wavelengths[-1]:g} nm, less those that are missing, and "
    f"those of the scene {wavelengths.min():g} to {wavelengths.max():g} nm; drop the other bands (bad_bands)"
  )


def _summary(
  library: NamedSpectra,
  options: LibraryOptions,
  ids: np.ndarray,
  names: Mapping[int, str],
  factor: float,
) -> str:
  found, counts = np.unique(ids, return_counts=True)
  listed = ", ".join(f"{names[i]} {n}" for i, n in zip(found.tolist(), counts.tolist(), strict=True))
  file = Path(library.spectra.origin).name
  text = f"{len(ids)} of {library.total} spectra of {file} are training samples ({listed})"
  if options.library_brightness != (1.0,):
    text += f", each with a brightness of {', '.join(f'{value:g}' for value in options.library_brightness)}"
  if factor == 1:
    return text
  found_by = "" if options.library_scale else ", found from the values of scene and library (library_scale)"
  return f"{text}, times {factor:g}{found_by}"
