"""Small class maps, and samples of them filled in, for the tests of assessment."""

import csv
from pathlib import Path

import numpy as np

from mtl_hsi.report import rasters
from mtl_hsi.scenes.scene import Georeference
from tests.launching import ROOT, Outcome, launch

NAMES = {1: "corn", 2: "soy", 5: "water"}
UTM = Georeference("EPSG:32633", (4.0, 0.0, 500_000.0, 0.0, -4.0, 5_300_000.0))
DEGREES = Georeference("EPSG:4326", (0.5, 0.0, 10.0, 0.0, -0.5, 60.0))

# Two thirds corn, then soy, and a pond; the first row has no class.
MAP = np.repeat([[1] * 20 + [2] * 8 + [5] * 2], 20, axis=0)
MAP[0] = 0


def write_map(path: Path, ids: np.ndarray = MAP, place: Georeference | None = UTM) -> Path:
  """Writes a class map as configs/predict.py does, without the side file of names."""
  legend = rasters.Legend("map", NAMES, dict.fromkeys(NAMES, (9, 9, 9)))
  with rasters.create_class_map(path, legend, *ids.shape, place) as raster:
    raster.write(ids.astype(np.uint8), 1)
  return path


def draw(path: Path, **keys: object) -> Outcome:
  """Draws a sample from a map."""
  return _launch("assess_draw", map=path, **keys)


def estimate(path: Path, sample: Path, **keys: object) -> Outcome:
  """Estimates from a sample."""
  return _launch("assess_estimate", map=path, sample=sample, **keys)


def fill_in(sample: Path, answer) -> None:
  """Fills in a table: `answer` gives the class of a row, a dict of its cells."""
  rows = read(sample)
  for row in rows:
    row["class"] = answer(row)
  write(sample, rows)


def read(sample: Path) -> list[dict[str, str]]:
  with sample.open(newline="") as file:
    return list(csv.DictReader(file))


def write(sample: Path, rows: list[dict[str, str]]) -> None:
  with sample.open("w", newline="") as file:
    table = csv.DictWriter(file, rows[0].keys())
    table.writeheader()
    table.writerows(rows)


def class_at(ids: np.ndarray):
  """Returns an answer for `fill_in`: the class of a pixel in an image."""
  return lambda row: ids[int(row["row"]), int(row["column"])]


def _launch(config: str, **keys: object) -> Outcome:
  changes = (f"--config.{key}={value}" for key, value in keys.items())
  return launch(f"--config={ROOT / 'configs' / config}.py", *changes)
