"""`mixtures.npz`: the mixture of every scene and map, as predictions need it."""

import io
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from mtl_hsi.classification.smoothing import Smoothing
from mtl_hsi.errors import RequestError
from mtl_hsi.runs.run_files import RunFiles
from mtl_hsi.storage import npz_files
from mtl_hsi.storage.atomic_files import reason
from mtl_hsi.storage.json_files import well_formed

NAME = "mixtures.npz"


class MapMixtures(NamedTuple):
  """The mixtures of one scene in all G maps of a run.

  Attributes:
    parameters: "weights" `[G, M]` of the members, "temperature" `[G]` and, of a regression, "kernel"
      `[G, B, C]` and "bias" `[G, C]`.
    smoothings: of every map.
  """

  parameters: Mapping[str, np.ndarray]
  smoothings: Sequence[Smoothing]

  def of_map(self, drawn: int) -> dict[str, np.ndarray]:
    """Returns the parameters of one map, leading axis 1."""
    return {key: values[drawn : drawn + 1] for key, values in self.parameters.items()}


def arrays(
  name: str, parameters: Sequence[Mapping], smoothings: Sequence[Smoothing]
) -> dict[str, np.ndarray]:
  """Returns the arrays of `mixtures.npz` for one scene.

  Args:
    name: the scene's name.
    parameters: of every map, each with a leading axis of 1.
    smoothings: of every map.
  """
  stacked = {key: np.concatenate([part[key] for part in parameters]) for key in parameters[0]}
  stacked["smoothing"] = np.array(smoothings, np.float64)
  return {f"{name}/{key}": values for key, values in stacked.items()}


def read(
  files: RunFiles,
  names: Sequence[str],
  *,
  maps: int,
  members: int,
  regression: tuple[int, int] | None,
) -> dict[str, MapMixtures]:
  """Returns the mixtures of the scenes of a finished run that mixes experts.

  Args:
    files: of the run.
    names: of the scenes.
    maps: G.
    members: M.
    regression: channels and classes (B, C) of the regression, or None if none is mixed.

  Raises:
    RequestError: the file is missing or damaged.
  """
  path = files.path / NAME
  try:
    content = files.read(NAME)
  except OSError as error:
    raise RequestError(f"cannot read {path}: {reason(error)}; {files.remedy}") from error
  shapes = {"weights": (maps, members), "temperature": (maps,), "smoothing": (maps, 3)}
  if regression is not None:
    shapes |= {"kernel": (maps, *regression), "bias": (maps, regression[1])}
  with well_formed(path), npz_files.opened(io.BytesIO(content), str(path.absolute())) as archive:
    found = {name: {key: archive.read(f"{name}/{key}") for key in shapes} for name in names}
    for parts in found.values():
      for key, shape in shapes.items():
        if parts[key].shape != shape or not np.isfinite(parts[key]).all():
          raise ValueError(f"the array {key!r} does not have finite numbers of shape {shape}")
      _check_values(**parts)
    return {name: _from_arrays(parts) for name, parts in found.items()}


def _check_values(*, weights, temperature, smoothing, **_):
  steps, restart, sharpness = smoothing.T
  valid = (weights >= 0).all() and (temperature > 0).all()
  valid &= ((steps >= 0) & (restart > 0) & (restart < 1) & (sharpness > 0)).all()
  if not valid:
    raise ValueError("weights, temperature or smoothing are not possible")


def _from_arrays(parts):
  rows = parts["smoothing"].tolist()
  return MapMixtures(
    {key: values for key, values in parts.items() if key != "smoothing"},
    [Smoothing(int(steps), restart, sharpness) for steps, restart, sharpness in rows],
  )
