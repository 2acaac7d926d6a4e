"""The value that every source of scenes returns and everything else reads."""

import dataclasses
import re
from collections.abc import Mapping

import numpy as np

from mtl_hsi.errors import RequestError

# Part of the names of files and directories.
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
# Keys of metrics.json beside the scenes' names.
_RESERVED = ("compilations", "leakage", "patch_overlap", "seconds", "svm", "target")
# In micrometres the thermal infrared ends below; in nm the ultraviolet starts above.
_LONGEST_IN_UM = 100
# Beyond lie only fill values, such as the smallest float32.
_LARGEST_VALUE = 1e30
# Rasters hold class ids in 16 bits.
_LARGEST_ID = 2**16 - 1


@dataclasses.dataclass(frozen=True)
class Georeference:
  """Where a scene lies on the ground.

  Attributes:
    crs: coordinate reference system, as WKT or an authority code.
    transform: affine coefficients (a, b, c, d, e, f) from column and row to
      x = a col + b row + c and y = d col + e row + f, of pixel corners.
  """

  crs: str
  transform: tuple[float, float, float, float, float, float]


@dataclasses.dataclass(frozen=True, eq=False)
class Scene:
  """A hyperspectral image with its ground truth.

  Attributes:
    name: lower-case identifier, unique within an experiment.
    cube: values `[H, W, B]` in the source's own unit and dtype (integer or
      floating), finite wherever `nodata` is False.
    labels: int32 class ids `[H, W]`; 0 is unlabelled.
    class_names: name of each class id that occurs in `labels`, in ascending
      order of the ids; ids may have gaps.
    sensor: short name such as "AVIRIS" or "ROSIS", or None.
    wavelengths: band centres in nm `[B]`, or None.
    widths: full widths at half maximum in nm `[B]`, or None.
    nodata: True where the cube holds no measurement `[H, W]`, or None.
    georeference: place on the ground, or None.
    provenance: one sentence: where cube and labels come from.
    simulated: True where the cube is not a measurement.
    class_colours: red, green and blue, 0 to 255, of the classes for which
      the source has a colour, or None.
    remarks: what was done to the source that the user should know, a sentence each.
  """

  name: str
  cube: np.ndarray
  labels: np.ndarray
  class_names: Mapping[int, str]
  sensor: str | None = None
  wavelengths: np.ndarray | None = None
  widths: np.ndarray | None = None
  nodata: np.ndarray | None = None
  georeference: Georeference | None = None
  provenance: str = ""
  simulated: bool = False
  class_colours: Mapping[int, tuple[int, int, int]] | None = None
  remarks: tuple[str, ...] = ()

  def __post_init__(self):
    check(self)

  @property
  def class_ids(self) -> np.ndarray:
    """Class ids that occur in the labels, ascending, int32 `[classes]`."""
    return np.array(sorted(self.class_names), np.int32)

  @property
  def title(self) -> str:
    """The name as reports show it; a simulated scene always says so."""
    return f"{self.name} (simulated)" if self.simulated else self.name


def check(scene: Scene) -> None:
  """Checks shape, dtype, finiteness, labels and names of a scene.

  Raises:
    RequestError: names the scene, what is wrong and what was expected.
  """
  cube, labels = scene.cube, scene.labels

  def require(condition, problem):
    if not condition:
      raise RequestError(f"scene {scene.name!r}: {problem}")

  require(
    NAME.fullmatch(scene.name),
    "a scene's name must be a lower-case identifier of 64 characters at most, such as 'my_fields'",
  )
  require(
    scene.name not in _RESERVED, f"the names {', '.join(_RESERVED)} are taken; give the scene another one"
  )
  require(cube.ndim == 3, f"the cube has shape {cube.shape}, expected rows x columns x bands")
  require(min(cube.shape) > 0, f"the cube is empty: shape {cube.shape}")
  require(cube.dtype.kind in "iuf", f"the cube holds {cube.dtype}, expected integers or floating point")
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
  if scene.nodata is not None:
    require(
      scene.nodata.shape == cube.shape[:2] and scene.nodata.dtype == bool,
      f"the nodata mask is {scene.nodata.dtype} of {scene.nodata.shape}, expected bool of {cube.shape[:2]}",
    )
    lost = int(np.count_nonzero(scene.nodata & (labels > 0)))
    require(lost == 0, f"{lost} labelled pixels hold no measurement (nodata); set their labels to 0")
  _check_values(scene, require)
  present = np.unique(labels[labels > 0])
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
  for field in ("wavelengths", "widths"):
    values = getattr(scene, field)
    if values is None:
      continue
    require(
      values.shape == cube.shape[2:],
      f"{field} of shape {values.shape} for {cube.shape[2]} bands; one per band is needed",
    )
    require(
      np.isfinite(values).all() and values.min() > 0,
      f"{field} from {values.min()} to {values.max()}; they must be positive numbers in nm",
    )
  if scene.wavelengths is not None:
    longest = scene.wavelengths.max()
    require(longest > _LONGEST_IN_UM, f"wavelengths up to {longest:g} look like micrometres; give them in nm")


def _check_values(scene: Scene, require) -> None:
  """Row by row, so that a large cube is never copied whole."""
  if scene.cube.dtype.kind != "f":
    return
  for row in range(scene.cube.shape[0]):
    # NaN is not smaller than anything.
    fine = np.abs(scene.cube[row]) < _LARGEST_VALUE
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
        "replace it or mark the pixel as nodata",
      )


def _size(image: np.ndarray) -> str:
  return " x ".join(str(n) for n in image.shape[:2])
