"""configs/assess_draw.py: the files of a sample."""

import json

import geopandas
import jsonschema
import numpy as np
import pytest

from mtl_hsi.scenes.scene import Georeference
from tests.assessment.maps import DEGREES, MAP, NAMES, UTM, draw, read, write_map
from tests.assessment.test_training import write_run
from tests.launching import ROOT


def design_of(stem) -> dict:
  """Returns a design, which must fit its schema."""
  record = json.loads(stem.with_name(stem.name + "_design.json").read_text())
  jsonschema.validate(record, json.loads((ROOT / "docs" / "schemas" / "design.json").read_text()))
  return record


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
  """Stem of a sample of 60 pixels, and what was printed."""
  place = tmp_path_factory.mktemp("drawn")
  outcome = draw(write_map(place / "flight_classes.tif"), size=60, floor=15)
  assert (outcome.status, outcome.err) == (0, "")
  return place / "flight", outcome.out


def test_the_table_is_empty_and_in_the_order_of_labelling(drawn):
  rows = read(drawn[0].with_name("flight_sample.csv"))
  assert list(rows[0]) == ["id", "row", "column", "x", "y", "lon", "lat", "class", "note"]
  assert [row["id"] for row in rows] == [str(number) for number in range(1, 61)]
  assert {(row["class"], row["note"]) for row in rows} == {("", "")}
  assert len({(row["row"], row["column"]) for row in rows}) == 60


def test_coordinates_are_those_of_the_centres(drawn):
  row = read(drawn[0].with_name("flight_sample.csv"))[0]
  assert float(row["x"]) == 500_000 + 4 * (int(row["column"]) + 0.5)
  assert float(row["y"]) == 5_300_000 - 4 * (int(row["row"]) + 0.5)
  assert (float(row["lon"]), float(row["lat"])) == pytest.approx((15.0, 47.85), abs=0.01)


def test_the_features_are_the_rows_of_the_table(drawn):
  features = geopandas.read_file(drawn[0].with_name("flight_sample.gpkg"))
  rows = read(drawn[0].with_name("flight_sample.csv"))
  assert features.crs.to_epsg() == 32633
  assert features["id"].tolist() == list(range(1, 61))
  assert set(features["class"]) <= {"", None}
  np.testing.assert_allclose(features.geometry.x, [float(row["x"]) for row in rows])


def test_the_design_has_weights_and_inclusion_probabilities(drawn):
  record = design_of(drawn[0])
  assert [stratum["name"] for stratum in record["strata"]] == list(NAMES.values())
  assert sum(stratum["weight"] for stratum in record["strata"]) == pytest.approx(1)
  assert [stratum["sample"] for stratum in record["strata"]] == [30, 15, 15]
  assert record["strata"][2]["inclusion_probability"] == pytest.approx(15 / 38)
  for number, row, column, stratum, class_id, _ in record["units"]:
    assert stratum == class_id == MAP[row, column]
    assert number >= 1
  assert record["area_unit"] == "hectares"
  assert "No --config.run" in drawn[1]


def test_squares_are_polygons_of_their_pixels(tmp_path):
  outcome = draw(write_map(tmp_path / "map.tif"), unit_side=7, size=10, floor=2)
  assert outcome.status == 0, outcome.err
  features = geopandas.read_file(tmp_path / "map_sample.gpkg")
  row = read(tmp_path / "map_sample.csv")[0]
  left, bottom, right, top = features.geometry[0].bounds
  assert (left - 500_000, 5_300_000 - top) == (4 * int(row["column"]), 4 * int(row["row"]))
  # The last squares are cut by the border: 30 = 4 * 7 + 2 columns, 20 = 2 * 7 + 6 rows.
  assert set(np.round(features.geometry.area)) <= {16.0 * a * b for a in (7, 6) for b in (7, 2)}
  assert (features.geometry.centroid.x - features.geometry.centroid.x.round(6)).abs().max() < 1e-5
  assert ((left + right) / 2, (bottom + top) / 2) == pytest.approx((float(row["x"]), float(row["y"])))


def test_a_map_without_a_place_has_a_table_only(tmp_path):
  outcome = draw(write_map(tmp_path / "map.tif", place=None), size=20, floor=5)
  assert outcome.status == 0, outcome.err
  assert list(read(tmp_path / "map_sample.csv")[0]) == ["id", "row", "column", "class", "note"]
  assert not (tmp_path / "map_sample.gpkg").exists()
  assert design_of(tmp_path / "map")["area_unit"] == "pixels"


