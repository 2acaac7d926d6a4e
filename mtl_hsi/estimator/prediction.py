"""The result of a prediction: the map of an image, its confidence, and the accuracies of the run."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.estimator import messages
from mtl_hsi.prediction import class_maps
from mtl_hsi.report.rasters import Legend
from mtl_hsi.scenes.scene import Georeference

if TYPE_CHECKING:
  import xarray


@dataclasses.dataclass(frozen=True, eq=False)
class Prediction:
  """The map of an image.

  `np.asarray` of it is the map.

  Attributes:
    map: class ids, 0 where nothing was measured, int32 `[H, W]`.
    confidence: probability of that class, float32 `[H, W]`, NaN where nothing was measured.
    votes: share of the networks that voted for it, float32 `[H, W]`, NaN likewise.
    class_names: name of every class that the map may have, by id.
    colours: red, green and blue of these classes, 0 to 255, by id.
    codes: number in the labels, by id, for the classes whose number differs from their id.
    metrics: accuracies of the run for the scene, as in `metrics.json`, measured on labels of that scene, not
      on this image.
    outside: share of the pixels outside the range of training, or None if the range is unknown.
    notes: remarks on how the image was read, one sentence each.
    georeference: that of the image, or None.
    coordinates: those of a DataArray, by dimension, rows first; None for other images.
  """

  map: np.ndarray
  confidence: np.ndarray
  votes: np.ndarray
  class_names: Mapping[int, str]
  colours: Mapping[int, tuple[int, int, int]]
  codes: Mapping[int, int]
  metrics: Mapping[str, Any]
  outside: float | None
  notes: Sequence[str]
  georeference: Georeference | None = None
  coordinates: Mapping[str, Any] | None = None

  def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
    return np.array(self.map, dtype) if copy or dtype is not None else self.map

  def names(self) -> np.ndarray:
    """Returns the name of the class of every pixel, "" where nothing was measured, `[H, W]`."""
    table = np.full(max(self.class_names) + 1, "", f"<U{max(map(len, self.class_names.values()))}")
    table[list(self.class_names)] = list(self.class_names.values())
    return table[self.map]

  def to_xarray(self) -> "xarray.Dataset":
    """Returns the variables `class_id`, `confidence` and `votes`, with the coordinates of a DataArray.

    Raises:
      RequestError: xarray is not installed.
    """
    try:
      import xarray
    except ImportError as error:
      raise RequestError("xarray is not installed; install it with pip install xarray") from error
    coordinates = self.coordinates or {"y": None, "x": None}
    dimensions = tuple(coordinates)[:2]
    names = [f"{class_id}: {name}" for class_id, name in self.class_names.items()]
    return xarray.Dataset(
      {
        "class_id": (dimensions, self.map, {"classes": names}),
        "confidence": (dimensions, self.confidence),
        "votes": (dimensions, self.votes),
      },
      coords={name: values for name, values in coordinates.items() if values is not None},
    )

  @messages.named_as_arguments()
  def write(self, output: str | Path) -> list[Path]:
    """Writes the files of `mtl-hsi predict`: GeoTIFFs with styles, a map for ENVI, a picture and areas.

    Args:
      output: their common path without endings.

    Raises:
      RequestError: a file exists or cannot be written.
    """
    stem = Path(output)
    legend = Legend(f"{stem.name}: classes", dict(sorted(self.class_names.items())), self.colours, self.codes)
    rows, columns = (slice(0, size) for size in self.map.shape)
    with class_maps.create(stem, legend, self.map.shape, self.georeference) as maps:
      maps.write(rows, columns, self.map, self.votes, self.confidence)
    return [stem.with_name(f"{stem.name}{ending}") for ending in class_maps.ENDINGS]
