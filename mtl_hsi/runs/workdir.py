"""What a run leaves behind: one process and one config per directory, and what says that it is complete."""

import contextlib
import json
import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from mtl_hsi.errors import RequestError
from mtl_hsi.runs.records import SCHEMA, with_schema
from mtl_hsi.storage import checksums, directory_lock
from mtl_hsi.storage.atomic_files import (
  is_partial,
  json_bytes,
  reason,
  remove_partial_files,
  write_bytes,
  write_json,
)
from mtl_hsi.storage.json_files import read_json

_MOST_DIFFERENCES = 5
# What a finished run leaves; metrics.json is what it writes last.
_RESULTS = ("environment.json", "split.npz", "predictions.npz", "report.html", "metrics.json")
# What it may leave beside these. Checkpoints have digests of their own; proposals are there to be filled in.
_FURTHER = ("config.json", "scenes.json", "confidence.npz", "maps/*/*")
# Keys that change where things come from and how often they are saved, but no result.
_INCIDENTAL = ("data_dir", "download", "accept_changed_files", "checkpoint_seconds", "proposals")
_ABSENT = object()


def command_line(environment: Mapping) -> str:
  """What to type in order to start a run again, by what `environment.json` holds.

  Raises:
    KeyError, TypeError: it does not say.
  """
  return shlex.join(["python", *environment["command"]])


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
  with directory_lock.held(path, str(path), "--workdir"):
    if not _check_config(path, config):
      write_json(path / "config.json", with_schema(config))
    remove_partial_files(path)
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
    raise RequestError(f"cannot replace {file}: {reason(error)}") from error


def finish(path: Path, metrics: Mapping) -> None:
  """Writes the SHA-256 of all results, and `metrics.json`, last, since it says that all else is there.

  Raises:
    RequestError: a result cannot be read, or a file cannot be written.
  """
  path, data = Path(path), json_bytes(with_schema(metrics))
  found = {file for pattern in (*_RESULTS, *_FURTHER) for file in path.glob(pattern) if file.is_file()}
  names = {file.relative_to(path).as_posix() for file in found} - {"metrics.json"}
  write_bytes(path / checksums.NAME, checksums.listing(path, sorted(names), {"metrics.json": data}))
  write_bytes(path / "metrics.json", data)


def _as_stored(config: Mapping) -> dict:
  """The config as it comes back from `config.json`."""
  try:
    return json.loads(json.dumps(config, allow_nan=False))
  except (TypeError, ValueError) as error:
    raise RequestError(f"the config does not fit into config.json: {error}") from error


def _check_ours(path: Path) -> None:
  """Rejects a directory with other files; a run that is killed early leaves only a lock."""
  try:
    names = os.listdir(path)
  except FileNotFoundError:
    return
  except OSError as error:
    raise RequestError(
      f"cannot use {path} as a work directory: {reason(error)}; choose another --workdir"
    ) from error
  strange = sorted(name for name in names if name != directory_lock.LOCK and not is_partial(name))
  if strange and "config.json" not in strange:
    raise RequestError(
      f"{path} is not a work directory: it has no config.json but holds {strange[0]!r};"
      " choose a new or empty directory with --workdir"
    )


def _check_config(path: Path, config: dict) -> bool:
  """Whether the directory has this config; False if it has none, and an error if it has another."""
  file = path / "config.json"
  try:
    stored = read_json(file, schema=SCHEMA)
  except FileNotFoundError:
    return False
  del stored["schema"]
  differences = [text for key, text in _differences("", stored, config) if key not in _INCIDENTAL]
  if differences:
    shown = "; ".join(differences[:_MOST_DIFFERENCES])
    more = len(differences) - _MOST_DIFFERENCES
    shown += f"; and {more} more" if more > 0 else ""
    raise RequestError(f"{path} holds a run of another config ({shown}); choose another --workdir")
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
