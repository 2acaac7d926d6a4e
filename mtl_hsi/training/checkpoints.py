"""Checkpoints of a run: the state it resumes from and the snapshots that vote."""

import contextlib
import errno
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import jax
from absl import logging
from orbax.checkpoint import v1 as ocp
from orbax.checkpoint.experimental.v1._src.synchronization import multihost

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

  `state/<epoch>` holds what a killed run resumes from (the latest two are
  kept), `snapshots/<epoch>` the networks that vote (all are kept). A
  checkpoint is written whole under `partial/` and then renamed, so one that
  is found under its name is complete; digests of its files tell whether it
  has been damaged since.

  Args:
    directory: it is made by the first save.
    voting: epochs of the snapshots that will be wanted; a state is of use only with those from before it.

  Attributes:
    directory: its absolute path.
  """

  def __init__(self, directory: Path, voting: Sequence[int] = ()):
    self.directory = Path(directory).absolute()
    self._voting = sorted(voting)

  def save_state(self, epoch: int, tree: Tree) -> None:
    """Saves the resumable state after `epoch` epochs and drops those no longer needed.

    Args:
      epoch: epochs trained; a state of that epoch is replaced.
      tree: nested containers of numpy or jax arrays, none of them empty.

    Raises:
      RequestError: the checkpoint cannot be written; those before it remain.
    """
    self._save("state", epoch, tree)
    earlier = [known for known in self._epochs("state") if known < epoch]
    # Later ones exist only where they were found damaged and training went back.
    obsolete = set(self._epochs("state")) - {epoch, *earlier[1 - _STATES_KEPT :]}
    with self._partial(self._path("state", epoch)) as partial:
      for known in obsolete:
        os.rename(self._path("state", known), partial / str(known))

  def restore_latest_state(self, abstract: Callable[[int], Tree]) -> tuple[int, Tree] | None:
    """Epoch and tree of the latest undamaged state; None where there is none. Warns of what is lost.

    Args:
      abstract: from an epoch to the tree of its state: a `jax.ShapeDtypeStruct` with
        sharding for every leaf.

    Raises:
      RequestError: every state is damaged, or the tree is not of that shape.
    """
    # A run killed right after its last save has left this.
    shutil.rmtree(self.directory / "partial", ignore_errors=True)
    epoch = self.latest_intact_state()
    self._warn(epoch or 0)
    if epoch is None:
      return None
    return epoch, _load(self._path("state", epoch), abstract(epoch))

  def latest_intact_state(self) -> int | None:
    """Epoch of the latest undamaged state whose snapshots are undamaged; None where there is none.

    Raises:
      RequestError: every state is damaged, or a snapshot from before all that are not.
    """
    epochs = self._epochs("state")
    intact = [epoch for epoch in epochs if _is_intact(self._path("state", epoch))]
    if epochs and not intact:
      raise RequestError(
        f"every checkpoint in {self.directory / 'state'} is damaged; delete {self.directory} to train anew"
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
    """The snapshot taken after `epoch` epochs.

    Args:
      epoch: one of `snapshot_epochs()`.
      abstract: a `jax.ShapeDtypeStruct` with sharding for every leaf.

    Raises:
      RequestError: it is missing or damaged, or the tree is not of that shape.
    """
    path = self._path("snapshots", epoch)
    if not _is_intact(path):
      raise self._lost(epoch)
    return _load(path, abstract)

  def snapshot_epochs(self) -> list[int]:
    """Epochs of the snapshots there are, ascending."""
    return self._epochs("snapshots")

  def _warn(self, epoch: int) -> None:
    """Tells what is damaged or missing beside the state of an epoch, which training goes on from."""
    states = self._epochs("state")
    for other in states:
      path, intact = self._path("state", other), _is_intact(self._path("state", other))
      if other > epoch:
        problem = "has a damaged snapshot before it" if intact else "is damaged"
        logging.warning("checkpoint %s %s; it is left out", path, problem)
      elif not intact:
        logging.warning("checkpoint %s is damaged; that of epoch %d is whole and later", path, epoch)
    ahead = [known for known in self.snapshot_epochs() if known > epoch]
    # Where there are later states, it was said why they are left out.
    if ahead and max(states, default=0) <= epoch:
      logging.warning(
        "%s has nothing from after epoch %d, though there is a snapshot of epoch %d; what came later was not "
        "saved or is gone, and is trained anew",
        self.directory / "state",
        epoch,
        ahead[-1],
      )

  def _lost(self, epoch: int) -> RequestError:
    path = self._path("snapshots", epoch)
    problem = "damaged" if path.exists() else "missing"
    return RequestError(f"snapshot {path} is {problem}; delete {self.directory} to train anew")

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
    """An empty directory for what is not yet, or no longer, a checkpoint; it goes with the block."""
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
  # A save that fails half-way leaves Orbax's threads complaining for seconds; most such are seen here.
  room = shutil.disk_usage(path.parent).free
  if room < sum(leaf.nbytes for leaf in jax.tree.leaves(tree)) + _METADATA_BYTES:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
  with _orbax():
    ocp.save(path, tree, custom_metadata={"leaves": _describe(tree)})
  # Orbax leaves that to the system: what comes later would survive a power cut that this does not.
  for written in (path, *path.rglob("*")):
    sync(written)
  write_json(path / _DIGESTS, _digests(path))


def _load(path: Path, abstract: Tree) -> Tree:
  stored, expected = _stored(path), _describe(abstract)
  for name in sorted(stored.keys() | expected.keys()):
    there, here = stored.get(name, "absent"), expected.get(name, "absent")
    if there != here:
      raise RequestError(
        f"checkpoint {path} does not fit this network: {name} is {there} there and {here} here;"
        " name another --workdir, or delete the checkpoints to train anew"
      )
  with _orbax():
    return ocp.load(path, abstract)


def _stored(path: Path) -> dict[str, str]:
  """What `_describe` said of the tree that was written."""
  try:
    with _orbax():
      return dict(ocp.metadata(path).custom_metadata["leaves"].items())
  # Another program's checkpoint may be whole, too.
  except (AttributeError, LookupError, OSError, TypeError, ValueError) as error:
    raise RequestError(
      f"checkpoint {path} is not one that a run writes ({type(error).__name__}: {_first_line(error)}); name "
      "another --workdir, or delete the checkpoints to train anew"
    ) from error


def _describe(tree: Tree) -> dict[str, str]:
  """Dtype and shape of every leaf, by its path in the tree."""
  leaves = jax.tree_util.tree_leaves_with_path(tree)
  return {
    jax.tree_util.keystr(path, simple=True, separator="/"): f"{leaf.dtype}{list(leaf.shape)}"
    for path, leaf in leaves
  }


def _digests(path: Path) -> dict[str, str]:
  """SHA-256 of every file of a checkpoint, by its path inside."""
  files = [file for file in path.rglob("*") if file.is_file() and file.name != _DIGESTS]
  return {file.relative_to(path).as_posix(): sha256(file) for file in files}


def _is_intact(path: Path) -> bool:
  """Whether a checkpoint's files are those written.

  Orbax has no such check, and a failed restore covers the screen with the
  tracebacks of its threads.
  """
  try:
    written = read_json(path / _DIGESTS)
    return bool(written) and written.items() <= _digests(path).items()
  except (OSError, RequestError):
    return False


def _first_line(error: Exception) -> str:
  return next(iter(str(error).splitlines()), "") or type(error).__name__


def _system_error(error: Exception) -> str | None:
  """What the operating system said; None where the error did not come from there.

  TensorStore raises ValueError with the number in its text.
  """
  if isinstance(error, OSError):
    return reason(error)
  number = re.search(r"os_error_code='(\d+)'", str(error))
  return os.strerror(int(number[1])).lower() if number else None


@contextlib.contextmanager
def _orbax() -> Iterator[None]:
  """Orbax for this process alone, and mute: it logs every error that it raises as a page of tracebacks."""
  logger = logging.get_absl_logger()
  level = logger.level
  logger.setLevel("CRITICAL")
  context = ocp.Context()
  # Only the first of several processes comes here; Orbax would wait for the others.
  context.multiprocessing.active_processes = {0}
  # Its check that all of them name the same directory does not heed that (0.12).
  try:
    with context, mock.patch.object(multihost, "process_count", return_value=1):
      yield
  finally:
    logger.setLevel(level)