def test_a_map_of_a_run_leaves_out_its_training_pixels(tmp_path):
  path = write_run(tmp_path / "run")
  outcome = draw(path, size=565, allocation="proportional")
  assert outcome.status == 0, outcome.err
  assert "Left out of the target area: 4 pixels in units that trained" in outcome.out
  record = design_of(tmp_path / "run" / "assessment" / "fields")
  assert record["left_out_pixels"] == {"training": 4, "outside_strata": 0}
  found = {(row, column) for _, row, column, *_ in record["units"]}
  assert found.isdisjoint({(1, 0), (1, 2), (4, 4), (19, 29)})


def test_training_pixels_can_be_a_stratum(tmp_path):
  path = write_run(tmp_path / "run")
  outcome = draw(path, training="stratum", size=40, floor=3, output=tmp_path / "sample")
  assert outcome.status == 0, outcome.err
  first, *_ = design_of(tmp_path / "sample")["strata"]
  assert (first["id"], first["name"], first["units"], first["sample"]) == (0, "training pixels", 4, 3)


@pytest.mark.parametrize("design", ["simple", "systematic"])
def test_designs_without_strata(tmp_path, design):
  outcome = draw(write_map(tmp_path / "map.tif", place=DEGREES), design=design, size=50)
  assert outcome.status == 0, outcome.err
  (stratum,) = design_of(tmp_path / "map")["strata"]
  assert (stratum["id"], stratum["name"], stratum["units"]) == (0, "all classes", 570)
  assert 40 <= stratum["sample"] <= 80


def test_strata_of_another_raster_have_its_names(tmp_path):
  regions = np.where(np.arange(30) < 15, 1, 2) * np.ones_like(MAP)
  outcome = draw(
    write_map(tmp_path / "map.tif"), strata=write_map(tmp_path / "regions.tif", regions), size=20, floor=5
  )
  assert outcome.status == 0, outcome.err
  record = design_of(tmp_path / "map")
  assert [stratum["units"] for stratum in record["strata"]] == [285, 285]
  assert {class_id for *_, class_id, _ in record["units"]} <= {1, 2, 5}


def test_the_size_follows_from_the_standard_error(tmp_path):
  outcome = draw(
    write_map(tmp_path / "map.tif", place=UTM), standard_error=0.05, expected_accuracy="0.8, 5:0.5", floor=2
  )
  assert outcome.status == 0, outcome.err
  # (0.4 * 0.933 + 0.5 * 0.067)^2 / (0.05^2 + 0.166 / 570) is 59.3.
  assert len(design_of(tmp_path / "map")["units"]) == 60


def test_the_same_command_gives_the_same_table(tmp_path):
  path = write_map(tmp_path / "map.tif")
  for name in ("one", "two"):
    assert draw(path, size=50, floor=10, output=tmp_path / name).status == 0
  for ending in ("sample.csv", "design.json"):
    assert (tmp_path / f"one_{ending}").read_bytes() == (tmp_path / f"two_{ending}").read_bytes()


def test_a_run_of_another_place_is_noticed(tmp_path):
  write_run(tmp_path / "run")
  far = write_map(tmp_path / "far.tif", place=Georeference("EPSG:32634", UTM.transform))
  outcome = draw(far, run=tmp_path / "run", size=10, floor=2)
  assert outcome.status == 0, outcome.err
  assert f"note: no training pixel of the run {tmp_path / 'run'} is in the map" in outcome.out


@pytest.mark.parametrize("keys", [{"run": "other"}, {"scene": "town"}])
def test_a_map_of_one_run_has_no_other_training_pixels(tmp_path, monkeypatch, keys):
  monkeypatch.chdir(tmp_path)
  path = write_run(tmp_path / "run")
  write_run(tmp_path / "other")
  outcome = draw(path, size=10, floor=2, **keys)
  assert (outcome.status, outcome.err.count("\n")) == (2, 1)
  assert f"is the map of 'fields' of the run {tmp_path / 'run'}" in outcome.err
  assert draw(path, run="run", size=10, floor=2).status == 0
