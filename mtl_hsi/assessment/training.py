"""The pixels of a map that trained the networks of a run."""

from pathlib import Path

import numpy as np
from pyproj.exceptions import CRSError, ProjError

from mtl_hsi.assessment.class_map import ClassMap, open_class_map, same_grid
from mtl_hsi.assessment.grids import positions_in
from mtl_hsi.errors import RequestError
from mtl_hsi.runs.records import read_record
from mtl_hsi.scenes.images.arrays import list_arrays, read_array

_MAP = "prediction.tif"


def run_of(path: Path) -> tuple[Path, str] | None:
  """Returns the work directory and the scene of a map that is in `maps/<scene>/` of a run, or None."""
  scene = path.absolute().parent
  directory = scene.parent.parent
  if scene.parent.name == "maps" and (directory / "split.npz").is_file():
    return directory, scene.name
  return None


def training_positions(directory: Path, scene: str | None, class_map: ClassMap) -> np.ndarray:
  """Returns the positions (row * W + column) in a map of the pixels that trained, ascending `[t]`.

  Pixels count as trained if they trained any network of the run. If the map has another grid than the scene,
  those pixels of the map count that contain the centre of such a pixel.

  Args:
    directory: work directory of the run.
    scene: name of the scene; None for the target of the run.
    class_map: the map.

  Raises:
    RequestError: the run cannot be read, or the map and the scene have no common ground.
  """
  config = read_record(directory, "config.json")
  scene = scene or config.get("target")
  path, key = directory / "split.npz", f"{scene}/train"
  arrays = list_arrays(path)
  if key not in arrays:
    known = ", ".join(sorted(name.removesuffix("/train") for name in arrays if name.endswith("/train")))
    raise RequestError(f"config key scene is {scene!r}; the run in {directory} has {known}")
  pixels = read_array(path, key)
  if pixels.dtype.kind not in "iu" or pixels.ndim != 3 or pixels.shape[-1] != 2:
    raise RequestError(f"{path} is not what a run writes: {key} has shape {pixels.shape}; restore it")
  pixels = np.unique(pixels.reshape(-1, 2), axis=0)
  rows, columns = _on_map(pixels[(pixels >= 0).all(axis=1)], _map_of(directory, scene), class_map)
  height, width = class_map.shape
  inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
  return np.unique(rows[inside].astype(np.int64) * width + columns[inside])


def _map_of(directory: Path, scene: str) -> Path:
  return directory / "maps" / scene / _MAP


def _on_map(pixels, path: Path, class_map: ClassMap) -> tuple[np.ndarray, np.ndarray]:
  """Returns rows and columns in the map of pixels of the scene whose own map is at `path`."""
  with open_class_map(path) as own:
    if same_grid(own, class_map.shape, class_map.georeference):
      return pixels[:, 0], pixels[:, 1]
    if own.georeference is None or class_map.georeference is None:
      raise RequestError(
        f"{class_map.path.absolute()} has another size than the scene that trained ({path}), and one of them "
        "has no coordinate reference system, so training pixels cannot be found in it; remove --config.run "
        "if nothing in the map trained"
      )
    source = own.georeference
  try:
    rows, columns = positions_in(class_map.georeference, source, pixels[:, 0] + 0.5, pixels[:, 1] + 0.5)
  except (CRSError, ProjError) as error:
    raise RequestError(f"{path} cannot be projected onto {class_map.path}: {error}") from error
  return np.floor(rows).astype(np.int64), np.floor(columns).astype(np.int64)
