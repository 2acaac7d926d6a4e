"""Checkpoints of a run: the state it resumes from and the snapshots that vote."""

import contextlib
import errno
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import jax
from absl import logging

from mtl_hsi.errors import RequestError
from mtl_hsi.storage.atomic_files import reason, sync, write_json
from mtl_hsi.storage.checksums import sha256
from mtl_hsi.storage.json_files import read_json

_STATES_KEPT = 2
_DIGESTS = "digests.json"
_METADATA_BYTES = 2**20

Tree = Any


class Checkpoints:
  """The checkpoints in one directory, each a tree of arrays named by its epoch.

  `state/<epoch>` has the states from which a killed run resumes (the latest two are kept),
  `snapshots/<epoch>` the networks that vote (all are kept). A checkpoint is written under `partial/` and then
  renamed, so every checkpoint with its final name is complete. Digests of its files show later damage.

  Args:
    directory: created by the first save.
    voting: epochs of the snapshots that the run needs; a state is usable only with the snapshots before it.

  Attributes:
    directory: the absolute path.
  """

  def __init__(self, directory: Path, voting: Sequence[int] = ()):
    self.directory = Path(directory).absolute()
    self._voting = sorted(voting)

  def save_state(self, epoch: int, tree: Tree) -> None:
    """Saves the resumable state after `epoch` epochs and drops those no longer needed.

    Args:
      epoch: epochs trained; a state of that epoch is replaced.
      tree: nested non-empty containers of numpy or jax arrays.

    Raises:
      RequestError: the checkpoint cannot be written; the earlier ones are kept.
    """
    self._save("state", epoch, tree)
    earlier = [known for known in self._epochs("state") if known < epoch]
    # Later ones only exist if they were damaged and training went back.
    obsolete = set(self._epochs("state")) - {epoch, *earlier[1 - _STATES_KEPT :]}
    with self._partial(self._path("state", epoch)) as partial:
      for known in obsolete:
        os.rename(self._path("state", known), partial / str(known))

  def restore_latest_state(self, abstract: Callable[[int], Tree]) -> tuple[int, Tree] | None:
    """Returns epoch and tree of the latest usable state, None if there is none; warns of lost checkpoints.

    Args:
      abstract: returns the tree of an epoch's state: a `jax.ShapeDtypeStruct` with sharding for every leaf.

    Raises:
      RequestError: every state is damaged, or the tree has another shape.
    """
    # It is left over if a run is killed during a save.
    shutil.rmtree(self.directory / "partial", ignore_errors=True)
    epoch = self.latest_intact_state()
    self._warn(epoch or 0)
    if epoch is None:
      return None
    return epoch, _load(self._path("state", epoch), abstract(epoch))

  def latest_intact_state(self) -> int | None:
    """Returns the epoch of the latest intact state whose earlier snapshots are intact; None without states.

    Raises:
      RequestError: every state is damaged, or a snapshot before all intact states is damaged or missing.
    """
    epochs = self._epochs("state")
    intact = [epoch for epoch in epochs if _is_intact(self._path("state", epoch))]
    if epochs and not intact:
      raise RequestError(
        f"every checkpoint in {self.directory / 'state'} is damaged; delete {self.directory} to train from "
        "scratch"
      )
    wanted = [epoch for epoch in self._voting if intact and epoch <= intact[-1]]
    lost = [epoch for epoch in wanted if not _is_intact(self._path("snapshots", epoch))]
    usable = [epoch for epoch in intact if not lost or epoch < lost[0]]
    if intact and not usable:
      raise self._lost(lost[0])
    return usable[-1] if usable else None

  def save_snapshot(self, epoch: int, tree: Tree) -> None:
    """Saves one voting snapshot; arguments and errors as in `save_state`."""
    self._save("snapshots", epoch, tree)

  def restore_snapshot(self, epoch: int, abstract: Tree) -> Tree:
    """Returns the snapshot taken after `epoch` epochs.

    Args:
      epoch: one of `snapshot_epochs()`.
      abstract: a `jax.ShapeDtypeStruct` with sharding for every leaf.

    Raises:
      RequestError: the snapshot is missing or damaged, or the tree has another shape.
    """
    path = self._path("snapshots", epoch)
    if not _is_intact(path):
      raise self._lost(epoch)
    return _load(path, abstract)

  def snapshot_epochs(self) -> list[int]:
    """Returns the epochs of all snapshots in ascending order."""
    return self._epochs("snapshots")

  def _warn(self, epoch: int) -> None:
    """Warns of damaged or missing checkpoints when training resumes from an epoch."""
    states = self._epochs("state")
    for other in states:
      path, intact = self._path("state", other), _is_intact(self._path("state", other))
      if other > epoch:
        problem = "needs a snapshot that is damaged" if intact else "is damaged"
        logging.warning("checkpoint %s %s; it is ignored", path, problem)
      elif not intact:
        logging.warning("checkpoint %s is damaged; the later one of epoch %d is used", path, epoch)
    ahead = [known for known in self.snapshot_epochs() if known > epoch]
    # For later states, the reason has been given above.
    if ahead and max(states, default=0) <= epoch:
      logging.warning(
        "%s has no state after epoch %d, although there is a snapshot of epoch %d; the epochs after the "
        "state are trained again",
        self.directory / "state",
        epoch,
        ahead[-1],
      )

  def _lost(self, epoch: int) -> RequestError:
    path = self._path("snapshots", epoch)
    problem = "damaged" if path.exists() else "missing"
    return RequestError(f"snapshot {path} is {problem}; delete {self.directory} to train from scratch")

  def _path(self, kind: str, epoch: int) -> Path:
    return self.directory / kind / str(epoch)

  def _epochs(self, kind: str) -> list[int]:
    return sorted(int(path.name) for path in (self.directory / kind).glob("*") if path.name.isdecimal())

  def _save(self, kind: str, epoch: int, tree: Tree) -> None:
    target = self._path(kind, epoch)
    with self._partial(target) as partial:
      _write(partial / "new", tree)
      target.parent.mkdir(exist_ok=True)
      if target.exists():
        os.rename(target, partial / "old")
      os.rename(partial / "new", target)
      sync(target.parent)

  @contextlib.contextmanager
  def _partial(self, target: Path) -> Iterator[Path]:
    """Provides an empty directory for unfinished and obsolete checkpoints, and removes it afterwards."""
    partial = self.directory / "partial"
    try:
      shutil.rmtree(partial, ignore_errors=True)
      partial.mkdir(parents=True, exist_ok=True)
      yield partial
    except (OSError, ValueError) as error:
      reason = _system_error(error)
      remedy = "run" if reason is None else "make room and run"
      raise RequestError(
        f"cannot write checkpoint {target}: {reason or _first_line(error)}; {remedy} the same command again"
      ) from error
    finally:
      shutil.rmtree(partial, ignore_errors=True)


