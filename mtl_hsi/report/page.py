"""The report page: one HTML file that needs no other."""

import base64
import datetime
import hashlib
import json
from collections.abc import Iterator, Mapping

import jinja2

from mtl_hsi.evaluation import calibration
from mtl_hsi.evaluation.areas import class_areas, pixel_areas
from mtl_hsi.plurals import noun
from mtl_hsi.report import (
  colours,
  confidence_histogram,
  confusion_table,
  curves,
  experts,
  left_out_text,
  maps,
  measured_on,
  proposals_table,
  reliability,
  script,
  spectra,
  templates,
  viewer,
)
from mtl_hsi.report.map_classes import UNKNOWN_COLOUR, UNKNOWN_NAME
from mtl_hsi.report.run_report import RunReport, SceneReport
from mtl_hsi.scenes.public.catalogue import PUBLIC_SCENES
from mtl_hsi.scenes.public.verification import is_public

_SHARP = 300  # pixels; smaller maps are magnified with visible pixels


def render(run: RunReport) -> str:
  """Returns the page: for each scene the map, its accuracy and the details; then the run."""
  drawn = [None] * len(run.scenes) if run.losses is None else curves.loss_curves(run.losses, run.phases)
  text, budget = script.page_script(), spectra.scene_budget(len(run.scenes))
  return _ENVIRONMENT.get_template("page.html").render(
    run=run,
    started=_date(run.environment["started"]),
    scenes=[_scene(report, curve, budget) for report, curve in zip(run.scenes, drawn, strict=True)],
    in_paper=any(report.paper for report in run.scenes),
    config=_listed(run.config),
    environment=[entry for entry in _listed(run.environment) if not entry[0].startswith("command")],
    frame=curves,
    plot=reliability,
    least_pixels=calibration.LEAST_PIXELS,
    least_units=calibration.LEAST_UNITS,
    script=text,
    # The browser runs this script only, whatever a file may contain.
    script_hash=base64.b64encode(hashlib.sha256(text.encode()).digest()).decode(),
  )


def _scene(report: SceneReport, curve: curves.Curve | None, budget: int) -> dict:
  """Returns what the template shows of a scene."""
  scene, drawn = report.scene, list(maps.scene_maps(report))
  classes = maps.class_legend(scene, report.unknown_id)
  view = viewer.make_view(report, drawn, budget)
  return {
    "report": report,
    "scene": scene,
    "title": PUBLIC_SCENES[scene.name].title if is_public(scene) else scene.name,
    "metrics": report.metrics,
    "labelled": int((scene.labels > 0).sum()),
    "maps": [_map(one, png, classes, view.stride) for one, png in zip(drawn, view.pngs, strict=True)],
    "view": view,
    "legend": classes,
    "classes": _classes(report),
    "unknown": _unknown(report),
    "leakage": report.leakage_description,
    "warned": bool(report.leakage_warning),
    "measured_on": measured_on.measured_on(report),
    "confusion": confusion_table.table(report.metrics),
    "pairs": confusion_table.confused_pairs(report.metrics),
    "histogram": _histogram(report),
    "train": len(report.train),
    "test": len(report.test),
    "scored": report.scored,
    "left_out": "" if report.left_out is None else left_out_text.describe(report.left_out),
    "of_map": left_out_text.of_map(report.metrics.get("mixture")),
    "curve": curve,
    "proposals": None if report.proposals is None else list(proposals_table.proposal_rows(report)),
    **_mixture(report),
  }


def _mixture(report: SceneReport) -> dict:
  """Returns the experts and their reliability diagram, each None without."""
  mixture = report.metrics.get("mixture")
  calibrated = mixture and mixture["calibration"]
  return {
    "experts": experts.summarise(mixture) if mixture else None,
    "reliability": reliability.diagram(calibrated) if calibrated else None,
  }


