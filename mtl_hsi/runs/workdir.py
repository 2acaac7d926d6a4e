"""The work directory of a run: one process and one config per directory, and its completion."""

import contextlib
import json
import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from mtl_hsi.errors import RequestError
from mtl_hsi.runs.records import SCHEMAS, with_schema
from mtl_hsi.runtime.spelling import PROGRAM
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
# Files of a finished run. metrics.json is written last.
_RESULTS = ("environment.json", "split.npz", "predictions.npz", "report.html", "metrics.json")
# Further files that it may have. Checkpoints have separate digests; proposals are for the user to fill in.
_FURTHER = (
  "config.json",
  "scenes.json",
  "confidence.npz",
  "mixtures.npz",
  "left_out.npz",
  "unknown.npz",
  "maps/*/*",
)
# What is recorded of every start of a run, since the last bits of its results depend on it.
_RECORDED = ("started", "cpu", "backend", "devices", "processes", "one_core_products", "packages")
# Keys that change where files come from, how often a run is saved, or what else is written, but no result.
_INCIDENTAL = (
  "data_dir",
  "download",
  "accept_changed_files",
  "checkpoint_seconds",
  "proposals",
  "probabilities",
  "tensorboard",
  "unknown",
  "unknown_rate",
)
_ABSENT = object()


def command_line(environment: Mapping) -> str:
  """Returns the command that starts a run again, from its `environment.json`.

  Raises:
    KeyError, TypeError: the command is missing.
  """
  command = environment["command"]
  return shlex.join(command if command[:1] == [PROGRAM] else ["python", *command])


def _earlier_starts(directory: Path) -> list:
  """Returns the recorded starts of an interrupted run; none if there is no valid record."""
  try:
    starts = read_json(directory / "environment.json").get("starts", [])
  # A damaged record of the past is no reason to fail.
  except (OSError, RequestError, AttributeError):
    return []
  return starts if isinstance(starts, list) else []


@contextlib.contextmanager
def open_workdir(path: Path, config: Mapping) -> Iterator[Path]:
  """Locks a work directory for this process and one config, and yields its path.

  A missing or empty directory becomes a work directory with a `config.json`; a
  directory with an equal config is used again. The lock ends with the process.

  Raises:
    RequestError: the directory is in use, contains another config or other files,
      or cannot be created or written; nothing in it was changed.
  """
  path = Path(path)
  config = _as_stored(config)
  _check_ours(path)
  _check_config(path, config)
  with directory_lock.held(path, str(path), "--workdir"):
    if not _check_config(path, config):
      write_json(path / "config.json", with_schema("config.json", config))
    remove_partial_files(path)
    yield path


def is_complete(path: Path, config: Mapping) -> bool:
  """Returns whether a run of this config is complete, with all its results.

  Raises:
    RequestError: the directory contains another config or other files.
  """
  path = Path(path)
  _check_ours(path)
  return _check_config(path, _as_stored(config)) and all((path / name).is_file() for name in _RESULTS)


def start(path: Path, environment: Mapping) -> None:
  """Records a start of a run in `environment.json`, before results are written.

  `metrics.json`, which marks a run as complete, is removed first.

  Args:
    path: the work directory.
    environment: from `environment.describe_environment`.

  Raises:
    RequestError: a file cannot be read, removed or written.
  """
  path = Path(path)
  this = {key: environment[key] for key in _RECORDED if key in environment}
  starts = [*_earlier_starts(path), this]
  file = path / "metrics.json"
  try:
    file.unlink(missing_ok=True)
  except OSError as error:
    raise RequestError(f"cannot replace {file}: {reason(error)}") from error
  write_json(path / "environment.json", {**environment, "starts": starts})


def finish(path: Path, metrics: Mapping) -> None:
  """Writes the SHA-256 of all results, and last `metrics.json`, which marks the run as complete.

  Raises:
    RequestError: a result cannot be read, or a file cannot be written.
  """
  path, data = Path(path), json_bytes(with_schema("metrics.json", metrics))
  found = {file for pattern in (*_RESULTS, *_FURTHER) for file in path.glob(pattern) if file.is_file()}
  names = {file.relative_to(path).as_posix() for file in found} - {"metrics.json"}
  write_bytes(path / checksums.NAME, checksums.listing(path, sorted(names), {"metrics.json": data}))
  write_bytes(path / "metrics.json", data)


def _as_stored(config: Mapping) -> dict:
  """Returns the config as `config.json` stores it."""
  try:
    return json.loads(json.dumps(config, allow_nan=False))
  except (TypeError, ValueError) as error:
    raise RequestError(f"the config does not fit into config.json: {error}") from error


def _check_ours(path: Path) -> None:
  """Refuses a directory with other files; a run that was killed early leaves only a lock."""
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
  """Returns whether the directory has this config; False if it has none. Refuses another config."""
  file = path / "config.json"
  try:
    stored = read_json(file, schema=SCHEMAS["config.json"])
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
  """Yields key and text of each value that differs, named as in `--config.<key>`."""
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
