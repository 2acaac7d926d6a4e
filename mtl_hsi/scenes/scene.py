"""The value that every source of scenes returns and all other packages use."""

import dataclasses
import itertools
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes import scene_checks
from mtl_hsi.scenes.cube import Cube


@dataclasses.dataclass(frozen=True)
class Georeference:
  """The position of a raster on the ground.

  Attributes:
    crs: coordinate reference system, as WKT or an authority code; None if it is unknown.
    transform: affine coefficients (a, b, c, d, e, f) from column and row to
      x = a col + b row + c and y = d col + e row + f, of pixel corners.
  """

  crs: str | None
  transform: tuple[float, float, float, float, float, float]

  @property
  def matrix(self) -> np.ndarray:
    """The transform as a matrix from (column, row, 1) to (x, y, 1), `[3, 3]`."""
    return np.array([*self.transform, 0, 0, 1]).reshape(3, 3)


class ImageFile(NamedTuple):
  """Properties of the file of a scene with which an image to predict is compared.

  Attributes:
    bands: number of its bands.
    dropped: indices of the bands that are left out as bad, ascending.
    nodata: the finite nodata values in its metadata, ascending.
  """

  bands: int
  dropped: tuple[int, ...]
  nodata: tuple[float, ...]


class LibrarySpectra(NamedTuple):
  """Spectra of a library in the bands of a scene. They only train: they have no place, and test nothing.

  Attributes:
    values: in the unit of the cube, float32 `[n, B]`.
    class_ids: int32 `[n]`.
  """

  values: np.ndarray
  class_ids: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class Scene:
  """A hyperspectral image with its ground truth; creating one checks it.

  Attributes:
    name: lower-case identifier, unique within an experiment.
    cube: values `[H, W, B]` in the unit and dtype of the source (integer or
      floating), finite wherever `nodata` is False; an array, or a file that is
      read by windows.
    labels: int32 class ids `[H, W]`; 0 is unlabelled.
    class_names: name of each class id that occurs in `labels` or `library`,
      in ascending order of the ids; ids may have gaps.
    sensor: short name such as "AVIRIS" or "ROSIS", or None.
    wavelengths: band centres in nm `[B]`, or None.
    widths: full widths at half maximum in nm `[B]`, or None.
    nodata: True where the cube has no measurement `[H, W]`, or None.
    georeference: position on the ground, or None.
    file: properties of the file of the cube, or None without a file.
    acquired: date of the image, such as "2022-06-25", or None.
    provenance: one sentence on the origin of cube and labels.
    simulated: whether the cube is simulated, not measured.
    class_colours: red, green and blue, 0 to 255, of the classes for which
      the source has a colour, or None.
    class_codes: number in the labels of the classes whose id is another one,
      by id, or None: ids are 1 to 65535.
    remarks: one sentence for each change to the source that users should know.
    tested: True for the labelled pixels of the test set `[H, W]`, all others
      being training pixels; None if the source does not split its labels.
    trained: True for the labelled pixels that train under every split
      `[H, W]`; None if there are none.
    units: number from 1 of what a person labelled as one, a feature or a row
      of a table, for every labelled pixel, int32 `[H, W]`, 0 where
      unlabelled; None if the source has label images only.
    library: further training samples, or None.

  Raises:
    RequestError: the fields are not those of a valid scene.
  """

  name: str
  cube: Cube
  labels: np.ndarray
  class_names: Mapping[int, str]
  sensor: str | None = None
  wavelengths: np.ndarray | None = None
  widths: np.ndarray | None = None
  nodata: np.ndarray | None = None
  georeference: Georeference | None = None
  file: ImageFile | None = None
  acquired: str | None = None
  provenance: str = ""
  simulated: bool = False
  class_colours: Mapping[int, tuple[int, int, int]] | None = None
  class_codes: Mapping[int, int] | None = None
  remarks: tuple[str, ...] = ()
  tested: np.ndarray | None = None
  trained: np.ndarray | None = None
  units: np.ndarray | None = None
  library: LibrarySpectra | None = None

  def __post_init__(self):
    problems = itertools.chain(
      scene_checks.name_problems(self.name),
      scene_checks.cube_problems(self.cube),
      scene_checks.label_problems(self.labels, self.cube.shape[:2]),
      scene_checks.nodata_problems(self.nodata, self.labels),
      scene_checks.value_problems(self.cube, self.nodata),
      scene_checks.library_problems(self.library, self.cube.shape[2:]),
      scene_checks.split_problems(self.tested, self.trained, self.labels, self.library_classes),
      scene_checks.unit_problems(self.units, self.labels),
      scene_checks.class_problems(self.class_names, self.class_colours, self.labels, self.library_classes),
      scene_checks.band_problems(self.wavelengths, self.widths, self.cube.shape[2:]),
    )
    for problem in problems:
      raise RequestError(f"scene {self.name!r}: {problem}")

  @property
  def class_ids(self) -> np.ndarray:
    """Class ids that occur in the labels or the library, ascending, int32 `[C]`."""
    return np.array(sorted(self.class_names), np.int32)

  @property
  def library_classes(self) -> list[int]:
    """Class ids that occur in the library, ascending."""
    return [] if self.library is None else np.unique(self.library.class_ids).tolist()

  @property
  def measured(self) -> np.ndarray:
    """True where the cube has a measurement, bool `[H, W]`."""
    return np.ones(self.cube.shape[:2], bool) if self.nodata is None else ~self.nodata

  @property
  def title(self) -> str:
    """The name for reports, marked if the scene is simulated."""
    return f"{self.name} (simulated)" if self.simulated else self.name
