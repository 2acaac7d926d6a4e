"""What a run leaves behind: files written whole, one process and one config per directory."""

import contextlib
import fcntl
import io
import json
import os
import socket
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from mtl_hsi import sums
from mtl_hsi.errors import RequestError

_PARTIAL = ".partial"
_LOCK = ".lock"
_MOST_DIFFERENCES = 5
# What a finished run leaves; metrics.json is what it writes last.
_RESULTS = ("environment.json", "split.npz", "predictions.npz", "report.html", "metrics.json")
# What it may leave beside these. Checkpoints have digests of their own.
_FURTHER = ("config.json", "scenes.json", "confidence.npz", "maps/*/*", "proposals/*")
# Keys that change where things come from and how often they are saved, but no result.
_INCIDENTAL = ("data_dir", "download", "accept_changed_files", "checkpoint_seconds")
_ABSENT = object()


def write_bytes(path: Path, data: bytes) -> None:
  """Writes a file whole or not at all; makes its directory where it is missing.

  Raises:
    RequestError: the file cannot be written (full disk, permission); an older
      file of that name is then as it was.
  """
  path = Path(path)
  try:
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, data)
  except OSError as error:
    raise RequestError(f"cannot write {path}: {_reason(error)}") from error


def write_once(path: Path, data: bytes) -> None:
  """Writes a file as `write_bytes` does, unless an earlier start of the run has written the same.

  Raises:
    RequestError: the file is there with other content, which stays, or it cannot be written.
  """
  path = Path(path)
  try:
    known = path.read_bytes()
  except FileNotFoundError:
    write_bytes(path, data)
    return
  except OSError as error:
    raise RequestError(f"cannot read {path}: {_reason(error)}") from error
  if known != data:
    raise RequestError(
      f"the run in {path.parent} began with another {path.name}: its scenes, their files or its split have "
      "changed since; name another --workdir"
    )


def write_json(path: Path, value: object) -> None:
  """Writes a value as `json_bytes` encodes it, as `write_bytes` does.

  Raises:
    RequestError: the file cannot be written.
  """
  write_bytes(path, json_bytes(value))


def json_bytes(value: object) -> bytes:
  """Encodes JSON with sorted keys and a final newline.

  Raises:
    ValueError: the value holds NaN or an infinity, which JSON does not have.
  """
  return f"{json.dumps(value, sort_keys=True, indent=2, allow_nan=False)}\n".encode()