def _map(drawn: maps.Map, png: bytes, classes: list, stride: int) -> dict:
  """Returns a map without the legend of the classes, which the page shows once below all maps."""
  height, width = (-(-size // stride) for size in drawn.image.shape[:2])
  return {
    "name": drawn.name.replace("_", " "),
    "file": drawn.name,
    "title": drawn.title,
    "uri": "data:image/png;base64," + base64.b64encode(png).decode(),
    "width": width,
    "height": height,
    "sharp": max(height, width) < _SHARP,
    "legend": [entry for entry in drawn.legend if entry not in classes],
  }


def _classes(report: SceneReport) -> list[dict]:
  """Returns the rows of the table of classes; areas are those of the map that the page shows."""
  scene = report.scene
  train = scene.labels[tuple(report.train.T)]
  pixels = pixel_areas(scene.georeference, *scene.labels.shape)
  # Networks that never saw the scene can choose classes that it lacks.
  ids = [entry["id"] for entry in report.metrics["per_class"]]
  areas = class_areas(report.measured_prediction[None], ids, None, pixels)
  return [
    entry | {"colour": colour, "train_pixels": int((train == entry["id"]).sum())} | class_area
    for colour, entry, class_area in zip(
      colours.colours_of(scene, ids), report.metrics["per_class"], areas, strict=True
    )
  ]


def _unknown(report: SceneReport) -> dict | None:
  """Returns the row of unknown pixels, or None if the map marks none."""
  if report.unknown is None:
    return None
  label = maps.class_label(report.unknown_id, UNKNOWN_NAME)
  return report.metrics["unknown"] | {"colour": UNKNOWN_COLOUR, "label": label}


def _histogram(report: SceneReport) -> confidence_histogram.Histogram | None:
  if report.probability is None:
    return None
  return confidence_histogram.histogram(report.probability, report.scene.measured)


def _listed(values: Mapping) -> list[tuple[str, str]]:
  """Returns a nested mapping as dotted keys and values, without keys that have no value."""
  return [(key, text) for key, text in _flat("", values) if text not in ("", "null", "[]", "{}")]


def _flat(key: str, value) -> Iterator[tuple[str, str]]:
  """Yields a nested mapping as dotted keys with their values as JSON."""
  if isinstance(value, Mapping) and value:
    for name, inner in value.items():
      yield from _flat(f"{key}.{name}" if key else str(name), inner)
  elif isinstance(value, (list, tuple)) and any(isinstance(item, Mapping) for item in value):
    for i, item in enumerate(value):
      yield from _flat(f"{key}[{i}]", item)
  else:
    yield key, value if isinstance(value, str) else json.dumps(value)


def _percent(value: dict, replicas: int, decimals: int = 2) -> str:
  """Returns the mean and, of several replicas, the standard deviation of fractions of 1, in %."""
  if value["mean"] is None:
    return "\N{EN DASH}"
  spread = f" \N{PLUS-MINUS SIGN} {100 * value['std']:.{decimals}f}" if replicas > 1 else ""
  return f"{100 * value['mean']:.{decimals}f}{spread}"


def _interval(ends: list[float] | None) -> str:
  """Returns the ends of an interval, fractions of 1, in %."""
  return "\N{EN DASH}" if ends is None else f"{100 * ends[0]:.1f} to {100 * ends[1]:.1f}"


def _decimals(value: float | None, decimals: int = 2) -> str:
  return "\N{EN DASH}" if value is None else f"{value:.{decimals}f}".replace("-", "\N{MINUS SIGN}")


def _whole_percent(share: float) -> str:
  return "<1" if share < 0.005 else f"{100 * share:.0f}"


def _duration(seconds: float) -> str:
  if seconds < 120:
    return f"{seconds:.1f} s"
  minutes, seconds = divmod(round(seconds), 60)
  return f"{minutes} min {seconds:02} s" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02} min"


def _date(start: str) -> str:
  """Returns date and minute of an ISO 8601 time; a text of another kind as it is."""
  try:
    return f"{datetime.datetime.fromisoformat(start):%Y-%m-%d %H:%M}"
  except ValueError:
    return start


def _environment() -> jinja2.Environment:
  environment = templates.environment()
  environment.filters |= {
    "percent": _percent,
    "interval": _interval,
    "decimals": _decimals,
    "share": lambda value: _decimals(value and 100 * value, 1),
    "whole_percent": _whole_percent,
    "duration": _duration,
    "thousands": lambda number: f"{number:,.0f}",
    "noun": noun,
    "hexadecimal": colours.hexadecimal,
  }
  return environment


_ENVIRONMENT = _environment()
