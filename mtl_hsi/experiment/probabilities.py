"""Writes the probabilities of all classes while the scenes of a run are classified."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from mtl_hsi.evaluation.probabilities import NONE
from mtl_hsi.experiment.problem import Problem
from mtl_hsi.report import probability_rasters, rasters
from mtl_hsi.report.probability_rasters import Classes, ProbabilityRasters, outvoted_note
from mtl_hsi.runtime import processes
from mtl_hsi.scenes.windows import Window

FILES = ("probabilities.tif", "uncertainty.tif")

# Takes a tile of the first map: window, outputs of the classes `[h, w]` and all probabilities `[h, w, C]`.
Take = Callable[[Window, np.ndarray, np.ndarray], object]


@contextlib.contextmanager
def written(kind: str, problem: Problem, name: str, folder: Path) -> Iterator[Take | None]:
  """Gives what takes the tiles of a scene; at the end of the block they are in `FILES` of the folder.

  Only the first process writes.

  Args:
    kind: a name of `evaluation.probabilities.KINDS`; none are written, and None is given, with `NONE`.
    problem: the scenes.
    name: of the scene.
    folder: of the scene's maps.

  Raises:
    RequestError: the files cannot be written.
  """
  if kind == NONE:
    yield None
    return
  if not processes.is_first():
    yield _nothing
    return
  scene, class_ids = problem.scenes[name], problem.legend.class_ids(name)
  classes = Classes(kind, dict(sorted(scene.class_names.items())), class_ids)
  title = f"{scene.title}: probabilities of the classes"
  with contextlib.ExitStack() as stack:
    paths = tuple(stack.enter_context(rasters.replacing(folder / file)) for file in FILES)
    # Tiles and blocks have other sides, so a compressed block would be written several times.
    made = stack.enter_context(
      probability_rasters.create(
        paths, classes, title, scene.labels.shape, scene.georeference, compress="none"
      )
    )
    yield _take(made, scene.measured, class_ids)
  if made.outvoted:
    print(f"note: {name}: {outvoted_note(made.outvoted)}", flush=True)


def missing(kind: str, directory: Path) -> Iterator[str]:
  """Yields a note if a complete run lacks probabilities that its command asks for now."""
  if kind != NONE and not any(directory.glob(f"maps/*/{FILES[0]}")):
    yield (
      "note: the run was made without probabilities; to write them, delete metrics.json there and repeat the "
      "command, which classifies again"
    )


def _nothing(*_):
  """Takes a tile in a process that does not write."""


def _take(made: ProbabilityRasters, measured: np.ndarray, class_ids: np.ndarray) -> Take:
  # The last tiles of a row or column overlap those before them.
  taken = np.zeros(measured.shape, bool)

  def take(window, labels, probabilities):
    # Those of a network that diverged are not finite; classification then ends with an error.
    known = measured[window] & np.isfinite(probabilities).all(axis=-1)
    made.write(window, np.where(known, class_ids[labels], 0), probabilities, ~taken[window])
    taken[window] = True

  return take
