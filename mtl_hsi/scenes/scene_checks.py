"""The checks of a scene: each yields what is wrong with some of its fields.

A check assumes that those before it in `Scene.__post_init__` found nothing; the first problem ends them all.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from mtl_hsi.scenes import wavelength_limits
from mtl_hsi.scenes.cube import Cube, blocks

# Names of scenes become parts of the names of files and directories.
SCENE_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
# Unicode's categories of control characters, breaks of lines and paragraphs, and halves of characters.
_CONTROL = {"Cc", "Zl", "Zp", "Cs"}
# Code points that are no characters, which XML excludes.
_NO_XML = {"\ufffe", "\uffff"}
# Larger values are fill values, such as the most negative float32.
LARGEST_VALUE = 1e30

# Label rasters store class ids in 16 bits.
_LARGEST_ID = 2**16 - 1


def is_class_name(name: str) -> bool:
  """Returns whether a name has a visible character, and none that would break a line of text or XML."""
  categories = {unicodedata.category(letter) for letter in name}
  return bool(name.strip()) and not categories & _CONTROL and not set(name) & _NO_XML


def name_problems(name: str) -> Iterator[str]:
  """Checks that the name may be part of a file name."""
  if not SCENE_NAME.fullmatch(name):
    yield "a scene name must be a lower-case identifier of at most 64 characters, such as 'my_fields'"


def cube_problems(cube: Cube) -> Iterator[str]:
  """Checks shape and dtype of the cube `[H, W, B]`."""
  if cube.ndim != 3:
    yield f"the cube has shape {cube.shape}; expected rows x columns x bands"
  if min(cube.shape) == 0:
    yield f"the cube is empty: shape {cube.shape}"
  if cube.dtype.kind not in "iuf":
    yield f"the cube has dtype {cube.dtype}; expected an integer or floating-point dtype"


def label_problems(labels: np.ndarray, size: tuple[int, int]) -> Iterator[str]:
  """Checks shape, dtype and range of the labels of a cube with H x W pixels."""
  if labels.ndim != 2:
    yield f"the label image has shape {labels.shape}; expected rows x columns"
  if labels.shape != size:
    yield (
      f"the label image is {_in_words(labels.shape)} and the cube is {_in_words(size)} (rows x columns); "
      "both must have the same size"
    )
  if labels.dtype != np.int32:
    yield f"the labels have dtype {labels.dtype}; expected int32"
  if labels.min() < 0:
    yield f"the label image contains {labels.min()}; class ids must be positive, and 0 means unlabelled"
  if labels.max() > _LARGEST_ID:
    yield f"the label image contains {labels.max()}; class ids must not exceed {_LARGEST_ID}"


def nodata_problems(nodata: np.ndarray | None, labels: np.ndarray) -> Iterator[str]:
  """Checks that the mask is `[H, W]` and leaves no label without a measurement."""
  if nodata is None:
    return
  yield from _mask_problems(nodata, "nodata", labels.shape)
  lost = int(np.count_nonzero(nodata & (labels > 0)))
  if lost:
    yield f"{lost} labelled pixels have no measurement (nodata); set their labels to 0"


def value_problems(cube: Cube, nodata: np.ndarray | None) -> Iterator[str]:
  """Checks that all measured values are finite, row by row, so that a large cube is never copied whole."""
  if cube.dtype.kind != "f":
    return
  for (rows, columns), block in blocks(cube):
    for row, values in enumerate(block, rows.start):
      # NaN is not smaller than anything.
      fine = np.abs(values) < LARGEST_VALUE
      bad = ~fine.all(axis=-1)
      if nodata is not None:
        bad &= ~nodata[row, columns]
      if bad.any():
        place = int(np.argmax(bad))
        band = int(np.argmin(fine[place]))
        yield (
          f"the cube contains {values[place, band]} at row {row}, column {columns.start + place}, "
          f"band {band}; replace the value or mark the pixel as nodata (option nodata, for example -9999 or "
          "nan)"
        )


def library_problems(library: tuple[np.ndarray, np.ndarray] | None, bands: tuple[int]) -> Iterator[str]:
  """Checks that the spectra of a library have all bands, finite values, and a class each."""
  if library is None:
    return
  values, ids = library
  if values.ndim != 2 or values.shape[1:] != bands or ids.shape != values.shape[:1] or not len(ids):
    yield f"the library has spectra {values.shape} and classes {ids.shape}; expected n x {bands[0]} and n"
  if values.dtype != np.float32 or ids.dtype != np.int32:
    yield f"the library has dtypes {values.dtype} and {ids.dtype}; expected float32 and int32"
  if not (np.abs(values) < LARGEST_VALUE).all():
    yield "the library has values that are not finite"
  if ids.min() < 1 or ids.max() > _LARGEST_ID:
    yield f"the library has class ids from {ids.min()} to {ids.max()}; expected 1 to {_LARGEST_ID}"


def split_problems(
  tested: np.ndarray | None, trained: np.ndarray | None, labels: np.ndarray, of_library: Sequence[int] = ()
) -> Iterator[str]:
  """Checks that the masks of test and of fixed training pixels select labelled pixels, and no pixel twice."""
  labelled = training = labels > 0
  if tested is not None:
    yield from _mask_problems(tested, "tested", labels.shape)
    training = labelled & ~tested
    if (tested > labelled).any():
      yield "unlabelled pixels are marked for testing"
    if not tested.any():
      yield "no labelled pixel is for testing; label some for testing, or let the program split the labels"
    classes = len(np.union1d(labels[training], of_library))
    if classes < 2:
      yield f"the number of classes among the training labels is {classes}; at least two are needed"
  if trained is not None:
    yield from _mask_problems(trained, "trained", labels.shape)
    if (trained > training).any():
      yield "pixels that are unlabelled or for testing are marked for training"


def unit_problems(units: np.ndarray | None, labels: np.ndarray) -> Iterator[str]:
  """Checks that exactly the labelled pixels have the number of a unit."""
  if units is None:
    return
  if units.shape != labels.shape or units.dtype.kind not in "iu":
    yield (
      f"the units have dtype {units.dtype} and shape {units.shape}; expected integers and {labels.shape}"
    )
  wrong = np.argwhere((units > 0) != (labels > 0))
  if len(wrong):
    row, column = wrong[0].tolist()
    yield (
      f"{len(wrong)} pixels have a label without a unit or a unit without a label, the first at row {row}, "
      f"column {column}: class {labels[row, column]}, unit {units[row, column]}; number units from 1 where "
      "labels are above 0, and set them to 0 elsewhere"
    )
  if units.min() < 0:
    yield f"the units contain {units.min()}; they must be positive, and 0 means unlabelled"


def class_problems(
  names: Mapping[int, str],
  colours: Mapping[int, tuple[int, int, int]] | None,
  labels: np.ndarray,
  of_library: Sequence[int] = (),
) -> Iterator[str]:
  """Checks that there are two classes or more, and the names and colours of all that occur."""
  present = sorted({*np.unique(labels[labels > 0]).tolist(), *of_library})
  where = "label image and the library" if of_library else "label image"
  if len(present) < 2:
    yield f"the number of classes in the {where} is {len(present)}; at least two are needed"
  if present != sorted(names):
    yield f"class names are given for ids {sorted(names)}, but the {where} contains {present}"
  for class_id, name in names.items():
    if not is_class_name(name):
      yield f"class {class_id} is named {name!r}; a class name must be one line without control characters"
  for class_id, colour in (colours or {}).items():
    if class_id not in names or len(colour) != 3 or not all(c in range(256) for c in colour):
      yield (
        f"class {class_id} has the colour {colour}; expected a class in the label image and three integers "
        "from 0 to 255"
      )


def band_problems(
  wavelengths: np.ndarray | None, widths: np.ndarray | None, bands: tuple[int]
) -> Iterator[str]:
  """Checks that band centres and widths are one per band, both in nm."""
  for field, values in (("wavelengths", wavelengths), ("widths", widths)):
    if values is None:
      continue
    if values.shape != bands:
      yield f"{field} have shape {values.shape} for {bands[0]} bands; expected one value per band"
    if not np.isfinite(values).all() or values.min() <= 0:
      yield f"{field} range from {values.min()} to {values.max()}; expected positive numbers in nm"
  if wavelengths is None:
    return
  found = f"wavelengths range from {wavelengths.min():g} to {wavelengths.max():g}"
  if not wavelength_limits.are_plausible_centres(wavelengths):
    yield (f"{found}; expected nm, from {wavelength_limits.SHORTEST:g} to {wavelength_limits.LONGEST:g}")
  if widths is not None and not wavelength_limits.are_plausible_widths(widths, wavelengths):
    yield f"widths range from {widths.min():g} to {widths.max():g} and {found}; expected both in nm"


def _mask_problems(mask: np.ndarray, field: str, size: tuple[int, int]) -> Iterator[str]:
  if mask.shape != size or mask.dtype != bool:
    yield f"the {field} mask has dtype {mask.dtype} and shape {mask.shape}; expected bool and {size}"


def _in_words(size: tuple[int, int]) -> str:
  return " x ".join(map(str, size))
