"""The units of a scene's labels, which folds keep whole: features, connected regions or blocks."""

from collections.abc import Mapping

import numpy as np

from mtl_hsi.plurals import noun
from mtl_hsi.scenes.labels.regions import number_regions
from mtl_hsi.splits.blocks import grid_cells, median_cut, number_blocks

# Words for the units, plural.
FEATURES, REGIONS, BLOCKS = "features", "regions", "blocks"
# Further notes are only counted: with the wrong class column there would be hundreds.
_MOST_NOTES = 4


def number_by_blocks(
  labels: np.ndarray, block_size: int, class_names: Mapping[int, str]
) -> tuple[np.ndarray, str, list[str]]:
  """Numbers the blocks with labelled pixels; a class within one block has it cut in two (`number_blocks`).

  Args:
    labels: class ids `[H, W]`, 0 is unlabelled.
    block_size: rows and columns of a block.
    class_names: name of every class.

  Returns:
    The block of every labelled pixel from 0, int32 `[H, W]`, -1 elsewhere; the word for the units; and a note
    on every class that lies within one block.
  """
  cells, notes = grid_cells(labels.shape, block_size), []
  for class_id in np.unique(labels[labels > 0]).tolist():
    of_class = cells[labels == class_id]
    if (of_class == of_class[0]).all():
      notes.append(_note_on_single(_title(class_id, class_names), BLOCKS, len(of_class)))
  labelled = labels > 0
  unit = np.full(labels.shape, -1, np.int32)
  unit[labelled] = np.unique(number_blocks(labels, block_size)[labelled], return_inverse=True)[1]
  return unit, BLOCKS, notes


def number_by_class(
  labels: np.ndarray,
  units: np.ndarray | None,
  *,
  folds: int,
  block_size: int,
  class_names: Mapping[int, str],
) -> tuple[np.ndarray, str, list[str]]:
  """Numbers the features or connected regions of every class, and cuts those of classes that have too few.

  If a class has fewer units than there are folds, those of its units that extend over several blocks are cut
  along these. A class that is a single unit even then is cut in two (`median_cut`).

  Args:
    labels: class ids `[H, W]`, 0 is unlabelled.
    units: number of the feature of every labelled pixel (`Scene.units`), or None for connected regions.
    folds: number of folds.
    block_size: rows and columns of a block.
    class_names: name of every class.

  Returns:
    The unit of every labelled pixel from 0, int32 `[H, W]`, -1 elsewhere; the word for the units; and notes
    on what was cut.
  """
  kind = REGIONS if units is None else FEATURES
  units = number_regions(labels) if units is None else units
  cells = grid_cells(labels.shape, block_size)
  unit, notes = np.full(labels.shape, -1, np.int32), []
  for class_id in np.unique(labels[labels > 0]).tolist():
    where = labels == class_id
    parts = _compact(units[where])
    title = _title(class_id, class_names)
    if parts.max() + 1 < folds:
      parts, note = _cut_along_blocks(parts, cells[where], title, kind, folds, block_size)
      notes += note
    if parts.max() == 0:
      notes.append(_note_on_single(title, kind, len(parts)))
      parts = _halves(np.argwhere(where))
    unit[where] = unit.max() + 1 + parts
  more = len(notes) - _MOST_NOTES
  if more > 0:
    rest = f"{more} more {noun(more, 'note')} like these; check the column with the classes"
    notes = [*notes[:_MOST_NOTES], rest]
  return unit, kind, notes


def _cut_along_blocks(parts, cells, title, kind, folds, block_size):
  """Returns the parts of a class `[n]` cut along the cells `[n]` of the grid, and a note if that cuts any."""
  before = parts.max() + 1
  parts = _compact(parts * (cells.max() + 1) + cells)
  after = parts.max() + 1
  if before == after:
    return parts, []
  which, are = (kind[:-1], "it is") if before == 1 else (kind, "they are")
  return parts, [
    f"{title} has {before} {which} for {folds} folds; {are} cut along blocks of {block_size} x {block_size} "
    f"pixels into {after} parts"
  ]


def _halves(pixels):
  """Returns 0 or 1 for every pixel `[n, 2]` of a class, int `[n]`; 0 if there is one pixel."""
  axis, cut = median_cut(pixels)
  return (pixels[:, axis] >= cut).astype(int)


def _note_on_single(title, kind, pixels):
  if pixels == 1:
    return f"{title} has a single pixel, which is never both trained and tested"
  return f"{title} has a single {kind[:-1]}, which is cut in two, so its accuracy is too optimistic"


def _compact(values):
  """Renumbers values `[n]` from 0."""
  return np.unique(values, return_inverse=True)[1]


def _title(class_id, class_names):
  return f"class {class_id} ({class_names[class_id]})"
