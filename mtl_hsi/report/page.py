"""The report as one HTML file that needs nothing else."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping

import jinja2
import numpy as np

from mtl_hsi.evaluation import area
from mtl_hsi.evaluation.pixel_areas import pixel_areas
from mtl_hsi.report import colours, curves, leakage_words, maps, proposals_table, spectra, templates, viewer
from mtl_hsi.report.contents import RunReport, SceneReport

_SHARP = 300  # pixels; smaller maps are magnified with their pixels visible


def html(run: RunReport) -> str:
  """Renders the figures beside the paper's and, of each scene, maps, classes, confusion, curve and split."""
  drawn = [None] * len(run.scenes) if run.losses is None else curves.curves(run.losses, run.phases)
  script, budget = viewer.script(), spectra.scene_budget(len(run.scenes))
  return _ENVIRONMENT.get_template("page.html").render(
    run=run,
    scenes=[_scene(report, curve, budget) for report, curve in zip(run.scenes, drawn, strict=True)],
    simulated=any(report.scene.simulated for report in run.scenes),
    in_paper=any(report.paper for report in run.scenes),
    config=list(_flat("", run.config)),
    environment=[entry for entry in _flat("", run.environment) if not entry[0].startswith("command")],
    frame=curves,
    script=script,
    # The page runs this script and no other, whatever a file may have smuggled in.
    script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
  )


def _scene(report: SceneReport, curve: curves.Curve | None, budget: int) -> dict:
  classes, drawn = maps.class_legend(report.scene), maps.maps(report)
  view = viewer.view(report, drawn, budget)
  return {
    "report": report,
    "scene": report.scene,
    "metrics": report.metrics,
    "labelled": int((report.scene.labels > 0).sum()),
    "maps": [_map(one, png, classes, view.every) for one, png in zip(drawn, view.pngs, strict=True)],
    "view": view,
    "legend": classes,
    "classes": _classes(report),
    "split": report.split,
    "leakage": _leakage(report),
    "confusion": _confusion(report.metrics),
    "train": _count(report.train),
    "test": _count(report.test),
    "curve": curve,
    "proposals": None if report.proposals is None else list(proposals_table.rows_of(report)),
  }


def _leakage(report: SceneReport) -> str:
  if report.leakage is None:
    return ""
  shares = report.leakage, report.patch_overlap
  text = leakage_words.words(*shares, report.reach)
  return f"{text} {leakage_words.warning(report.given)}" if leakage_words.is_high(*shares) else text


def _map(drawn: maps.Map, png: bytes, classes: list, every: int) -> dict:
  """The classes' legend stands once below all maps."""
  height, width = (-(-size // every) for size in drawn.image.shape[:2])
  return {
    "name": drawn.name.replace("_", " "),
    "title": drawn.title,
    "uri": "data:image/png;base64," + base64.b64encode(png).decode(),
    "width": width,
    "height": height,
    "sharp": max(height, width) < _SHARP,
    "legend": [entry for entry in drawn.legend if entry not in classes],
  }


def _classes(report: SceneReport) -> list[dict]:
  """The rows of the table of classes."""
  labels = report.scene.labels
  rows, columns = report.train[report.train[:, 0] >= 0].T
  train = labels[rows, columns]
  return [
    entry | {"colour": colour, "train_pixels": int((train == entry["id"]).sum())} | own
    for colour, entry, own in zip(
      colours.of_scene(report.scene), report.metrics["per_class"], _areas(report), strict=True
    )
  ]


def _areas(report: SceneReport) -> list[dict]:
  """Of the map that the page shows."""
  scene = report.scene
  pixels = pixel_areas(scene.georeference, *scene.labels.shape)
  return area.class_areas(report.prediction[None], scene.class_ids, scene.nodata, pixels)


def _confusion(metrics: dict) -> list[dict]:
  """The rows of the confusion matrix, counts and shares of the row."""
  matrix = np.array(metrics["confusion"])
  shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
  cells = [list(zip(*row, strict=True)) for row in zip(matrix.tolist(), shares.tolist(), strict=True)]
  return [
    {"id": entry["id"], "name": entry["name"], "cells": row, "pixels": pixels}
    for entry, row, pixels in zip(metrics["per_class"], cells, matrix.sum(1).tolist(), strict=True)
  ]


def _count(coordinates: np.ndarray) -> int:
  return int((coordinates[:, 0] >= 0).sum())


def _flat(key: str, value) -> Iterator[tuple[str, str]]:
  """A nested mapping as dotted keys with their values as JSON."""
  if isinstance(value, Mapping) and value:
    for name, inner in value.items():
      yield from _flat(f"{key}.{name}" if key else str(name), inner)
  elif isinstance(value, (list, tuple)) and any(isinstance(item, Mapping) for item in value):
    for i, item in enumerate(value):
      yield from _flat(f"{key}[{i}]", item)
  else:
    yield key, value if isinstance(value, str) else json.dumps(value)


def _percent(value: dict, replicas: int) -> str:
  """Mean and, of several replicas, standard deviation, fractions of 1, in %."""
  if value["mean"] is None:
    return "\N{EN DASH}"
  spread = f" \N{PLUS-MINUS SIGN} {100 * value['std']:.2f}" if replicas > 1 else ""
  return f"{100 * value['mean']:.2f}{spread}"


def _interval(ends: list[float] | None) -> str:
  """Fractions of 1, in %."""
  return "\N{EN DASH}" if ends is None else f"{100 * ends[0]:.2f} to {100 * ends[1]:.2f}"


def _duration(seconds: float) -> str:
  if seconds < 120:
    return f"{seconds:.1f} s"
  minutes, seconds = divmod(round(seconds), 60)
  return f"{minutes} min {seconds:02} s" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02} min"


def _environment() -> jinja2.Environment:
  environment = templates.environment()
  environment.filters |= {
    "percent": _percent,
    "interval": _interval,
    "duration": _duration,
    "thousands": lambda number: f"{number:,.10g}",
    "hexadecimal": colours.hexadecimal,
  }
  return environment


_ENVIRONMENT = _environment()
