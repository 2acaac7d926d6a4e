"""The page of a comparison: one self-contained HTML file."""

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path

from mtl_hsi.comparison import map_images
from mtl_hsi.comparison.finished_run import FinishedRun
from mtl_hsi.comparison.map_images import MapImage
from mtl_hsi.comparison.pairs import Pair
from mtl_hsi.comparison.table import Row
from mtl_hsi.plurals import noun
from mtl_hsi.report import colours, templates
from mtl_hsi.storage.json_files import well_formed

_SHARP = 300  # pixels; smaller maps are magnified with visible pixels
_DASH = "\N{EN DASH}"


def render(
  runs: Sequence[FinishedRun],
  names: Sequence[str],
  table: Mapping[str, Sequence[Row]],
  configs: Mapping[str, Sequence[str]],
) -> str:
  """Returns the page.

  Args:
    runs: the runs, the reference first.
    names: their names on the page.
    table: rows of every scene, in the order of the runs.
    configs: the values of every key that differs, in the order of the runs.

  Raises:
    RequestError: a map cannot be read.
  """
  maps = sum(scene in run.metrics["scenes"] for run in runs for scene in table)
  return _ENVIRONMENT.get_template("comparison_of_runs.html").render(
    runs=[_run(run, name) for run, name in zip(runs, names, strict=True)],
    scenes=[_scene(runs, names, scene, rows, maps) for scene, rows in table.items()],
    configs=configs,
  )


def _run(run: FinishedRun, name: str) -> dict:
  with well_formed(run.directory / "config.json"):
    model = run.config["model"]["name"]
  minutes = f"{run.metrics['seconds']['total'] / 60:.1f} min"
  return {"name": name, "directory": str(run.directory.absolute()), "model": model, "time": minutes}


def _scene(runs, names, scene, rows, maps) -> dict:
  images = {
    name: map_images.read(run.directory / "maps" / scene / "prediction.tif", maps)
    for run, name in zip(runs, names, strict=True)
    if scene in run.metrics["scenes"]
  }
  first = next(iter(images.values()))
  return {
    "name": scene,
    "rows": rows,
    "maps": [_map(name, image, first) for name, image in images.items()],
    "reference": next(iter(images)),
    "legend": _legend([run for run in runs if scene in run.metrics["scenes"]], scene, images.values()),
  }


def _map(name: str, image: MapImage, first: MapImage) -> dict:
  height, width = image.ids.shape
  return {
    "name": name,
    "uri": "data:image/png;base64," + base64.b64encode(image.png()).decode(),
    "width": width,
    "height": height,
    "sharp": max(height, width) < _SHARP,
    "agreement": None if image is first else image.agreement(first),
    "same_size": image.shape == first.shape,
  }


def _legend(runs, scene, images) -> list[tuple[colours.RGB, str]]:
  """Returns colour and name of every class of the maps; a name with several colours appears with each."""
  entries = {}
  for run, image in zip(runs, images, strict=True):
    class_names = run.class_names(scene)
    for class_id, colour in sorted(image.colours.items()):
      entries[colour, class_names.get(class_id, f"class {class_id}")] = None
  return list(entries)


def figures(row: Row, measure: str) -> str:
  """Returns an accuracy in %, with its deviation over maps or else its interval."""
  found = row.metrics and row.metrics[measure]
  if not found or found["mean"] is None:
    return _DASH
  text = f"{100 * found['mean']:.2f}"
  if len(found["replicas"]) > 1 and not row.metrics.get("left_out"):
    return f"{text} \N{PLUS-MINUS SIGN} {100 * found['std']:.2f}"
  if found["interval"]:
    return f"{text} [{100 * found['interval'][0]:.1f}, {100 * found['interval'][1]:.1f}]"
  return text


def _signed(number: float) -> str:
  return f"{number:+.2f}".replace("-", "\N{MINUS SIGN}")


def change(pair: Pair) -> str:
  """Returns the difference of a pair with its interval, in percentage points."""
  if pair.difference is None:
    return _DASH
  ends = f" [{_signed(pair.interval[0])}, {_signed(pair.interval[1])}]" if pair.interval else ""
  return _signed(pair.difference) + ends


def _p(p: float | None) -> str:
  if p is None:
    return _DASH
  return f"{p:.3f}" if p >= 0.001 else "< 0.001"


def _environment():
  environment = templates.environment(Path(__file__).parent)
  environment.filters |= {
    "figures": figures,
    "change": change,
    "p": _p,
    "noun": noun,
    "hexadecimal": colours.hexadecimal,
    "report": lambda directory: Path(directory, "report.html").as_uri(),
  }
  return environment


_ENVIRONMENT = _environment()
