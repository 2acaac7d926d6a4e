"""The files that a finished run is read from: those of its work directory."""

from pathlib import Path
from typing import Any, Protocol

import jax

from mtl_hsi.errors import RequestError
from mtl_hsi.runs import workdir
from mtl_hsi.runs.records import read_record
from mtl_hsi.runtime.replicas import Replicas
from mtl_hsi.storage import checksums
from mtl_hsi.storage.json_files import read_json
from mtl_hsi.training.checkpoints import Checkpoints
from mtl_hsi.training.ensemble import Ensemble


class RunFiles(Protocol):
  """What a finished run is read from.

  Attributes:
    path: the work directory, or the file that the run was exported to.
    remedy: what to do if a file is missing.
    may_lack_pixels: whether the training pixels may have been left out.
  """

  path: Path
  remedy: str
  may_lack_pixels: bool

  def record(self, name: str) -> dict[str, Any]:
    """Returns the content of a JSON file, as `records.read_record` does."""

  def check_complete(self, config: dict[str, Any]) -> None:
    """Checks that the run with this config is finished.

    Raises:
      RequestError: it is not.
    """

  def read(self, name: str) -> bytes:
    """Returns the content of another file.

    Raises:
      FileNotFoundError: there is no such file.
      OSError: it cannot be read.
      RequestError: it is damaged, or does not fit into memory.
    """

  def networks(self, epoch: int, one: Any, ensemble: Ensemble, *, local: bool) -> Any:
    """Returns the networks after an epoch: first those that make maps, then possibly others.

    Args:
      epoch: whose networks vote.
      one: shapes and dtypes of the arrays of one network, as a tree.
      ensemble: the networks of the run.
      local: whether these are the networks with smaller patches.

    Returns:
      The tree with a leading axis of networks.

    Raises:
      RequestError: they are missing, damaged or belong to another network.
    """


class WorkDirectoryFiles:
  """The files in a work directory; see `RunFiles`."""

  remedy = "delete metrics.json there and repeat the run's command, which restores it from the checkpoints"

  may_lack_pixels = False

  def __init__(self, path: Path):
    self.path = path

  def record(self, name: str) -> dict[str, Any]:
    return read_record(self.path, name)

  def check_complete(self, config: dict[str, Any]) -> None:
    if not workdir.is_complete(self.path, config):
      raise RequestError(f"the run in {self.path} is not finished; continue it with {_command(self.path)}")

  def read(self, name: str) -> bytes:
    return checksums.read_verified(self.path, name)

  def networks(self, epoch: int, one: Any, ensemble: Ensemble, *, local: bool) -> Any:
    directory = self.path / "checkpoints"
    shapes = Replicas(ensemble.count, jax.devices()).shapes(one)
    return Checkpoints(directory / "local" if local else directory).restore_snapshot(epoch, shapes)


def _command(directory: Path) -> str:
  """The command that started the run, or a description if it is not known."""
  try:
    return workdir.command_line(read_json(directory / "environment.json"))
  except (OSError, RequestError, LookupError, TypeError):
    return "the command that started it"
