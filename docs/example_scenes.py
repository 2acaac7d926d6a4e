"""Writes the small scenes of docs/tutorial.md, as a user would have them: images, labels, tables.

  .venv/bin/python -m docs.example_scenes example

All are simulated. In the directory named, which must not exist:

  fields.tif, fields.gpkg    40 bands, 112 x 96 pixels; 30 polygons with a class column
  visited.gpkg               12 more polygons of fields, for testing
  fields_classes.csv         ids, names and colours of the classes
  camera_bands.csv           band centres and widths of the camera of fields, flight and meadow
  town.hdr, town.img         another sensor's 30 bands, 72 x 64 pixels; wavelengths in the ENVI header
  town.csv                   row, column and class of labelled pixels
  flight.tif                 new ground, as fields, without labels
  meadow.tif, meadow.gpkg    new ground with other classes; a few points with a class column
  scenes.yaml                fields and town for configs/own.py
"""

import argparse
import csv
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import geopandas
import numpy as np
import rasterio
import shapely

from mtl_hsi.scenes.public.sensors import Sensor
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.scenes.simulated.simulate import simulate

# UTM zone 33 N.
_CRS = "EPSG:32633"
_PIXEL_METRES = 4.0
CAMERA = Sensor("camera", np.arange(420.0, 900.0, 12.0), np.full(40, 12.0))
_SCANNER = Sensor("scanner", np.arange(440.0, 890.0, 15.0), np.full(30, 15.0))
_CROPS = ("green crop", "stubble", "bare soil", "trees")
_COLOURS = ("#4daf4a", "#d9c27e", "#a65628", "#1b5e20")
# Polygons of every class that are written to fields.gpkg, and to visited.gpkg.
_POLYGONS = ((8, 7, 8, 7), (3, 3, 3, 3))
# Shortest and longest side of a polygon, in pixels.
_SIDES = (3, 6)
_POINTS_A_CLASS = 12

_SCENES_FILE = """\
fields:
  cube: fields.tif
  labels: fields.gpkg
  label_column: crop
  classes: fields_classes.csv
  wavelengths: camera_bands.csv
town:
  cube: town.hdr
  labels: town.csv
"""


def write(directory: Path) -> None:
  """Writes everything into a new directory.

  Raises:
    FileExistsError: the directory is there already.
  """
  directory.mkdir(parents=True)
  fields = simulated_fields()
  _write_raster(directory / "fields.tif", fields, "GTiff", east=500_000)
  for name, polygons in zip(("fields.gpkg", "visited.gpkg"), draw_polygons(fields), strict=True):
    _features([(_outline(part, 500_000), crop) for part, crop in polygons], "crop").to_file(directory / name)
  names = enumerate(zip(_CROPS, _COLOURS), start=1)
  _write_table(directory / "fields_classes.csv", ("id", "name", "colour"), [(i, *own) for i, own in names])
  _write_table(directory / "camera_bands.csv", ("nm", "fwhm"), zip(CAMERA.centres, CAMERA.widths))

  town = simulated("town", (72, 64), _SCANNER, ("metal roof", "grass", "asphalt road"), seed=2)
  _write_raster(directory / "town.img", town, "ENVI", east=510_000)
  _add_wavelengths(directory / "town.hdr", _SCANNER)
  rows = [(row, column, _name(town, row, column)) for row, column in np.argwhere(town.labels).tolist()]
  _write_table(directory / "town.csv", ("row", "column", "class"), rows)
  (directory / "scenes.yaml").write_text(_SCENES_FILE)

  flight = simulated("flight", (80, 96), CAMERA, _CROPS, seed=3)
  _write_raster(directory / "flight.tif", flight, "GTiff", east=500_400)
  meadow = simulated("meadow", (64, 72), CAMERA, ("dry grass", "sparse crop", "sand"), seed=4)
  _write_raster(directory / "meadow.tif", meadow, "GTiff", east=520_000)
  _features(_points(meadow, 520_000), "cover").to_file(directory / "meadow.gpkg")


def simulated_fields() -> Scene:
  """The scene `fields` with the class of every pixel."""
  return simulated("fields", (112, 96), CAMERA, _CROPS, seed=1, labelled_fraction=1.0)


