"""Finds the pixels of a run's maps that are unlike every class, and writes their distances."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from rasterio.windows import Window as RasterWindow

from mtl_hsi.classification import unlike
from mtl_hsi.classification.classify import SceneRegion
from mtl_hsi.errors import RequestError
from mtl_hsi.evaluation.areas import pixel_areas
from mtl_hsi.experiment.problem import Problem
from mtl_hsi.report import rasters
from mtl_hsi.runs.records import read_record
from mtl_hsi.runs.unknown_pixels import Unknown, check_rate, create_raster, read_unknown, write_raster
from mtl_hsi.runs.unlike_record import UnlikeRecord
from mtl_hsi.runtime import processes
from mtl_hsi.scenes import windows
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.settings.experiment_settings import Settings
from mtl_hsi.settings.unknown_settings import MARK, NONE, SCORE, UnknownSettings
from mtl_hsi.storage.json_files import well_formed

FILE = "unknown.tif"


class FoundUnknown(NamedTuple):
  """The pixels of a scene that are unlike every class.

  Attributes:
    mask: True for these pixels, bool `[H, W]`.
    class_id: id of these pixels in the maps, or None if they keep their classes.
  """

  mask: np.ndarray
  class_id: int | None

  @property
  def marked(self) -> np.ndarray | None:
    """The mask if the maps mark these pixels, else None."""
    return None if self.class_id is None else self.mask


def check(settings: UnknownSettings, problem: Problem) -> None:
  """Rejects a request for unknown pixels if the run cannot find them.

  Raises:
    RequestError: there are no folds, no MNF components or too few left-out labels.
  """
  if settings.action == NONE:
    return
  asked = f"config key unknown is {settings.action!r}"
  if not problem.folds or any(inputs.components is None for inputs in problem.inputs.values()):
    raise RequestError(
      f"{asked}, which needs folds and MNF components, as configs/own.py and configs/best.py have; expected "
      f"{NONE!r}, or one of these configs"
    )
  counts = {name: sum(map(len, maps[0].left_out)) for name, maps in problem.folds.items()}
  if problem.legend.names is not None:
    counts = dict.fromkeys(counts, sum(counts.values()))
  for name, count in counts.items():
    if not count:
      raise RequestError(
        f"{asked}, but scene {name!r} has no labels that folds leave out, from which the limit of known "
        f"classes is computed; expected {NONE!r}"
      )
    check_rate(settings, count, name)


def measure(
  settings: Settings,
  problem: Problem,
  regions: Mapping[str, SceneRegion],
  records: Mapping[str, UnlikeRecord],
  folder: Path,
) -> dict[str, FoundUnknown]:
  """Returns the pixels that are unlike every class, by scene, and writes `FILE` of each scene.

  Args:
    settings: the settings; if they do not ask for unknown pixels, nothing is done.
    problem: the scenes.
    regions: the whole scenes.
    records: the data that unknown pixels are found with, by scene.
    folder: of the maps of all scenes.

  Raises:
    RequestError: a file cannot be written.
  """
  if settings.unknown.action == NONE:
    return {}
  found = {}
  for name, record in records.items():
    unknown = _prepared(settings, problem, name, record)
    mask = _of_scene(unknown, problem.scenes[name], regions[name], folder / name)
    found[name] = FoundUnknown(mask, unknown.class_id)
  return found


def _prepared(settings, problem, name, record) -> Unknown:
  components = unlike.components_of(problem.inputs[name])
  class_ids = problem.legend.class_names(name).keys()
  return read_unknown(settings.unknown, record, components, problem.patch // 2, class_ids)


def _of_scene(unknown: Unknown, scene: Scene, region: SceneRegion, folder: Path) -> np.ndarray:
  height, width = scene.labels.shape
  found, around = np.zeros((height, width), bool), (2 * unknown.margin,) * 2
  with _raster(scene, folder / FILE) as raster:
    for rows, columns in windows.image_windows(height, width, region.padded.shape[2], rasters.BLOCK):
      padded = windows.cut_with_halo(region.padded, (rows, columns), (0, 0), around)
      inner = slice(0, rows.stop - rows.start), slice(0, columns.stop - columns.start)
      measured, present = unknown.measure(padded, inner), scene.measured[rows, columns]
      found[rows, columns] = unknown.found(measured) & present
      if raster is not None:
        write_raster(raster, present, measured, RasterWindow.from_slices(rows, columns))
  if processes.is_first():
    print(f"{scene.name}: {unknown.sentence(int(found.sum()))}", flush=True)
  return found


@contextlib.contextmanager
def _raster(scene: Scene, path: Path) -> Iterator:
  """Opens the raster of scores in the first process, and gives None in others."""
  if not processes.is_first():
    yield None
    return
  title = f"{scene.title}: how unlike all classes"
  with (
    rasters.replacing(path) as partial,
    create_raster(partial, title, *scene.labels.shape, scene.georeference) as raster,
  ):
    yield raster


def missing(settings: UnknownSettings, directory: Path) -> Iterator[str]:
  """Yields a note if the maps of a complete run have other unknown pixels than its command requests.

  Raises:
    RequestError: metrics.json is damaged.
  """
  made = _made(directory)
  if made != settings and {made.action, settings.action} != {NONE}:
    had, asked = (
      f"unknown={one.action}" + (f" and unknown_rate={one.rate:g}" if one.action != NONE else "")
      for one in (made, settings)
    )
    yield (
      f"note: the maps were made with {had}, not {asked}; to change that, delete its metrics.json and "
      "repeat the command, which classifies again"
    )


def _made(directory: Path) -> UnknownSettings:
  """Returns what a complete run did with unknown pixels."""
  metrics = read_record(directory, "metrics.json")
  with well_formed(directory / "metrics.json"):
    for found in metrics["scenes"].values():
      if "unknown" in found:
        return UnknownSettings(SCORE if found["unknown"]["id"] is None else MARK, found["unknown"]["rate"])
  return UnknownSettings(NONE, 0)


def describe(settings: UnknownSettings, scene: Scene, found: FoundUnknown) -> dict:
  """Returns the entry of `metrics.json` for the unknown pixels of a scene.

  Args:
    settings: how unknown pixels were handled.
    scene: the scene.
    found: its unknown pixels.
  """
  mask = found.mask
  areas = pixel_areas(scene.georeference, *mask.shape)
  hectares = None
  if areas is not None:
    whole = slice(0, mask.shape[0]), slice(0, mask.shape[1])
    hectares = float(areas.by_id(mask.astype(int), *whole, 2)[1])
  return {
    "rate": settings.rate,
    "id": found.class_id,
    "map_pixels": int(mask.sum()),
    "map_hectares": hectares,
  }
