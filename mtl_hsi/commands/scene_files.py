"""The files of the subcommands that read labelled scenes: a scenes file, or one image and its labels."""

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import click

from mtl_hsi.errors import RequestError

SCENES_SUFFIXES = (".yaml", ".yml", ".toml")
# Options of a scene, by the option of the command.
_OF_SCENE = {
  "column": ("label_column", "COLUMN", "Column of the labels with the class."),
  "classes": ("classes", "FILE", "CSV file of id, name and optionally colour of the classes."),
  "wavelengths": ("wavelengths", "FILE", "CSV file of band centres, if the image has none."),
  "bad_bands": ("bad_bands", "BANDS", "Bands to leave out, from 0, such as 0,103:108."),
  "nodata": ("nodata", "VALUE", "Value of pixels without a measurement, such as -9999."),
  "test": ("test", "FILE", "Labels for testing only."),
}
# How messages name the keys of a scene that is an image and its labels.
SPELLED = {
  **{f"files.*.{key}": f"--{name.replace('_', '-')}" for name, (key, *_) in _OF_SCENE.items()},
  "files.*.cube": "IMAGE",
  "files.*.labels": "LABELS",
}


@dataclasses.dataclass(frozen=True)
class Scenes:
  """Where the scenes of a request come from.

  Attributes:
    title: name for a work directory, or "".
    names: names of the scenes for the argument of the config file; empty for all of a scenes file.
    changes: keys of the config and their values.
  """

  title: str
  names: str
  changes: tuple[tuple[str, str], ...]


def scene_options() -> Callable[[Callable], Callable]:
  """Declares the options of a scene that is an image and its labels; they arrive as keyword arguments."""

  def decorate(function):
    for name, (_, metavar, text) in reversed(_OF_SCENE.items()):
      function = click.option(f"--{name.replace('_', '-')}", name, metavar=metavar, help=text)(function)
    text = "Name of the scene (default: that of the image)."
    return click.option("--name", metavar="NAME", help=text)(function)

  return decorate


def find(files: Sequence[str], scenes: str | None, given: Mapping[str, str | None], keys: str) -> Scenes:
  """Returns the scenes of a request.

  Args:
    files: a scenes file; or an image, and the file of its labels unless the image has them; or nothing.
    scenes: names of scenes, separated by commas, or None for all of the file.
    given: options of a scene, and its `name`; None where there is none.
    keys: the keys that the command line changes, in one text, separated by blanks.

  Raises:
    RequestError: files and options do not fit together.
  """
  options = {name: value for name, value in given.items() if value is not None}
  if files and not is_scenes_file(files[0]):
    return _of_image(files, scenes, options)
  if len(files) > 1:
    raise RequestError(f"{files[0]} is a scenes file, which names all files; remove {files[1]}")
  if options:
    name = next(iter(options))
    key = _OF_SCENE[name][0] if name in _OF_SCENE else name
    raise RequestError(
      f"--{name.replace('_', '-')} needs an image and its labels; in a scenes file, use the option {key}"
    )
  if not files:
    return Scenes("", scenes or "", ())
  if scenes is None and re.search(r"(^| )files\.", keys):
    scenes = ",".join(_names_in(Path(files[0])))
  return Scenes(Path(files[0]).stem, scenes or "", (("scenes_file", files[0]),))


def is_scenes_file(file: str) -> bool:
  """Returns whether the name of a file is that of a scenes file."""
  return Path(file).suffix.lower() in SCENES_SUFFIXES


def scene_name(path: str) -> str:
  """Returns a valid name of a scene for the path of its image."""
  from mtl_hsi.settings.scenes_file import is_name

  name = re.sub(r"[^a-z0-9]+", "_", Path(path).name.partition(".")[0].lower()).strip("_")[:50]
  return name if is_name(name) else f"scene_{name}".rstrip("_")


def check_name(name: str) -> None:
  """Raises an error for an invalid scene name."""
  from mtl_hsi.settings.scenes_file import is_name

  if not is_name(name):
    raise RequestError(
      f"{name[:80]!r} is not a valid scene name; use at most 64 lower-case letters, digits and _"
    )


def _of_image(files: Sequence[str], scenes: str | None, options: Mapping[str, str]) -> Scenes:
  if scenes is not None:
    raise RequestError("--scenes selects scenes of a scenes file; remove it, or use --name to name the image")
  if len(files) > 2:
    raise RequestError(
      f"unexpected file {files[2]}; expected an image and its labels; list several images in a scenes file, "
      "see mtl-hsi new --help"
    )
  name = options.get("name") or scene_name(files[0])
  check_name(name)
  found = dict(zip(("cube", "labels"), files))
  found |= {_OF_SCENE[option][0]: value for option, value in options.items() if option != "name"}
  return Scenes(name, name, tuple((f"files.{name}.{key}", value) for key, value in found.items()))


def _names_in(path: Path) -> list[str]:
  from mtl_hsi.settings import scenes_file

  return list(scenes_file.read(path))
