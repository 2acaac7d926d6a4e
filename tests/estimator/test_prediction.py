"""The outputs of a prediction: arrays, Datasets of xarray, and files."""

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from tests import launching
from tests.prediction.predicting import TRANSFORM, predict, read_band, write_raster


def test_it_is_its_map(loaded, fields):
  found = loaded.predict(fields)
  np.testing.assert_array_equal(np.asarray(found), found.map)
  assert found.class_names == {1: "class 1", 4: "class 4", 9: "class 9"}
  assert found.colours[4] == (86, 180, 233)


def test_its_files_are_those_of_the_command(loaded, finished_by_folds, fields, tmp_path):
  write_raster(tmp_path / "flight.tif", fields)
  assert predict(finished_by_folds, tmp_path / "flight.tif", output=tmp_path / "flight").status == 0
  found = loaded.predict(tmp_path / "flight.tif")
  assert found.georeference.transform == tuple(TRANSFORM)[:6]
  files = found.write(tmp_path / "mine" / "flight")
  assert all(file.is_file() for file in files)
  for name, bands in {"flight_classes.tif": 1, "flight_confidence.tif": 2}.items():
    for band in range(1, bands + 1):
      np.testing.assert_array_equal(
        read_band(tmp_path / "mine" / name, band), read_band(tmp_path / name, band)
      )
  with pytest.raises(RequestError, match="was not overwritten; choose another output or move the file"):
    found.write(tmp_path / "mine" / "flight")
  assert (tmp_path / "mine/flight_areas.csv").read_text() == (tmp_path / "flight_areas.csv").read_text()


def test_it_becomes_a_dataset_with_the_coordinates_of_the_image(loaded, fields):
  xarray = pytest.importorskip("xarray")
  rows, columns = fields.shape[:2]
  coordinates = {"y": -2.0 * np.arange(rows), "x": 2.0 * np.arange(columns)}
  image = xarray.DataArray(fields, dims=("y", "x", "band"), coords=coordinates)
  found = loaded.predict(image).to_xarray()
  np.testing.assert_array_equal(found.x, coordinates["x"])
  np.testing.assert_array_equal(found.class_id, loaded.predict(fields).map)
  assert found.class_id.attrs["classes"] == ["1: class 1", "4: class 4", "9: class 9"]
  assert loaded.predict(launching.cube(launching.FIELDS, 1)).to_xarray().confidence.dims == ("y", "x")
