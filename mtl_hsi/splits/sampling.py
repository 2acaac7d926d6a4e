"""Few-shot splits of a scene's labelled pixels, and what they leak."""

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import ndimage

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.arrays import list_arrays, read_array

# In place of a number of samples per class.
ALL = 0
# What pads the rows of replicas with fewer pixels than the longest one.
PADDING = -1


class Split(NamedTuple):
  """Training and test pixels of one scene, one row of pixels per replica.

  Attributes:
    train: row and column of every training pixel, int32 `[R, n, 2]`; replicas
      with fewer pixels are filled up with -1.
    test: the same of the test pixels, int32 `[R, m, 2]`.
  """

  train: np.ndarray
  test: np.ndarray


def random_split(labels: np.ndarray, samples_per_class: int, *, seed: int, replicas: int, name: str) -> Split:
  """Draws n training pixels of every class; every other labelled pixel is a test pixel.

  A class with n pixels or fewer gives all of them to training and has no test
  pixel (author's code). Replica r is drawn from `seed + r` and the scene's name
  alone, so a scene has the same pixels whatever its partners are.

  Args:
    labels: `[H, W]`, 0 is unlabelled.
    samples_per_class: n, or `ALL`, which leaves no test pixels.
    seed: of the first replica.
    replicas: R.
    name: the scene's name.

  Raises:
    RequestError: no class has more than n pixels.
  """
  if samples_per_class == ALL:
    every = np.argwhere(labels > 0).astype(np.int32)
    train = [_generator(seed + replica, name).permutation(every) for replica in range(replicas)]
    return Split(np.stack(train), np.empty((replicas, 0, 2), np.int32))
  largest = int(np.bincount(labels[labels > 0]).max())
  if largest <= samples_per_class:
    raise RequestError(
      f"scene {name!r}: samples_per_class is {samples_per_class} and the largest class has {largest} pixels, "
      f"so no test pixel would be left; ask for fewer than {largest}"
    )
  draws = [_draw(labels, samples_per_class, seed + replica, name) for replica in range(replicas)]
  return Split(*(np.stack(part) for part in zip(*draws, strict=True)))


def _generator(seed, name):
  return np.random.default_rng([seed, zlib.crc32(name.encode())])


def _draw(labels, samples_per_class, seed, name):
  generator, train, test = _generator(seed, name), [], []
  for class_id in np.unique(labels[labels > 0]):
    pixels = generator.permutation(np.argwhere(labels == class_id).astype(np.int32))
    train.append(pixels[:samples_per_class])
    test.append(pixels[samples_per_class:])
  return np.concatenate(train), np.concatenate(test)


def with_training_pixels(split: Split, trained: np.ndarray, *, apart: int, name: str) -> Split:
  """A split with further training pixels, the same in all replicas.

  Args:
    split: of the other pixels.
    trained: where they are, bool `[H, W]`.
    apart: rows or columns that test pixels have to be away from them; nearer ones are tested no more.
    name: the scene's name.

  Raises:
    RequestError: nothing is left to test.
  """
  more = np.argwhere(trained).astype(np.int32)
  close = near(more, trained.shape, apart - 1)
  tests = [pixels_of(rows) for rows in split.test]
  left = [rows[~close[tuple(rows.T)]] for rows in tests]
  if split.test.size and not all(map(len, left)):
    raise RequestError(
      f"scene {name!r}: no test pixel lies {apart} or more pixels away from all of more_labels; use test "
      "labels of your own"
    )
  return Split(
    np.concatenate([split.train, np.repeat(more[None], len(split.train), axis=0)], axis=1), stack(left)
  )


def stack(parts: Sequence[np.ndarray]) -> np.ndarray:
  """Pixels `[n, 2]` of every replica as int32 `[R, n, 2]`, filled up to the longest."""
  rows = np.full((len(parts), max(map(len, parts)), 2), PADDING, np.int32)
  for row, pixels in zip(rows, parts, strict=True):
    row[: len(pixels)] = pixels
  return rows


