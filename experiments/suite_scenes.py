"""The scenes of the suite, and the training and test pixels of its protocols."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mtl_hsi.scenes.files import read_scene
from mtl_hsi.scenes.public import registry
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.splits.drawn import random_split
from mtl_hsi.splits.folds import draw_folds
from mtl_hsi.splits.split import pixels_of
from mtl_hsi.storage import atomic_files

PUBLIC = "indian_pines"
SCENES = (
  PUBLIC,
  "enmap_potsdam",
  "jasper_ridge",
  "houston2018_crop",
  "salinas_a",
  "pavia_university_crop",
)
# Protocols with n random pixels per class, and the one that leaves out every fold in turn.
SAMPLES = {"n5": 5, "n10": 10}
FOLDS = "folds"
PROTOCOLS = (*SAMPLES, FOLDS)
FOLD_COUNT, BLOCK_SIZE = 5, 16

# Classes with fewer pixels lose their labels.
_LEAST_PIXELS = 10


class Part(NamedTuple):
  """Pixels on which a method is trained, and those on which it is then tested: int `[n, 2]` each."""

  train: np.ndarray
  test: np.ndarray


def load(name: str, data: Path, prepared: Path) -> Scene | None:
  """Loads a scene as the runs read it; None if its file is not in the data directory.

  Args:
    name: one of `SCENES`.
    data: directory with the files of the scenes.
    prepared: directory for the prepared files, see `prepared_file`.
  """
  if name == PUBLIC:
    return registry.load_public(name, Path("data"), False, False)
  source, target = data / f"{name}.npz", prepared_file(prepared, name)
  if not source.exists():
    return None
  if not target.exists():
    with np.load(source) as arrays:
      atomic_files.write_npz(target, _prepare(arrays))
  return read_scene(name, cube=target)


def prepared_file(prepared: Path, name: str) -> Path:
  """The file with the arrays `cube`, `labels` and `nodata` of a scene."""
  return prepared / f"{name}.npz"


def _prepare(arrays):
  cube, labels = arrays["cube"], arrays["label"].astype(np.int32)
  nodata = ~arrays["valid"].astype(bool) if "valid" in arrays else np.zeros(labels.shape, bool)
  labels = np.where(nodata, 0, labels)
  counts = np.bincount(labels.ravel())
  return {"cube": cube, "labels": np.where(counts[labels] < _LEAST_PIXELS, 0, labels), "nodata": nodata}


def draw(scene: Scene, protocol: str, seed: int) -> list[Part]:
  """Draws the pixels of a protocol, as a run with this seed and one replica does."""
  if protocol in SAMPLES:
    split = random_split(scene.labels, SAMPLES[protocol], seed=seed, replicas=1, name=scene.name)
    return [Part(pixels_of(split.train[0]), pixels_of(split.test[0]))]
  drawn = draw_folds(
    scene.labels,
    None,
    folds=FOLD_COUNT,
    block_size=BLOCK_SIZE,
    by_blocks=True,
    seed=seed,
    name=scene.name,
    class_names=scene.class_names,
  )
  return _parts_of(drawn.fold)


def drawn_by_run(run: Path, scene: Scene, protocol: str) -> list[Part]:
  """Reads the pixels of a run with one replica from its split.npz."""
  with np.load(run / "split.npz") as arrays:
    train = arrays[f"{scene.name}/train"][0]
    if protocol in SAMPLES:
      return [Part(pixels_of(train), pixels_of(arrays[f"{scene.name}/test"][0]))]
    fold = np.full(scene.labels.shape, -1)
    fold[tuple(pixels_of(train).T)] = arrays[f"{scene.name}/fold"][0, : len(pixels_of(train))]
  return _parts_of(fold)


def _parts_of(fold):
  """Returns the parts of an image of folds `[H, W]`, in which other pixels are -1."""
  folds = np.unique(fold[fold >= 0])
  return [Part(np.argwhere((fold >= 0) & (fold != k)), np.argwhere(fold == k)) for k in folds]


def fingerprint(parts: Sequence[Part], shape: tuple[int, int]) -> str:
  """Returns a text that is equal for equal training and test pixels, whatever their order."""
  digest = hashlib.sha256()
  for pixels in (pixels for part in parts for pixels in part):
    mask = np.zeros(shape, bool)
    mask[tuple(pixels.T)] = True
    digest.update(np.packbits(mask).tobytes())
  return digest.hexdigest()[:16]
