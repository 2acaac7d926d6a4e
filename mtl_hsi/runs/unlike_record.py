"""`unknown.npz` of a run: training pixels of every scene, and the scores of labels that folds left out."""

import io
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from mtl_hsi.classification.unlike import Known
from mtl_hsi.errors import RequestError
from mtl_hsi.runs.run_files import RunFiles
from mtl_hsi.storage import npz_files
from mtl_hsi.storage.atomic_files import reason
from mtl_hsi.storage.json_files import well_formed

NAME = "unknown.npz"


class UnlikeRecord(NamedTuple):
  """What tells unknown pixels in images like one scene.

  Attributes:
    known: its training pixels.
    left_out: scores of labelled pixels that training left out, ascending, float32 `[n]`.
  """

  known: Known
  left_out: np.ndarray


def arrays(records: Mapping[str, UnlikeRecord]) -> dict[str, np.ndarray]:
  """Returns the arrays of `unknown.npz`, from the records by scene."""
  found = {}
  for name, record in records.items():
    found |= {f"{name}/{key}": values for key, values in record.known._asdict().items()}
    found[f"{name}/left_out"] = record.left_out
  return found


def read(files: RunFiles, name: str, components: int) -> UnlikeRecord | None:
  """Returns the record of a scene of a finished run, or None if the run has none.

  Args:
    files: of the run.
    name: of the scene.
    components: number of components of a pixel, k.

  Raises:
    RequestError: the file is damaged.
  """
  path = files.path / NAME
  try:
    content = files.read(NAME)
  except FileNotFoundError:
    return None
  except OSError as error:
    raise RequestError(f"cannot read {path}: {reason(error)}") from error
  with well_formed(path), npz_files.opened(io.BytesIO(content), str(path.absolute())) as archive:
    if f"{name}/left_out" not in archive.entries:
      return None
    keys = (*Known._fields, "left_out")
    whitening, places, spread, left_out = (archive.read(f"{name}/{key}") for key in keys)
    _check(whitening, places, spread, left_out, components)
    return UnlikeRecord(Known(whitening, places, spread), left_out)


def _check(whitening, places, spread, left_out, components):
  shapes = [(components, components), (len(places), components), (len(places),), (len(left_out),)]
  found = (whitening, places, spread, left_out)
  for values, shape in zip(found, shapes, strict=True):
    if values.dtype != np.float32 or values.shape != shape or not np.isfinite(values).all():
      raise ValueError(f"expected finite numbers of shape {shape}")
  if not (len(places) and len(left_out) and (spread > 0).all() and (np.diff(left_out) >= 0).all()):
    raise ValueError("training pixels or scores of left-out labels are not possible")
