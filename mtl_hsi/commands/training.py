"""The subcommands that read labelled scenes: check, train, sweep, map, adapt; and the letter's tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from mtl_hsi.commands import options, scene_files
from mtl_hsi.commands.request import Request, config_path
from mtl_hsi.errors import RequestError

_OWN, _ADAPT, _PAPER = "own", "adapt", "paper"
_RECIPES = "own, best, fields, letter, quickstart or another one of configs/, or your own .py file"
_RECIPE = click.option(
  "--recipe",
  default=_OWN,
  show_default=True,
  metavar="NAME",
  help=f"Config: {_RECIPES}.",
)
_SCENES = click.option("--scenes", metavar="A,B", help="Scenes to use, the target first (default: all).")
_FILES = click.argument("files", nargs=-1, metavar="SCENES | IMAGE [LABELS]")
_WORKDIR = "Work directory (default: in runs/, named after the scenes and the keys of --set)."


@click.command(cls=options.ConfigCommand, config_file=_OWN)
@_FILES
@_RECIPE
@_SCENES
@scene_files.scene_options()
@options.changes("alignment=wavelength")
@options.json_flag()
def check(files, recipe, scenes, changes, as_json, **scene) -> Request:
  """Read and check scenes before you train; write nothing.

  SCENES is a scenes file (YAML or TOML) as `mtl-hsi new` writes it; or give an IMAGE and its LABELS.
  Output: size, bands, range of values, classes with their numbers of pixels, and a note on everything
  unusual.

  \b
  Examples:
    mtl-hsi check scenes.yaml
    mtl-hsi check fields.tif fields.gpkg --column crop
  """
  _check_begin("check", files, recipe, scenes, changes)
  found = scene_files.find(files, scenes, scene, _keys(changes))
  changes = (*changes, ("check_only", "True"))
  return _training(files, found, _recipe(recipe, found), changes, {}, as_json)


@click.command(cls=options.ConfigCommand, config_file=_OWN)
@_FILES
@options.output(_WORKDIR)
@_RECIPE
@_SCENES
@scene_files.scene_options()
@options.changes()
@options.compile_cache()
@options.processes()
@options.json_flag()
def train(
  files, output, recipe, scenes, changes, compile_cache, coordinator, processes, process, as_json, **scene
) -> Request:
  """Train networks on labelled scenes, and map every scene.

  SCENES is a scenes file (YAML or TOML) as `mtl-hsi new` writes it; or give an IMAGE and its LABELS. The
  same command resumes an interrupted run and leaves a finished one as it is.

  \b
  Output in the work directory:
    report.html          maps, accuracies and spectra, for a browser
    maps/<scene>/*.tif   class map and confidence, for a GIS
    metrics.json         accuracies and areas
    proposals/*.csv      pixels to label next

  \b
  Examples:
    mtl-hsi train scenes.yaml -o runs/fields
    mtl-hsi train scenes.yaml --scenes town,fields --set alignment=wavelength
    mtl-hsi train --recipe quickstart -o runs/quickstart
  """
  _check_begin("train", files, recipe, scenes, changes)
  found = scene_files.find(files, scenes, scene, _keys(changes))
  flags = {"workdir": output or _default_workdir(recipe, found, changes), "compile_cache": compile_cache}
  flags |= {"coordinator": coordinator, "processes": processes, "process": process}
  return _training(files, found, _recipe(recipe, found), changes, flags, as_json)


@click.command(cls=options.ConfigCommand, config_file=_OWN)
@_FILES
@options.output("Directory of the sweep, with a work directory for every run.")
@click.option(
  "--over",
  metavar="KEY=V1,V2,...",
  multiple=True,
  help="Key to vary, and its values. May be repeated: all combinations are run.",
)
@click.option("--shard", metavar="I/N", help="Run only the I-th of N parts, which can run at the same time.")
@click.option("--status", is_flag=True, help="Train nothing: list the runs and compare the finished ones.")
@_RECIPE
@_SCENES
@scene_files.scene_options()
@options.changes()
@options.compile_cache()
@options.json_flag()
def sweep(
  files, output, over, shard, status, recipe, scenes, changes, compile_cache, as_json, **scene
) -> Request:
  """Train with every combination of values of some keys, and compare the runs.

  SCENES is a scenes file, or give an IMAGE and its LABELS, as for mtl-hsi train. All keys and values are
  checked before anything runs. The same command resumes. Replica r has the seed `seed` + r, so values of
  `seed` should be at least `replicas` apart.

  \b
  Output in the directory:
    sweep.csv                    accuracies of every combination and scene
    comparison/comparison.html   the finished runs side by side, as from mtl-hsi compare
    <key>=<value>-.../           the work directory of every combination

  \b
  Examples:
    mtl-hsi sweep scenes.yaml -o runs/sweep --over model.width=16,64 --over seed=0,10,20
    mtl-hsi sweep scenes.yaml -o runs/sweep --over model.width=16,64 --over seed=0,10,20 --shard 1/2
    mtl-hsi sweep scenes.yaml -o runs/sweep --over model.width=16,64 --over seed=0,10,20 --status
  """
  if not over:
    raise RequestError("no key to vary; name one with --over, such as --over seed=0,10,20")
  if not output:
    raise RequestError("no directory for the sweep; name one with --output")
  found = scene_files.find(files, scenes, scene, _keys(changes))
  flags = {"workdir": output, "compile_cache": compile_cache, "over": tuple(over), "shard": shard}
  flags["status"] = "True" if status else None
  return _training(files, found, _recipe(recipe, found), changes, flags, as_json)


@click.command("map", cls=options.ConfigCommand, config_file=_OWN)
@click.argument("image")
@click.argument("labels", required=False)
@options.output("Work directory (default: in runs/, named after the image and the keys of --set).")
@_RECIPE
@scene_files.scene_options()
@options.changes("fold_buffer=9")
@options.compile_cache()
@options.json_flag()
def map_image(image, labels, output, recipe, changes, compile_cache, as_json, **scene) -> Request:
  """Map one image from its labels, in one step.

  IMAGE is a GeoTIFF, an ENVI image, an array or a product as delivered. LABELS are polygons, points, a
  raster or a table; omit them if the image file has them. The accuracy is measured on polygons that were
  left out of training; the map is made by networks that trained on all labels. Output: the files that mtl-hsi
  train writes.

  \b
  Examples:
    mtl-hsi map image.tif polygons.gpkg --column crop -o runs/fields
    mtl-hsi map image.tif polygons.gpkg --column crop --set replicas=1 --set fold_buffer=9
  """
  files = [file for file in (image, labels) if file is not None]
  if scene_files.is_scenes_file(image):
    raise RequestError(f"{image} is a scenes file; use mtl-hsi train {image}")
  found = scene_files.find(files, None, scene, _keys(changes))
  flags = {"workdir": output or _default_workdir(recipe, found, changes), "compile_cache": compile_cache}
  return _training(files, found, _recipe(recipe, found), changes, flags, as_json)


@click.command(cls=options.ConfigCommand, config_file=_ADAPT)
@click.argument("run")
@_FILES
@options.output(_WORKDIR)
@_SCENES
@scene_files.scene_options()
@options.changes("stem=new")
@options.compile_cache()
@options.json_flag()
def adapt(run, files, output, scenes, changes, compile_cache, as_json, **scene) -> Request:
  """Add new scenes or classes to the networks of a finished run.

  RUN is the work directory of a finished run, which stays as it is. SCENES or IMAGE and LABELS are the new
  ones, as for mtl-hsi train. Every new scene gets a head; the rest of the networks stays as it is.
  Output: a work directory like that of mtl-hsi train.

  \b
  Examples:
    mtl-hsi adapt runs/fields meadow.tif meadow.gpkg -o runs/meadow
    mtl-hsi adapt runs/fields meadow.yaml --set stem=new -o runs/meadow
  """
  found = scene_files.find(files, scenes, scene, _keys(changes))
  flags = {"workdir": output or _default_workdir(_ADAPT, found, changes), "compile_cache": compile_cache}
  return _training(files, found, _recipe(_ADAPT, found), (("run", run), *changes), flags, as_json)


@click.command(cls=options.ConfigCommand, config_file=f"{_PAPER}:tables")
@click.argument("table")
@options.output("Directory of all runs (default: runs/paper).")
@click.option("--dry-run", is_flag=True, help="Only list the runs and estimate the time.")
@click.option("--shard", metavar="I/N", help="Run only the I-th of N parts, which can run at the same time.")
@options.changes("samples_per_class=5")
@options.compile_cache()
def paper(table, output, dry_run, shard, changes, compile_cache) -> Request:
  """Repeat the tables of the letter, next to the published figures.

  TABLE is table1 to table5, figure2 or tables. Output: a table as Markdown, CSV and HTML, and the work
  directories of all runs. The same command resumes.

  \b
  Examples:
    mtl-hsi paper table3 --dry-run
    mtl-hsi paper table3 --set samples_per_class=5 --set 'cells=hresnet/*'
  """
  flags = {"workdir": output, "compile_cache": compile_cache, "shard": shard}
  changes = (*changes, ("dry_run", "True")) if dry_run else changes
  return Request(config_path(f"{_PAPER}:{table}"), changes, flags, {"dry_run": "--dry-run"})


def _keys(changes: Sequence[tuple[str, str]]) -> str:
  return " ".join(key for key, _ in changes)


def _check_begin(
  command: str,
  files: Sequence[str],
  recipe: str,
  scenes: str | None,
  changes: Sequence[tuple[str, str]],
) -> None:
  """Explains how to begin if no scenes are given."""
  if not (files or scenes or changes) and recipe == _OWN:
    raise RequestError(
      f"no scenes are given; give an image and its labels, mtl-hsi {command} fields.tif fields.gpkg "
      f"--column crop, or a scenes file, mtl-hsi {command} scenes.yaml (mtl-hsi new writes one)"
    )


def _recipe(name: str, found: scene_files.Scenes) -> str:
  """Returns the config of a recipe, with the names of the scenes as its argument."""
  from mtl_hsi.settings import config_keys

  file, colon, argument = config_keys.split_argument(name)
  if not Path(config_keys.split_argument(config_path(name))[0]).is_file():
    raise RequestError(f"--recipe is {file!r}; expected {_RECIPES}")
  if found.names and colon:
    raise RequestError(
      f"--recipe has the argument {argument!r}, and there are the scenes {found.names}; remove one of them"
    )
  return config_path(f"{name}:{found.names}" if found.names else name)


def _training(
  files: Sequence[str],
  found: scene_files.Scenes,
  config: str,
  changes: Sequence[tuple[str, str]],
  flags: Mapping[str, Any],
  as_json: bool,
) -> Request:
  of_image = bool(files) and not scene_files.is_scenes_file(files[0])
  spelled = scene_files.SPELLED if of_image else {}
  return Request(config, (*found.changes, *changes), flags, {"run": "RUN", **spelled}, as_json)


def _default_workdir(recipe: str, found: scene_files.Scenes, changes: Sequence[tuple[str, str]]) -> str:
  """Returns a directory named after the scenes, the recipe unless it is the usual one, and the changes."""
  from mtl_hsi import commandline
  from mtl_hsi.settings import config_keys

  file, _, argument = config_keys.split_argument(recipe)
  names = "_".join(filter(None, (found.title, found.names if found.names != found.title else "")))
  usual = recipe in (_OWN, _ADAPT) and names
  return str(commandline.workdir_of((*(() if usual else (Path(file).stem, argument)), names), dict(changes)))