def write_npz(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
  """Writes arrays as `npz_bytes` encodes them, as `write_bytes` does.

  Raises:
    RequestError: the file cannot be written.
  """
  write_bytes(path, npz_bytes(arrays))


def npz_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
  """Encodes a compressed .npz; equal arrays give equal bytes."""
  buffer = io.BytesIO()
  with zipfile.ZipFile(buffer, "w") as archive:
    for name in sorted(arrays):
      # numpy.savez stamps its entries with the time of day, a ZipInfo made by hand with 1980.
      entry = zipfile.ZipInfo(f"{name}.npy")
      entry.compress_type = zipfile.ZIP_DEFLATED
      entry.external_attr = 0o644 << 16
      content = io.BytesIO()
      np.lib.format.write_array(content, np.asarray(arrays[name], order="C"), allow_pickle=False)
      archive.writestr(entry, content.getvalue())
  return buffer.getvalue()


@contextlib.contextmanager
def open_workdir(path: Path, config: Mapping) -> Iterator[Path]:
  """Holds a work directory for this process and one config; yields its path.

  A missing or empty directory becomes a work directory with its `config.json`;
  one of an equal config is taken up again. The lock falls with the process,
  however that ends.

  Raises:
    RequestError: the directory is in use, holds another config or files that
      are not a run's, or cannot be made or written; nothing in it was touched.
  """
  path = Path(path)
  config = _as_stored(config)
  _check_ours(path)
  _check_config(path, config)
  with _lock(path):
    if not _check_config(path, config):
      write_json(path / "config.json", config)
    _remove_partial_files(path)
    yield path


def is_complete(path: Path, config: Mapping) -> bool:
  """Whether a run of this config has finished there, with its results still in place.

  Raises:
    RequestError: the directory holds another config or files that are not a run's.
  """
  path = Path(path)
  _check_ours(path)
  return _check_config(path, _as_stored(config)) and all((path / name).is_file() for name in _RESULTS)


def unfinish(path: Path) -> None:
  """Takes the mark of a finished run away, before some of its results are made anew.

  Raises:
    RequestError: it cannot be taken away.
  """
  file = Path(path) / "metrics.json"
  try:
    file.unlink(missing_ok=True)
  except OSError as error:
    raise RequestError(f"cannot replace {file}: {_reason(error)}") from error


def finish(path: Path, metrics: object) -> None:
  """Writes the SHA-256 of all results, and `metrics.json`, last, since it says that all else is there.

  Raises:
    RequestError: a file cannot be written.
  """
  path, data = Path(path), json_bytes(metrics)
  found = {file for pattern in (*_RESULTS, *_FURTHER) for file in path.glob(pattern)}
  names = {file.relative_to(path).as_posix() for file in found} - {"metrics.json"}
  write_bytes(path / sums.NAME, sums.text(path, sorted(names), {"metrics.json": data}))
  write_bytes(path / "metrics.json", data)


def _replace(path: Path, data: bytes) -> None:
  partial = path.parent / f".{path.name}.{os.getpid()}{_PARTIAL}"
  try:
    with open(partial, "wb") as file:
      file.write(data)
      file.flush()
      os.fsync(file.fileno())
    os.replace(partial, path)
    _sync_directory(path.parent)
  except BaseException:
    partial.unlink(missing_ok=True)
    raise


def _sync_directory(path: Path) -> None:
  """Makes a rename survive a power cut."""
  handle = os.open(path, os.O_RDONLY)
  try:
    os.fsync(handle)
  finally:
    os.close(handle)


def _reason(error: OSError) -> str:
  return (error.strerror or str(error)).lower()


def _as_stored(config: Mapping) -> dict:
  """The config as it comes back from `config.json`."""
  try:
    return json.loads(json.dumps(config, allow_nan=False))
  except (TypeError, ValueError) as error:
    raise RequestError(f"the config does not fit into config.json: {error}") from error


def _check_ours(path: Path) -> None:
  """Refuses a directory of somebody else's files; a run killed at its very start leaves only a lock."""
  try:
    names = os.listdir(path)
  except FileNotFoundError:
    return
  except OSError as error:
    raise RequestError(
      f"cannot use {path} as a work directory: {_reason(error)}; name another --workdir"
    ) from error
  strange = sorted(name for name in names if name != _LOCK and not name.endswith(_PARTIAL))
  if strange and "config.json" not in strange:
    raise RequestError(
      f"{path} is not a work directory: it has no config.json but holds {strange[0]!r};"
      " name another --workdir, a new or an empty one"
    )


def _check_config(path: Path, config: dict) -> bool:
  """Whether the directory has this config; False where it has none yet, an error for any other."""
  file = path / "config.json"
  try:
    stored = json.loads(file.read_bytes())
  except FileNotFoundError:
    return False
  # Brackets nested too deep are a RecursionError.
  except (OSError, ValueError, RecursionError) as error:
    raise RequestError(f"cannot read {file} ({error}); restore it or name another --workdir") from error
  if not isinstance(stored, dict):
    raise RequestError(
      f"{file} holds no JSON object but {_show(stored)}; restore it or name another --workdir"
    )
  differences = [text for key, text in _differences("", stored, config) if key not in _INCIDENTAL]
  if differences:
    shown = "; ".join(differences[:_MOST_DIFFERENCES])
    more = len(differences) - _MOST_DIFFERENCES
    shown += f"; and {more} more" if more > 0 else ""
    raise RequestError(f"{path} holds a run of another config ({shown}); name another --workdir")
  return True


def _differences(key: str, old: object, new: object) -> Iterator[tuple[str, str]]:
  """Key and text of each value that differs, named as `--config.<key>` would name it."""
  if isinstance(old, dict) and isinstance(new, dict):
    for name in sorted(old.keys() | new.keys()):
      inner = f"{key}.{name}" if key else name
      yield from _differences(inner, old.get(name, _ABSENT), new.get(name, _ABSENT))
  elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
    for i, (old_item, new_item) in enumerate(zip(old, new)):
      yield from _differences(f"{key}[{i}]", old_item, new_item)
  elif old != new:
    yield key, f"{key}: {_show(old)} -> {_show(new)}"


def _show(value: object) -> str:
  if value is _ABSENT:
    return "(absent)"
  text = json.dumps(value)
  return text if len(text) <= 60 else f"{text[:57]}..."


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
  """Holds the directory's lock file, and takes it away at the end.

  The kernel releases the lock when a process dies; a lock file left behind
  then holds nobody up.
  """
  file = path / _LOCK
  try:
    path.mkdir(parents=True, exist_ok=True)
    handle = _acquire(file)
  except BlockingIOError as error:
    raise RequestError(
      f"{path} is in use by {_holder(file)}; wait for it to end, or name another --workdir"
    ) from error
  except OSError as error:
    raise RequestError(
      f"cannot use {path} as a work directory: {_reason(error)}; name another --workdir"
    ) from error
  try:
    yield
  finally:
    with contextlib.suppress(OSError):
      file.unlink()
      # Succeeds where nothing could be written, as on a full disk.
      path.rmdir()
    os.close(handle)


def _acquire(file: Path) -> int:
  """Descriptor of the lock file, locked and with this process's name in it."""
  while True:
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
    try:
      fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
      # The holder before may have removed the file between our opening and locking it.
      if _is_at(handle, file):
        # On a full disk this fails; the first file that is written tells.
        with contextlib.suppress(OSError):
          os.truncate(handle, 0)
          os.write(handle, f"process {os.getpid()} on {socket.gethostname()}".encode())
        return handle
    except BaseException:
      os.close(handle)
      raise
    os.close(handle)


def _is_at(handle: int, file: Path) -> bool:
  try:
    return os.path.samestat(os.fstat(handle), file.stat())
  except FileNotFoundError:
    return False


def _holder(file: Path) -> str:
  with contextlib.suppress(OSError):
    return file.read_text() or "another process"
  return "another process"


def _remove_partial_files(path: Path) -> None:
  """What a run killed while writing left behind."""
  for partial in path.rglob(f".*{_PARTIAL}"):
    partial.unlink(missing_ok=True)
