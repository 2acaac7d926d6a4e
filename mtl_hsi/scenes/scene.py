"""The value that every source of scenes returns and everything else reads."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from mtl_hsi.scenes import scene_checks


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
    tested: True where a labelled pixel is for testing, the others being for
      training `[H, W]`; None where the source does not say.
    trained: True where a labelled pixel is for training whatever the split is
      `[H, W]`; None where there is none.
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
  tested: np.ndarray | None = None
  trained: np.ndarray | None = None

  def __post_init__(self):
    scene_checks.check(self)

  @property
  def class_ids(self) -> np.ndarray:
    """Class ids that occur in the labels, ascending, int32 `[classes]`."""
    return np.array(sorted(self.class_names), np.int32)

  @property
  def title(self) -> str:
    """The name as reports show it; a simulated scene always says so."""
    return f"{self.name} (simulated)" if self.simulated else self.name
