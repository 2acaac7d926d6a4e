"""Cross-validation: labels in k folds of whole units, each of which is left out of training once."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.splits.blocks import grid_cells
from mtl_hsi.splits.drawn import replica_generator
from mtl_hsi.splits.leakage import near
from mtl_hsi.splits.units import number_by_blocks, number_by_class

# Number of random deals that are tried until every class is in two folds.
_TRIES = 20


class Folds(NamedTuple):
  """The labelled pixels of a scene in k folds of whole units.

  Attributes:
    fold: fold of every labelled pixel from 0, int32 `[H, W]`, -1 elsewhere.
    unit: unit of every labelled pixel from 0, int32 `[H, W]`, -1 elsewhere.
    kind: word for the units, plural.
    notes: one sentence for each class whose units were cut or that has a single pixel.
    labels: class ids of these pixels, int32 `[H, W]`, 0 elsewhere.
    name: the scene's name.
  """

  fold: np.ndarray
  unit: np.ndarray
  kind: str
  notes: tuple[str, ...]
  labels: np.ndarray
  name: str


def draw_folds(
  labels: np.ndarray,
  units: np.ndarray | None,
  *,
  folds: int,
  block_size: int,
  by_blocks: bool,
  seed: int,
  name: str,
  class_names: Mapping[int, str],
) -> Folds:
  """Deals the units of a scene to k folds, each with about the same number of pixels of every class.

  The units are the features of the labels or the connected regions of a class, or blocks over all classes.
  Units of a class with fewer of them than folds are cut (`number_by_class`). The division is random. Every
  fold has a unit, and every class with two or more units is in two or more folds.

  Args:
    labels: class ids `[H, W]`, 0 is unlabelled.
    units: number of the feature of every labelled pixel (`Scene.units`), or None for connected regions.
    folds: k, two or more.
    block_size: rows and columns of a block.
    by_blocks: whether the units are blocks.
    seed: seed of the division, see `replica_generator`.
    name: the scene's name.
    class_names: name of every class.

  Raises:
    RequestError: there are fewer units than folds, or no division has every class in two folds.
  """
  if by_blocks:
    unit, kind, notes = number_by_blocks(labels, block_size, class_names)
  else:
    unit, kind, notes = number_by_class(
      labels, units, folds=folds, block_size=block_size, class_names=class_names
    )
  if unit.max() + 1 < folds:
    other = f"a smaller --config.block_size than {block_size}" if by_blocks else "--config.fold_units=blocks"
    raise RequestError(
      f"scene {name!r}: the number of {kind} is {unit.max() + 1}, parts of cut ones included, for {folds} "
      f"folds; lower --config.folds, label more, or use {other}"
    )
  labelled = labels > 0
  counts = _count(labels[labelled], unit[labelled])
  dealt = _deal(counts, folds, replica_generator(seed, 0, name))
  _check_in_two_folds(counts, dealt, np.unique(labels[labelled]), block_size, name)
  fold = np.full(labels.shape, -1, np.int32)
  fold[labelled] = dealt[unit[labelled]]
  return Folds(fold, unit, kind, tuple(notes), labels, name)


def training_pixels(folds: Folds, fold: int, buffer: int) -> np.ndarray:
  """Returns the labelled pixels of the other folds that are far enough from a fold.

  Args:
    folds: of the scene.
    fold: the fold that is left out, from 0.
    buffer: number of rows and columns around the pixels of the fold that are left out too; 0 for none.

  Returns:
    Row and column, int32 `[n, 2]`.

  Raises:
    RequestError: the buffer removes all pixels of a class of the other folds.
  """
  others = (folds.fold >= 0) & (folds.fold != fold)
  kept = others & ~near(np.argwhere(folds.fold == fold), others.shape, buffer)
  missing = np.setdiff1d(folds.labels[others], folds.labels[kept])
  if missing.size:
    raise RequestError(
      f"scene {folds.name!r}: class {missing[0]} has no training pixel left when fold {fold} is left out "
      f"with a buffer of {buffer} pixels; lower the buffer, or label more of the class"
    )
  return np.argwhere(kept).astype(np.int32)


def pixel_folds(
  train: np.ndarray,
  labels: np.ndarray,
  *,
  folds: int,
  block_size: int | None,
  generator: np.random.Generator,
) -> np.ndarray:
  """Deals training pixels to k folds.

  Without blocks, the pixels of every class are dealt one by one in random order, beginning at a random fold.
  With blocks, the pixels in a block stay together, and each fold gets about the same number of pixels of
  every class; a class whose pixels would all be in one fold is dealt pixel by pixel. A fold is empty if
  there are too few blocks or pixels.

  Args:
    train: row and column of the training pixels, int `[n, 2]`, without padding.
    labels: class ids `[H, W]`.
    folds: k.
    block_size: rows and columns of a block, or None.
    generator: of the random order.

  Returns:
    The fold of every training pixel from 0, int32 `[n]`.
  """
  classes = labels[tuple(train.T)]
  fold = np.zeros(len(train), np.int32)
  if block_size is not None:
    cells = grid_cells(labels.shape, block_size)[tuple(train.T)]
    block = np.unique(cells, return_inverse=True)[1]
    fold[:] = _deal(_count(classes, block), folds, generator)[block]
  for class_id in np.unique(classes):
    members = np.flatnonzero(classes == class_id)
    if (fold[members] == fold[members[0]]).all():
      start = generator.integers(folds)
      fold[generator.permutation(members)] = (start + np.arange(len(members))) % folds
  return fold


def _count(classes, unit):
  """Returns the pixels of every class in every unit, `[C, units]`, from both for every pixel `[n]`."""
  row = np.unique(classes, return_inverse=True)[1]
  counts = np.zeros((row.max() + 1, unit.max() + 1), int)
  np.add.at(counts, (row, unit), 1)
  return counts


def _deal(counts, folds, generator):
  """Returns the fold of every unit `[units]`; of some random deals, the one with the most classes in two.

  Args:
    counts: pixels of every class in every unit `[C, units]`.
    folds: number of folds.
    generator: of the random orders.
  """
  best, most = None, -1
  for _ in range(_TRIES):
    fold = _deal_once(counts, folds, generator)
    spread = np.count_nonzero(_spread(counts, fold))
    if spread > most:
      best, most = fold, spread
    if most == np.count_nonzero((counts > 0).sum(axis=1) > 1):
      break
  return best


def _deal_once(counts, folds, generator):
  """Goes through the classes, those in few units first, and through their units, the largest first.

  A unit joins the fold with the fewest pixels of the class. On a tie it joins the fold that has the least of
  all classes in the unit, in shares of the classes' pixels, then the one that has the least of all classes.
  So every fold gets a unit if there are enough.
  """
  totals = counts.sum(axis=1)
  fold = np.full(counts.shape[1], -1)
  held = np.zeros((folds, len(counts)), int)
  # The order is random among classes in equally many units, and among units with equally many pixels.
  order = generator.permutation(len(counts))
  for current in order[np.argsort((counts[order] > 0).sum(axis=1), kind="stable")]:
    undecided = generator.permutation(np.flatnonzero((counts[current] > 0) & (fold < 0)))
    for unit in undecided[np.argsort(-counts[current, undecided], kind="stable")]:
      shares = held / totals
      in_unit = shares[:, counts[:, unit] > 0].sum(axis=1)
      # The last key counts first.
      ranked = np.lexsort((generator.permutation(folds), shares.sum(axis=1), in_unit, held[:, current]))
      fold[unit] = ranked[0]
      held[ranked[0]] += counts[:, unit]
  return fold


def _spread(counts, fold):
  """Returns which classes are in two or more folds, bool `[C]`."""
  return np.array([len(np.unique(fold[of_class > 0])) > 1 for of_class in counts])


def _check_in_two_folds(counts, fold, class_ids, block_size, name):
  together = class_ids[((counts > 0).sum(axis=1) > 1) & ~_spread(counts, fold)]
  if together.size:
    raise RequestError(
      f"scene {name!r}: all blocks of class {together[0]} are in one fold, as they have pixels of other "
      f"classes too; try a smaller --config.block_size than {block_size}, or more --config.folds"
    )