def simulated(
  name: str,
  shape: tuple[int, int],
  sensor: Sensor,
  classes: Sequence[str],
  seed: int,
  labelled_fraction: float = 0.5,
) -> Scene:
  """A scene of shape `[height, width]`."""
  height, width = shape
  return simulate(
    name,
    height=height,
    width=width,
    sensor=sensor,
    classes=classes,
    seed=seed,
    labelled_fraction=labelled_fraction,
  )


def draw_polygons(scene: Scene) -> list[list[tuple[tuple[slice, slice], str]]]:
  """Draws rectangles within one class each, at least a pixel apart, as a person would draw polygons.

  Returns:
    For each file: rows and columns of every polygon, and its class.
  """
  rng = np.random.default_rng(0)
  free, files = scene.labels.copy(), []
  for counts in _POLYGONS:
    drawn = []
    for (label, name), count in zip(scene.class_names.items(), counts, strict=True):
      while count:
        (row, column), sides = rng.integers(free.shape), rng.integers(_SIDES[0], _SIDES[1] + 1, 2)
        part = slice(row, row + sides[0]), slice(column, column + sides[1])
        if free[part].shape == tuple(sides) and (free[part] == label).all():
          drawn.append((part, name))
          free[max(row - 1, 0) : row + sides[0] + 1, max(column - 1, 0) : column + sides[1] + 1] = 0
          count -= 1
    files.append(drawn)
  return files


def _transform(east: float) -> rasterio.Affine:
  return rasterio.Affine(_PIXEL_METRES, 0, east, 0, -_PIXEL_METRES, 5_400_000)


def _write_raster(path: Path, scene: Scene, driver: str, east: float) -> None:
  height, width, count = scene.cube.shape
  profile = {"height": height, "width": width, "count": count, "dtype": scene.cube.dtype}
  with rasterio.open(path, "w", driver=driver, crs=_CRS, transform=_transform(east), **profile) as raster:
    raster.write(np.moveaxis(scene.cube, -1, 0))


def _add_wavelengths(header: Path, sensor: Sensor) -> None:
  lines = ["wavelength units = Micrometers"]
  for key, values in (("wavelength", sensor.centres), ("fwhm", sensor.widths)):
    lines.append(f"{key} = {{{', '.join(f'{value / 1000:.4f}' for value in values)}}}")
  header.write_text(header.read_text().rstrip() + "\n" + "\n".join(lines) + "\n")


def _outline(part: tuple[slice, slice], east: float) -> shapely.Geometry:
  """The polygon around rows and columns."""
  rows, columns = part
  west, north = _transform(east) @ (columns.start, rows.start)
  right, south = _transform(east) @ (columns.stop, rows.stop)
  return shapely.box(west, south, right, north)


def _points(scene: Scene, east: float) -> list[tuple[shapely.Geometry, str]]:
  """The centres of a few labelled pixels of every class."""
  rng = np.random.default_rng(0)
  points = []
  for label, name in scene.class_names.items():
    chosen = rng.permutation(np.argwhere(scene.labels == label))[:_POINTS_A_CLASS]
    places = zip(*rasterio.transform.xy(_transform(east), *chosen.T.tolist()), strict=True)
    points += [(shapely.Point(place), name) for place in places]
  return points


def _features(shapes: Sequence[tuple[shapely.Geometry, str]], column: str) -> geopandas.GeoDataFrame:
  geometry, names = zip(*shapes, strict=True)
  return geopandas.GeoDataFrame({column: names}, geometry=list(geometry), crs=_CRS)


def _name(scene: Scene, row: int, column: int) -> str:
  return scene.class_names[int(scene.labels[row, column])]


def _write_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
  with path.open("w", newline="") as file:
    csv.writer(file).writerows([header, *rows])


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument("directory", type=Path, help="what to write, which must not exist")
  directory = parser.parse_args().directory
  try:
    write(directory)
  except OSError as error:
    sys.exit(f"error: cannot write {directory}: {error.strerror}; name a directory that does not exist yet")
  print(f"{directory}: the scenes of docs/tutorial.md, simulated")


if __name__ == "__main__":
  main()
