"""Writes a finished run to one file."""

from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

import jax
import numpy as np

from mtl_hsi import __version__
from mtl_hsi.errors import RequestError
from mtl_hsi.plurals import noun
from mtl_hsi.runs import mixture_record, model_file, unlike_record
from mtl_hsi.runs.records import with_schema
from mtl_hsi.runs.trained_run import TrainedRun, read_run
from mtl_hsi.settings import export_settings, image_settings
from mtl_hsi.settings.export_settings import ExportSettings
from mtl_hsi.sharing import model_card, stablehlo
from mtl_hsi.storage.atomic_files import json_bytes, reason
from mtl_hsi.storage.file_set import FileSet, with_ending
from mtl_hsi.storage.json_files import well_formed

# Keys of the config whose values may be paths.
_PATHS = ("data_dir", "scenes_file", "split", "run")
# Options of an image that name a file, and the unit of its values.
_FILES = ("wavelengths", "wavelength_unit")
_WITHOUT_PIXELS = "no training pixels, so predict cannot find unknown land cover with it"


def run(config: Any) -> dict:
  """Exports the run that a config names.

  Args:
    config: a ConfigDict with the keys of `configs/export.py`.

  Returns:
    For programs: paths of the `files`.

  Raises:
    RequestError: the request is invalid, the run cannot be read, or the file exists or cannot be written.
  """
  settings = export_settings.read(config)
  if settings.kind == export_settings.STABLEHLO:
    return _stablehlo(settings)
  path = _output(settings)
  trained = read_run(settings.run)
  write(path, trained, training_pixels=settings.training_pixels, licence=settings.license, name=path.name)
  size = path.stat().st_size
  count = f"{trained.voters} {noun(trained.voters, 'network')}"
  print(f"Exported {trained.path} to {path}: {count}, {size / 1e6:,.3g} MB")
  if unlike_record.NAME not in model_file.ModelFile(path).names:
    print(f"It has {_WITHOUT_PIXELS}.")
  return {"files": [str(path)]}


def _stablehlo(settings: ExportSettings) -> dict:
  """Writes the networks as a program, and a description of its arguments and results."""
  trained = read_run(settings.run)
  scene = trained.scene(settings.scene)
  stem = Path(settings.output) if settings.output else _beside(settings.run, "")
  files = FileSet(stem, stablehlo.ENDINGS, "--config.output")
  files.check_free()
  contents = stablehlo.files(trained, scene, settings.tile)
  try:
    with files.create() as written:
      for ending, content in contents.items():
        with_ending(written, ending).write_bytes(content)
  except OSError as error:
    raise RequestError(f"cannot write {stem.absolute()}.*: {reason(error)}") from error
  paths = [str(with_ending(stem, ending)) for ending in stablehlo.ENDINGS]
  print(f"Exported {trained.path} as {scene.name!r} to {', '.join(paths)}")
  return {"files": paths}


def write(path: Path, trained: TrainedRun, *, training_pixels: bool, licence: str, name: str) -> None:
  """Writes a finished run to a file.

  Args:
    path: of the file.
    trained: the run.
    training_pixels: whether training pixels are exported too.
    licence: identifier of the licence, for the model card.
    name: of the file for users, in the model card.

  Raises:
    RequestError: the run lacks the training pixels, or the file cannot be written.
  """
  scenes, metrics = (trained.files.record(file) for file in ("scenes.json", "metrics.json"))
  with well_formed(trained.path / "metrics.json"):
    card = model_card.text(trained, scenes["scenes"], metrics, licence=licence, file=name)
  contents = {
    model_file.CARD: card.encode(),
    model_file.MODEL: model_file.model_record(__version__),
    "config.json": json_bytes(with_schema("config.json", without_paths(trained.config.to_dict()))),
    "scenes.json": json_bytes(with_schema("scenes.json", scenes)),
    "metrics.json": json_bytes(with_schema("metrics.json", metrics)),
  }
  if trained.mixtures:
    contents[mixture_record.NAME] = trained.files.read(mixture_record.NAME)
  if training_pixels:
    contents[unlike_record.NAME] = _training_pixels(trained)
  model_file.write(path, contents | _networks(trained))


def without_paths(config: Mapping[str, Any]) -> dict[str, Any]:
  """Returns a resolved config without the paths of files.

  Options of images that apply to new ones remain.
  """
  kept = dict(config)
  for key in _PATHS:
    if isinstance(kept.get(key), str):
      kept[key] = PurePath(kept[key]).name
  keys = [key for key in image_settings.KEYS if key not in _FILES]
  files = {name: kept.get("files", {}).get(name, {}) for name in kept["scenes"]}
  kept["files"] = {
    name: {key: options[key] for key in keys if key in options} for name, options in files.items()
  }
  return kept


def _networks(trained: TrainedRun) -> dict[str, bytes]:
  """Returns the members with the networks that make maps, by name."""
  members = {}
  for epoch in trained.snapshot_epochs:
    tree = jax.tree.map(lambda x: np.asarray(x)[: trained.voters], trained.networks(epoch))
    local = tree.pop("local", None)
    members[model_file.networks_name(epoch, local=False)] = model_file.networks_bytes(tree)
    if local is not None:
      members[model_file.networks_name(epoch, local=True)] = model_file.networks_bytes(local)
  return members


def _training_pixels(trained: TrainedRun) -> bytes:
  try:
    return trained.files.read(unlike_record.NAME)
  except FileNotFoundError as error:
    raise RequestError(
      f"{trained.path} has no {unlike_record.NAME} with training pixels; remove --config.training_pixels"
    ) from error


def _output(settings: ExportSettings) -> Path:
  """Returns the path of the file, which must not exist."""
  if settings.output is None:
    path = _beside(settings.run, model_file.SUFFIX)
  else:
    path = Path(settings.output)
    path = path if path.suffix == model_file.SUFFIX else path.with_name(f"{path.name}{model_file.SUFFIX}")
  if path.exists():
    raise RequestError(
      f"{path.absolute()} already exists and was not overwritten; choose another --config.output or move the "
      "file"
    )
  return path


def _beside(run: Path, ending: str) -> Path:
  """Returns a path beside a run with its name."""
  run = run.absolute()
  return run.with_name(f"{run.name.removesuffix(model_file.SUFFIX)}{ending}")