def pixels_of(rows: np.ndarray) -> np.ndarray:
  """The pixels `[n, 2]` of one replica without their padding."""
  return rows[rows[:, 0] != PADDING]


def split_arrays(splits: Mapping[str, Split]) -> dict[str, np.ndarray]:
  """Splits by scene as the arrays of `split.npz`: `<scene>/train` and `<scene>/test`."""
  return {f"{name}/{part}": rows for name, split in splits.items() for part, rows in split._asdict().items()}


def read_splits(path: Path, labels: Mapping[str, np.ndarray], replicas: int) -> dict[str, Split]:
  """Reads back a `split.npz` and checks it against the scenes.

  Args:
    path: the file.
    labels: label image of every scene that needs a split, by name.
    replicas: R.

  Raises:
    RequestError: the file is missing or no such file, lacks a scene, or does not fit.
  """
  wanted = [f"{name}/{part}" for name in labels for part in Split._fields]
  try:
    held = list_arrays(path)
    arrays = {key: read_array(path, key) for key in wanted if key in held}
  except RequestError as error:
    raise RequestError(
      f"cannot read a split from {path.absolute()} (config key 'split'): {error}; expected 'random', "
      "'blocks' or the split.npz of a run"
    ) from error
  for key in wanted:
    if key not in held:
      raise RequestError(
        f"{path.absolute()} holds no {key!r}; it holds {', '.join(sorted(held)) or 'nothing'}"
      )
  splits = {name: Split(*(arrays[f"{name}/{part}"] for part in Split._fields)) for name in labels}
  for name, image in labels.items():
    _check_split(splits[name], image, replicas, name)
  return splits


def _check_split(split, labels, replicas, name):
  """Shapes, coordinates in the scene, labelled pixels only, none trained and tested, none missing."""

  def refuse(problem):
    raise RequestError(f"the split given for scene {name!r} {problem}")

  for part, rows in split._asdict().items():
    if rows.ndim != 3 or rows.shape[-1] != 2 or rows.dtype.kind not in "iu":
      refuse(
        f"has {part} pixels of shape {rows.shape} and type {rows.dtype}, "
        "expected integers [replicas, pixels, 2]"
      )
    if len(rows) != replicas:
      refuse(f"holds {len(rows)} replicas and {replicas} are asked for (config key 'replicas')")
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
        refuse(f"has pixels that are training and test pixels at once in replica {replica}")
      seen[rows, columns] = True


def near(pixels: np.ndarray, shape: tuple[int, int], reach: int) -> np.ndarray:
  """Which pixels of a scene are no more than `reach` rows and columns from one of those given.

  Args:
    pixels: row and column, int `[n, 2]`.
    shape: rows and columns of the scene.
    reach: in pixels.

  Returns:
    bool `[H, W]`.
  """
  mask = np.zeros(shape, bool)
  mask[tuple(pixels.T)] = True
  return ndimage.maximum_filter(mask, size=2 * reach + 1, mode="constant", cval=False)


def leakage(split: Split, shape: tuple[int, int], patch: int) -> float | None:
  """Share of test pixels whose patch holds a training pixel, mean over replicas; None without test pixels.

  Args:
    split: of the scene.
    shape: rows and columns of the scene.
    patch: side P of the patches.
  """
  return _share_near(split, shape, patch // 2)


def patch_overlap(split: Split, shape: tuple[int, int], apart: int) -> float | None:
  """Share of test pixels whose patch overlaps that of a training pixel, mean over replicas; None likewise.

  Args:
    split: of the scene.
    shape: rows and columns of the scene.
    apart: difference of rows or columns from which on they do not.
  """
  return _share_near(split, shape, apart - 1)


def _share_near(split, shape, reach):
  if not split.test.size:
    return None
  shares = [
    near(pixels_of(train), shape, reach)[tuple(pixels_of(test).T)].mean()
    for train, test in zip(split.train, split.test, strict=True)
  ]
  return float(np.mean(shares))
