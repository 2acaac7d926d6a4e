"""The subcommand new: writes a scenes file for an image and its labels."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from mtl_hsi.commands.scene_files import SCENES_SUFFIXES, check_name, scene_name
from mtl_hsi.errors import RequestError

_FOUR = "Image, labels, column of the classes and name are asked for."


@click.command()
@click.argument("files", nargs=-1, metavar="[IMAGE LABELS ...]")
@click.option(
  "-o",
  "--output",
  metavar="FILE",
  default="scenes.yaml",
  show_default=True,
  help="The scenes file to write; an existing file is never overwritten.",
)
@click.option("--name", help="Name of the scene (default: that of the image).")
@click.option("--column", help="Column of the labels with the class.")
@click.option("--test", metavar="FILE", help="Labels for testing only.")
@click.option("--layer", help="Layer of the labels, or name of their array, if there are several.")
def new(files, output, name, column, test, layer) -> None:
  """Write a scenes file for an image and its labels, with comments on what is in them.

  Give the files in any order: the image, the labels, and if you have them a CSV file of the classes (id,
  name, colour) and one of the wavelengths. Without files, four questions are asked. Output: a YAML
  file to review, edit, and use with `mtl-hsi check` and `mtl-hsi train`.

  \b
  Examples:
    mtl-hsi new
    mtl-hsi new fields.tif fields.gpkg bands.csv --column crop -o scenes.yaml
  """
  from mtl_hsi.runtime import streams

  streams.prepare()
  path = Path(output)
  _check_output(path)
  # Imported here as they take a second.
  from mtl_hsi.commands import found, scenes_text
  from mtl_hsi.scenes.images.rasters import bounded_cache

  with bounded_cache():
    paths = [Path(file) for file in files] or _ask_for_files(found.role)
    sorted_files = found.sort_files(paths, test and Path(test))
    image = found.open_image(sorted_files)
    columns = found.class_columns(sorted_files, layer)
    if columns is not None and column is None:
      column = _column(sorted_files.labels, columns, ask=not files)
    labels = found.find_labels(sorted_files, image, column, layer)
    name = name or _name(scene_name(str(sorted_files.cube)), ask=not files)
    check_name(name)
    options = {
      "cube": sorted_files.cube,
      "labels": sorted_files.labels,
      "labels_key": layer,
      "label_column": column,
      "classes": sorted_files.classes,
      "wavelengths": sorted_files.wavelengths,
      "test": sorted_files.test,
    }
    text = scenes_text.write_scene(name, options, path, image, labels, columns)
  _write(path, text)
  click.echo(f"{path} describes the scene {name!r}. Look at it, then: mtl-hsi check {path}")


def _check_output(path: Path) -> None:
  """Refuses a path before any question is asked."""
  if path.suffix.lower() not in SCENES_SUFFIXES[:2]:
    raise RequestError(f"--output is {path}; expected a file ending in .yaml")
  if path.exists():
    raise RequestError(f"{path} already exists and was not overwritten; choose another --output")


def _ask_for_files(role: Callable[[Path], str]) -> list[Path]:
  if not sys.stdin.isatty():
    raise RequestError(
      "no files are given, and questions need a terminal; give an image and its labels, such as "
      "mtl-hsi new fields.tif fields.gpkg --column crop"
    )
  click.echo(f"{_FOUR} Ctrl-C ends without writing.")
  image = click.prompt("Image", value_proc=_file_of(role, "cube"))
  labels = click.prompt(
    "Labels (empty: in the file of the image)",
    default="",
    show_default=False,
    value_proc=lambda text: _file_of(role, "labels")(text) if text else None,
  )
  return [image] if labels is None else [image, labels]


def _file_of(role: Callable[[Path], str], wanted: str) -> Callable[[str], Path]:
  def check(text: str) -> Path:
    path = Path(text.strip()).expanduser()
    try:
      part = role(path)
    except RequestError as error:
      raise click.UsageError(str(error)) from error
    if part != wanted:
      kind = "an image with several bands" if wanted == "cube" else "labels"
      raise click.UsageError(f"{path} is not {kind}")
    return path

  return check


def _column(labels: Path, columns: Any, *, ask: bool) -> str:
  """Returns the column of the classes: the usual one, or what the user answers."""
  from mtl_hsi.scenes.labels.columns import usual_class_column

  try:
    usual = usual_class_column(labels, columns)
  except RequestError:
    if not ask:
      raise
    usual = None
  if not ask:
    return usual
  click.echo("Columns of the labels:")
  for column in columns.columns:
    click.echo(f"  {column.name} ({column.count} values: {', '.join(column.examples)[:60]})")
  names = [column.name for column in columns.columns]
  return click.prompt("Column with the class", default=usual, type=click.Choice(names), show_choices=False)


def _name(proposed: str, *, ask: bool) -> str:
  return click.prompt("Name of the scene", default=proposed, value_proc=_valid_name) if ask else proposed


def _valid_name(text: str) -> str:
  try:
    check_name(text)
  except RequestError as error:
    raise click.UsageError(str(error)) from error
  return text


def _write(path: Path, text: str) -> None:
  try:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Another process may have written the file meanwhile.
    with path.open("x", encoding="utf-8") as file:
      file.write(text)
  except OSError as error:
    from mtl_hsi.storage.atomic_files import reason

    raise RequestError(f"cannot write {path}: {reason(error)}") from error
