"""The subcommands that use a finished run or a map: predict, report, export and assess."""

from collections.abc import Sequence

import click

from mtl_hsi.commands import options
from mtl_hsi.commands.request import Request, config_path

_PREDICT, _REPORT, _EXPORT = "predict", "report", "export"
_DRAW, _ESTIMATE = "assess_draw", "assess_estimate"
# How messages name the keys that have an argument or option here.
_SPELLED = {"output": "--output", "run": "RUN", "image": "IMAGE", "map": "MAP", "sample": "SAMPLE"}


@click.command(cls=options.ConfigCommand, config_file=_PREDICT)
@click.argument("run")
@click.argument("image")
@options.output("Prefix of the output files (default: <RUN>/predictions/<scene>_<image>).")
@click.option("--scene", help="Scene of the run that the image resembles (default: the target).")
@click.option("--nodata", metavar="VALUE", help="Value of pixels without a measurement, such as -9999.")
@options.changes("unknown=mark")
@options.compile_cache()
@options.json_flag()
def predict(run, image, output, scene, nodata, changes, compile_cache, as_json) -> Request:
  """Map a new image with the networks of a finished run.

  RUN is the work directory of the run. IMAGE has the sensor and the unit of a scene of the run, and may be
  larger than memory.

  \b
  Output:
    <output>_classes.tif, .img, .png   class map for a GIS, for ENVI, and as a picture
    <output>_confidence.tif            share of votes and probability of the class
    <output>_areas.csv                 area of every class

  \b
  Examples:
    mtl-hsi predict runs/fields flight.tif -o maps/flight
    mtl-hsi predict runs/fields flight.tif --scene town --nodata -9999
  """
  named = {"run": run, "image": image, "output": output, "scene": scene, "nodata": nodata}
  spelled = {**_SPELLED, "scene": "--scene", "nodata": "--nodata"}
  flags = {"compile_cache": compile_cache}
  return Request(config_path(_PREDICT), _changes(named, changes), flags, spelled, as_json)


@click.command(cls=options.ConfigCommand, config_file=_REPORT)
@click.argument("run")
@options.compile_cache()
@options.json_flag()
def report(run, compile_cache, as_json) -> Request:
  """Make the maps and the report of a finished run again.

  RUN is the work directory of the run. Its scenes are read and classified again by the saved networks, for
  example after an update of the program. If the scenes have changed, the run stays as it is. Output: the
  files that mtl-hsi train writes.

  \b
  Example:
    mtl-hsi report runs/fields
  """
  flags = {"compile_cache": compile_cache}
  return Request(config_path(_REPORT), (("report_of", run),), flags, {"report_of": "RUN"}, as_json)


@click.command(cls=options.ConfigCommand, config_file=_EXPORT)
@click.argument("run")
@options.output("File to write (default: <RUN>.mtlhsi).")
@click.option(
  "--with-training-pixels", is_flag=True, help="Also export training pixels, for unknown land cover."
)
@click.option("--stablehlo", is_flag=True, help="Write a StableHLO program for other software instead.")
@click.option("--scene", help="With --stablehlo: scene whose bands and classes apply (default: the target).")
@click.option("--tile", metavar="N", help="With --stablehlo: only images of N x N pixels (default: any).")
@click.option("--license", metavar="ID", help="Licence for the model card, such as cc-by-4.0.")
@options.changes()
@options.json_flag()
def export(run, output, with_training_pixels, stablehlo, scene, tile, license, changes, as_json) -> Request:
  """Write a finished run to one file, for predictions on any machine.

  RUN is the work directory of the run. Output: a file with the networks that make maps, the classes, the
  accuracies and a model card. It has no paths of this machine and, by default, no training pixels. mtl-hsi
  predict and adapt read it instead of a work directory.

  \b
  Examples:
    mtl-hsi export runs/fields -o fields.mtlhsi --license cc-by-4.0
    mtl-hsi predict fields.mtlhsi flight.tif -o maps/flight
    mtl-hsi export runs/fields --stablehlo -o fields
  """
  pixels, kind = ("True" if with_training_pixels else None), ("stablehlo" if stablehlo else None)
  named = {"export_of": run, "output": output, "training_pixels": pixels, "license": license}
  named |= {"kind": kind, "scene": scene, "tile": tile}
  spelled = {"export_of": "RUN", **{key: f"--{key}" for key in ("output", "license", "scene", "tile")}}
  spelled |= {"training_pixels": "--with-training-pixels", "kind": "the option --stablehlo"}
  return Request(config_path(_EXPORT), _changes(named, changes), options=spelled, json=as_json)


@click.group()
def assess() -> None:
  """Estimate areas and accuracies of a map, with intervals, from a random sample.

  First `draw` a sample, then look at every unit and fill in its class, then `estimate`. docs/assess.md
  explains the steps.
  """


@assess.command(cls=options.ConfigCommand, config_file=_DRAW)
@click.argument("map", metavar="MAP")
@options.output("Prefix of the output files (default: next to the map).")
@click.option("--run", metavar="RUN", help="Run whose training pixels must not be drawn.")
@click.option("--size", metavar="N", help="Number of units (default: enough for the key standard_error).")
@click.option("--image", metavar="FILE", help="Image to show on a page on which to fill in the sample.")
@options.changes("unit_side=3")
@options.json_flag()
def draw(map, output, run, size, image, changes, as_json) -> Request:
  """Draw the sample from a class map.

  \b
  Output:
    <output>_sample.csv, .gpkg   the units, with an empty column class to fill in
    <output>_label.html          with --image: a page for filling it in
    <output>_design.json         the design, which `estimate` needs

  \b
  Example:
    mtl-hsi assess draw maps/flight_classes.tif --run runs/fields --image flight.tif
  """
  named = {"map": map, "output": output, "run": run, "size": size, "image": image}
  spelled = {**_SPELLED, "run": "--run", "size": "--size", "image": "--image"}
  return Request(config_path(_DRAW), _changes(named, changes), options=spelled, json=as_json)


@assess.command(cls=options.ConfigCommand, config_file=_ESTIMATE)
@click.argument("map", metavar="MAP")
@click.argument("sample")
@options.output("Prefix of the output files (default: that of the sample).")
@click.option("--new-map", is_flag=True, help="MAP is another map on the grid of the one that was sampled.")
@options.changes("further_classes=ice")
@options.json_flag()
def estimate(map, sample, output, new_map, changes, as_json) -> Request:
  """Estimate accuracies and areas from a filled-in sample.

  \b
  Output:
    <output>_estimates.csv, .json, .html   accuracies and areas with 95% intervals
    <output>_error_matrix.csv              the error matrix

  \b
  Example:
    mtl-hsi assess estimate maps/flight_classes.tif maps/flight_sample.csv
  """
  named = {"map": map, "sample": sample, "output": output, "new_map": "True" if new_map else None}
  spelled = {**_SPELLED, "new_map": "--new-map"}
  return Request(config_path(_ESTIMATE), _changes(named, changes), options=spelled, json=as_json)


def _changes(named, changes: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
  """Returns the keys of arguments and options that are given, and those of --set."""
  return (*((key, value) for key, value in named.items() if value is not None), *changes)