def _write(path: Path, tree: Tree) -> None:
  # If a save fails midway, Orbax's threads log errors for seconds; the most frequent causes are found here.
  room = shutil.disk_usage(path.parent).free
  if room < sum(leaf.nbytes for leaf in jax.tree.leaves(tree)) + _METADATA_BYTES:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
  with _orbax() as ocp:
    ocp.save(path, tree, custom_metadata={"leaves": _describe(tree)})
  # Orbax does not flush its files: after a power cut, later files could exist without them.
  for written in (path, *path.rglob("*")):
    sync(written)
  write_json(path / _DIGESTS, _digests(path))


def _load(path: Path, abstract: Tree) -> Tree:
  stored, expected = _stored(path), _describe(abstract)
  for name in sorted(stored.keys() | expected.keys()):
    there, here = stored.get(name, "absent"), expected.get(name, "absent")
    if there != here:
      raise RequestError(
        f"checkpoint {path} does not fit this network: {name} is {there} in the file but {here} in "
        "the network; choose another --workdir, or delete the checkpoints to train from scratch"
      )
  with _orbax() as ocp:
    return ocp.load(path, abstract)


def _stored(path: Path) -> dict[str, str]:
  """Returns the description that `_write` stored."""
  try:
    with _orbax() as ocp:
      return dict(ocp.metadata(path).custom_metadata["leaves"].items())
  # The intact checkpoint of another program has no such description.
  except (AttributeError, LookupError, OSError, TypeError, ValueError) as error:
    raise RequestError(
      f"checkpoint {path} was not written by a run ({type(error).__name__}: {_first_line(error)}); choose "
      "another --workdir, or delete the checkpoints to train from scratch"
    ) from error


def _describe(tree: Tree) -> dict[str, str]:
  """Returns dtype and shape of every leaf by its path in the tree."""
  leaves = jax.tree_util.tree_leaves_with_path(tree)
  return {
    jax.tree_util.keystr(path, simple=True, separator="/"): f"{leaf.dtype}{list(leaf.shape)}"
    for path, leaf in leaves
  }


def _digests(path: Path) -> dict[str, str]:
  """Returns the SHA-256 of every file of a checkpoint by its relative path."""
  files = [file for file in path.rglob("*") if file.is_file() and file.name != _DIGESTS]
  return {file.relative_to(path).as_posix(): sha256(file) for file in files}


def _is_intact(path: Path) -> bool:
  """Whether the files of a checkpoint are unchanged.

  Orbax has no such check, and a failed restore fills the screen with the tracebacks of its threads.
  """
  try:
    written = read_json(path / _DIGESTS)
    return bool(written) and written.items() <= _digests(path).items()
  except (OSError, RequestError):
    return False


def _first_line(error: Exception) -> str:
  return next(iter(str(error).splitlines()), "") or type(error).__name__


def _system_error(error: Exception) -> str | None:
  """Returns the operating system's reason; None if the error has another cause.

  TensorStore raises a ValueError with the error number in its text.
  """
  if isinstance(error, OSError):
    return reason(error)
  number = re.search(r"os_error_code='(\d+)'", str(error))
  return os.strerror(int(number[1])).lower() if number else None


@contextlib.contextmanager
def _orbax() -> Iterator[ModuleType]:
  """Uses Orbax in this process only, without its logs: it logs every error that it raises as a traceback."""
  from orbax.checkpoint import v1 as ocp
  from orbax.checkpoint.experimental.v1._src.synchronization import multihost

  logger = logging.get_absl_logger()
  level = logger.level
  logger.setLevel("CRITICAL")
  context = ocp.Context()
  # Only the first of several processes saves and restores; Orbax would wait for the others.
  context.multiprocessing.active_processes = {0}
  # Before a save, Orbax (0.12.8, `_check_directory_consistency`) still broadcasts the directory to all JAX
  # processes: it ignores `active_processes`, and no option turns the check off. So for the duration of the
  # call it is made to see one process.
  try:
    with context, mock.patch.object(multihost, "process_count", return_value=1):
      yield ocp
  finally:
    logger.setLevel(level)
