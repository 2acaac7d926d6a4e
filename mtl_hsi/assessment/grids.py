"""Positions of one grid of pixels in another one."""

import numpy as np
import pyproj

from mtl_hsi.scenes.scene import Georeference


def positions_in(
  target: Georeference, source: Georeference, rows: np.ndarray, columns: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
  """Returns rows and columns in another grid, as fractions of pixels; what has no place there is at -1.

  Args:
    target: the other grid.
    source: the grid of the given positions.
    rows: any shape; 0 is the upper edge of the first row, 0.5 its centre.
    columns: likewise.

  Raises:
    pyproj.exceptions.CRSError, pyproj.exceptions.ProjError: one system cannot be projected onto the other.
  """
  x, y, _ = np.tensordot(source.matrix, np.stack([columns, rows, np.ones(np.shape(rows))]), 1)
  change = pyproj.Transformer.from_crs(source.crs, target.crs, always_xy=True)
  x, y = change.transform(x, y)
  found = np.tensordot(np.linalg.inv(target.matrix), np.stack([x, y, np.ones(np.shape(rows))]), 1)
  found = np.where(np.isfinite(found).all(axis=0), found, -1)
  return found[1], found[0]
