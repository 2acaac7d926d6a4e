"""The split of a scene: training and test pixels of every replica, in memory and in `split.npz`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.arrays import list_arrays, read_array

# Values of the config key `split` that are not the path of a file.
NAMES = ("random", "blocks", "folds", "scenes")

# Fills up the rows of replicas that have fewer pixels than others.
PADDING = -1

_EXPECTED = f"{', '.join(map(repr, NAMES))} or the path of the split.npz in the work directory of a run"


class Split(NamedTuple):
  """Training and test pixels of one scene in every replica.

  Attributes:
    train: row and column of every training pixel, int32 `[R, n, 2]`; replicas with fewer pixels are padded
      with `PADDING`.
    test: row and column of every test pixel, int32 `[R, m, 2]`, padded likewise.
  """

  train: np.ndarray
  test: np.ndarray


def check_exists(path: Path) -> None:
  """Raises a RequestError that names all possible splits, unless the file of a split exists."""
  if not path.exists():
    raise RequestError(
      f"config key split is {str(path)!r}, but there is no file {path.absolute()}; expected {_EXPECTED}"
    )


def stack(parts: Sequence[np.ndarray]) -> np.ndarray:
  """Stacks the pixels `[n, 2]` of all replicas to int32 `[R, n, 2]`, padded to the largest n."""
  rows = np.full((len(parts), max(map(len, parts)), 2), PADDING, np.int32)
  for row, pixels in zip(rows, parts, strict=True):
    row[: len(pixels)] = pixels
  return rows


def pixels_of(rows: np.ndarray) -> np.ndarray:
  """Removes the padding from the coordinates `[n, 2]` of one replica."""
  return rows[rows[:, 0] != PADDING]


def split_arrays(splits: Mapping[str, Split]) -> dict[str, np.ndarray]:
  """Returns the arrays of `split.npz`: `<scene>/train` and `<scene>/test` for every scene."""
  return {f"{name}/{part}": rows for name, split in splits.items() for part, rows in split._asdict().items()}


def fold_arrays(splits: Mapping[str, Split], left_out: Mapping[str, Sequence]) -> dict[str, np.ndarray]:
  """Returns further arrays of `split.npz`: `<scene>/fold` int32 `[G, n]`, the fold of every training pixel.

  Args:
    splits: of all scenes, with a row for each of G maps.
    left_out: for every scene and map, the pixels int32 `[m, 2]` of each fold. Pixels that no fold leaves out,
      and padding, have fold -1.
  """
  found = {}
  for name, maps in left_out.items():
    train = splits[name].train
    found[f"{name}/fold"] = np.full(train.shape[:2], PADDING, np.int32)
    for rows, folds, numbers in zip(train, maps, found[f"{name}/fold"], strict=True):
      position = {tuple(pixel): row for row, pixel in enumerate(pixels_of(rows).tolist())}
      for number, pixels in enumerate(folds):
        numbers[[position[tuple(pixel)] for pixel in pixels.tolist()]] = number
  return found


def read_splits(path: Path, labels: Mapping[str, np.ndarray], replicas: int) -> dict[str, Split]:
  """Reads a `split.npz` and checks it against the scenes.

  Args:
    path: the file.
    labels: label image of every scene that needs a split, by name.
    replicas: R.

  Raises:
    RequestError: the file cannot be read, lacks a scene, or does not match a scene.
  """
  check_exists(path)
  wanted = [f"{name}/{part}" for name in labels for part in Split._fields]
  try:
    held = list_arrays(path)
    arrays = {key: read_array(path, key) for key in wanted if key in held}
  except RequestError as error:
    raise RequestError(
      f"cannot read a split from {path.absolute()} (config key 'split'): {error}; expected {_EXPECTED}"
    ) from error
  for key in wanted:
    if key not in held:
      raise RequestError(
        f"{path.absolute()} has no array {key!r} (arrays: {', '.join(sorted(held)) or 'none'})"
      )
  splits = {name: Split(*(arrays[f"{name}/{part}"] for part in Split._fields)) for name in labels}
  for name, image in labels.items():
    _check_split(splits[name], image, replicas, name)
  return splits


def _check_split(split, labels, replicas, name):
  """Checks shapes and coordinates: labelled pixels only, and none both trained and tested."""

  def refuse(problem):
    raise RequestError(f"the given split of scene {name!r} {problem}")

  for part, rows in split._asdict().items():
    if rows.ndim != 3 or rows.shape[-1] != 2 or rows.dtype.kind not in "iu":
      refuse(
        f"has {part} pixels of shape {rows.shape} and type {rows.dtype}, "
        "expected integers [replicas, pixels, 2]"
      )
    if len(rows) != replicas:
      refuse(f"has {len(rows)} replicas; expected {replicas} (config key 'replicas')")
  for replica in range(replicas):
    seen = np.zeros(labels.shape, bool)
    for part in ("train", "test"):
      pixels = pixels_of(getattr(split, part)[replica])
      if not len(pixels):
        refuse(f"has no {part} pixel in replica {replica}")
      if (pixels < 0).any() or (pixels >= labels.shape).any():
        refuse(f"has {part} pixels outside the scene of {labels.shape[0]} x {labels.shape[1]} pixels")
      rows, columns = pixels.T
      if (labels[rows, columns] == 0).any():
        refuse(f"has unlabelled {part} pixels in replica {replica}")
      if part == "test" and seen[rows, columns].any():
        refuse(f"uses a pixel for both training and testing in replica {replica}")
      seen[rows, columns] = True
