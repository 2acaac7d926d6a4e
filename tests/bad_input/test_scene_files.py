"""Rasters, vector files and tables that cannot be used together."""

import re

import numpy as np
import pytest
import rasterio
import shapely

from tests.launching import FIELDS, ROOT, contents, cube
from tests.scenes import formats

OWN = f"--config={ROOT / 'configs' / 'own.py'}"

# A local coordinate system of a building site, which has no relation to the Earth.
_SITE = 'ENGCRS["site",EDATUM["site"],CS[Cartesian,2],AXIS["x",east],AXIS["y",north],LENGTHUNIT["metre",1]]'


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
  """Directory of a cube and of labels, most of which do not match; nothing may be changed there."""
  path = tmp_path_factory.mktemp("scene_files")
  write_scene_files(path)
  before = contents(path)
  yield path
  assert contents(path) == before


def write_scene_files(folder):
  values, far = cube(FIELDS), rasterio.Affine(10, 0, 0, 0, -10, 0)
  formats.save_raster(folder / "cube.tif", values)
  (folder / "cut.tif").write_bytes((folder / "cube.tif").read_bytes()[:900])
  (folder / "text.tif").write_text("dear")
  formats.save_raster(folder / "gt.tif", FIELDS.astype(np.uint8))
  # Only the last pixels are missing.
  (folder / "cut_gt.tif").write_bytes((folder / "gt.tif").read_bytes()[:-20])
  formats.save_raster(folder / "elsewhere.tif", FIELDS.astype(np.uint8), crs="EPSG:32611", transform=far)
  shapes = [formats.in_crs(shapely.box(*box)) for box in ((0, 0, 3, 3), (5, 5, 7, 7))]
  formats.save_features(folder / "gt.gpkg", shapes, crop=["maize", "lawn"], height=[1, 2])
  formats.save_features(folder / "elsewhere.gpkg", shapes, crs="EPSG:32611", crop=["maize", "lawn"])
  formats.save_features(folder / "site.gpkg", shapes, crs=_SITE, crop=["maize", "lawn"])
  (folder / "gt.csv").write_text("row,column,crop,use\n1,1,maize,train\n2,2,lawn,validation\n")


@pytest.mark.parametrize(
  ("cube", "labels", "extra", "message"),
  [
    ("cube.tif", "elsewhere.tif", "", "elsewhere.tif has no labelled pixel.*EPSG:32611.*same area"),
    (
      "cube.tif",
      "elsewhere.gpkg",
      "",
      r"elsewhere.gpkg: all 2 features are outside the scene.*they cover x .* the scene covers x ",
    ),
    ("cube.tif", "site.gpkg", "", "site.gpkg cannot be projected onto the scene"),
    ("cube.tif", "gt.gpkg", "", "cannot tell which column.*crop, height.*label_column"),
    ("cube.tif", "gt.gpkg", "label_column: klass", r"has no column 'klass' \(columns: crop, height\)"),
    ("cube.tif", "gt.csv", "", "has no column 'class'.*columns: row, column, crop, use"),
    ("cube.tif", "gt.gpkg", "split_column: use", r"gt.gpkg has no column 'use' \(columns: crop, height\)"),
    (
      "cube.tif",
      "gt.csv",
      "label_column: crop\n  split_column: use",
      "line 3 has 'validation' in the column 'use' .*; expected train or test",
    ),
    ("cut.tif", "gt.tif", "", "cut.tif cannot be read as a raster"),
    ("text.tif", "gt.tif", "", "text.tif cannot be read as a raster"),
    ("cube.tif", "cut_gt.tif", "", "cut_gt.tif cannot be read as a raster"),
    ("cube.tif", "", "", "cube.tif contains only the cube; add the file with its labels"),
    ("cube.tif", "gt.tif", "scale: 0", "files.fields.scale is '0'; expected a finite number other than 0"),
    ("cube.tif", "gt.tif", "nodata: none", "files.fields.nodata is 'none'; expected a number"),
    ("cube.tif", "gt.tif", "wavelength_unit: cm", "wavelength_unit is 'cm'; expected one of 'nm', 'um'"),
    ("cube.tif", "gt.tif", "sensor: [", r"scenes.yaml cannot be read \(config key scenes_file\)"),
  ],
)
def test_files_that_do_not_match(refusal, folder, tmp_path, cube, labels, extra, message):
  lines = [
    "fields:",
    f"  cube: {folder / cube}",
    f"  labels: {folder / labels}" if labels else "",
    f"  {extra}",
  ]
  (tmp_path / "scenes.yaml").write_text("\n".join(lines))
  assert re.search(message, refusal(OWN, "--config.scenes_file=scenes.yaml"))
