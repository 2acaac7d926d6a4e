"""What a scene must be: every check that its value passes when it is made."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes import band_ranges

if TYPE_CHECKING:
  from mtl_hsi.scenes.scene import Scene

# Part of the names of files and directories.
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
# Keys of metrics.json beside the scenes' names.
_RESERVED = ("compilations", "leakage", "patch_overlap", "seconds", "svm", "target")
# Beyond lie only fill values, such as the smallest float32.
LARGEST_VALUE = 1e30
# Rasters hold class ids in 16 bits.
_LARGEST_ID = 2**16 - 1

# Raises the problem that it is given unless the condition holds.
Require = Callable[[Any, str], None]


def check(scene: "Scene") -> None:
  """Checks shape, dtype, finiteness, labels and names of a scene.

  Raises:
    RequestError: names the scene, what is wrong and what was expected.
  """

  def require(condition, problem):
    if not condition:
      raise RequestError(f"scene {scene.name!r}: {problem}")

  for part in (
    *(_check_name, _check_cube, _check_labels, _check_nodata, _check_values),
    *(_check_tested, _check_trained, _check_classes, _check_bands),
  ):
    part(scene, require)


def _check_name(scene: "Scene", require: Require) -> None:
  require(
    NAME.fullmatch(scene.name),
    "a scene's name must be a lower-case identifier of 64 characters at most, such as 'my_fields'",
  )
  require(
    scene.name not in _RESERVED, f"the names {', '.join(_RESERVED)} are taken; give the scene another one"
  )


def _check_cube(scene: "Scene", require: Require) -> None:
  cube = scene.cube
  require(cube.ndim == 3, f"the cube has shape {cube.shape}, expected rows x columns x bands")
  require(min(cube.shape) > 0, f"the cube is empty: shape {cube.shape}")
  require(cube.dtype.kind in "iuf", f"the cube holds {cube.dtype}, expected integers or floating point")


def _check_labels(scene: "Scene", require: Require) -> None:
  cube, labels = scene.cube, scene.labels
  require(labels.ndim == 2, f"the label image has shape {labels.shape}, expected rows x columns")
  require(
    labels.shape == cube.shape[:2],
    f"the label image is {_size(labels)} and the cube is {_size(cube)} (rows x columns); they must be equal",
  )
  require(labels.dtype == np.int32, f"the labels hold {labels.dtype}, expected int32")
  require(labels.min() >= 0, f"the labels hold {labels.min()}; ids must be 0 (unlabelled) or larger")
  require(
    labels.max() <= _LARGEST_ID, f"the labels hold {labels.max()}; ids must be {_LARGEST_ID} or smaller"
  )


def _check_nodata(scene: "Scene", require: Require) -> None:
  if scene.nodata is None:
    return
  _check_mask(scene, "nodata", require)
  lost = int(np.count_nonzero(scene.nodata & (scene.labels > 0)))
  require(lost == 0, f"{lost} labelled pixels hold no measurement (nodata); set their labels to 0")


def _check_mask(scene: "Scene", field: str, require: Require) -> None:
  mask, size = getattr(scene, field), scene.cube.shape[:2]
  require(
    mask.shape == size and mask.dtype == bool,
    f"the {field} mask is {mask.dtype} of {mask.shape}, expected bool of {size}",
  )


def _check_values(scene: "Scene", require: Require) -> None:
  """Row by row, so that a large cube is never copied whole."""
  if scene.cube.dtype.kind != "f":
    return
  for row in range(scene.cube.shape[0]):
    # NaN is not smaller than anything.
    fine = np.abs(scene.cube[row]) < LARGEST_VALUE
    bad = ~fine.all(axis=-1)
    if scene.nodata is not None:
      bad &= ~scene.nodata[row]
    if bad.any():
      column = int(np.argmax(bad))
      band = int(np.argmin(fine[column]))
      value = scene.cube[row, column, band]
      require(
        False,
        f"the cube holds {value} at row {row}, column {column}, band {band}; "
        "replace it or mark the pixel as nodata (option nodata, such as -9999 or nan)",
      )


def _check_tested(scene: "Scene", require: Require) -> None:
  if scene.tested is None:
    return
  _check_mask(scene, "tested", require)
  require((scene.tested <= (scene.labels > 0)).all(), "pixels without a label are marked for testing")
  require(scene.tested.any(), "no labelled pixel is for testing; label some, or leave the split to the run")
  trained = np.unique(scene.labels[(scene.labels > 0) & ~scene.tested])
  require(
    len(trained) >= 2,
    f"{len(trained)} class among the training labels; at least two are needed to classify",
  )


def _check_trained(scene: "Scene", require: Require) -> None:
  if scene.trained is None:
    return
  _check_mask(scene, "trained", require)
  fit = (scene.labels > 0) if scene.tested is None else (scene.labels > 0) & ~scene.tested
  require((scene.trained <= fit).all(), "pixels without a label, or for testing, are marked for training")


def _check_classes(scene: "Scene", require: Require) -> None:
  present = np.unique(scene.labels[scene.labels > 0])
  require(
    len(present) >= 2,
    f"{len(present)} class in the label image; at least two are needed to classify",
  )
  require(
    list(present) == sorted(scene.class_names),
    f"class names are given for ids {sorted(scene.class_names)}, the label image holds {present.tolist()}",
  )
  for class_id, title in scene.class_names.items():
    require(
      title.strip() and title.isprintable(),
      f"class {class_id} is called {title!r}; a class name must be printable text in one line",
    )
  for class_id, colour in (scene.class_colours or {}).items():
    require(
      class_id in scene.class_names and len(colour) == 3 and all(c in range(256) for c in colour),
      f"class {class_id} has the colour {colour}; expected a class that occurs and three numbers of 0 to 255",
    )


def _check_bands(scene: "Scene", require: Require) -> None:
  for field in ("wavelengths", "widths"):
    values = getattr(scene, field)
    if values is None:
      continue
    require(
      values.shape == scene.cube.shape[2:],
      f"{field} of shape {values.shape} for {scene.cube.shape[2]} bands; one per band is needed",
    )
    require(
      np.isfinite(values).all() and values.min() > 0,
      f"{field} from {values.min()} to {values.max()}; they must be positive numbers in nm",
    )
  centres, widths = scene.wavelengths, scene.widths
  if centres is None:
    return
  require(
    band_ranges.are_centres(centres),
    f"wavelengths from {centres.min():g} to {centres.max():g}; give all of them in nm, between "
    f"{band_ranges.SHORTEST:g} and {band_ranges.LONGEST:g}",
  )
  if widths is not None:
    require(
      band_ranges.are_widths(widths, centres),
      f"widths from {widths.min():g} to {widths.max():g} at wavelengths from {centres.min():g} to "
      f"{centres.max():g} nm; give both in nm",
    )


def _size(image: np.ndarray) -> str:
  return " x ".join(str(n) for n in image.shape[:2])
