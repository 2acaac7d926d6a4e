"""configs/assess_estimate.py: estimates from a filled-in sample."""

import csv
import json
import shutil

import geopandas
import jsonschema
import numpy as np
import pytest

from tests.assessment.maps import MAP, UTM, class_at, draw, estimate, fill_in, read, write, write_map
from tests.assessment.test_training import write_run
from tests.launching import ROOT

# On the ground the water is a column wider, and some corn is soy.
TRUTH = MAP.copy()
TRUTH[1:, 27] = 5
TRUTH[10:, :3] = 2


@pytest.fixture(scope="module")
def sampled(tmp_path_factory):
  """A directory with a map and a stratified sample of 120 pixels that is filled in."""
  place = tmp_path_factory.mktemp("sampled")
  outcome = draw(write_map(place / "map.tif"), size=120, floor=30)
  assert outcome.status == 0, outcome.err
  fill_in(place / "map_sample.csv", class_at(TRUTH))
  return place


@pytest.fixture
def copy(sampled, tmp_path):
  """A copy of that directory for a test to change."""
  return shutil.copytree(sampled, tmp_path / "copy")


def results(stem) -> dict:
  """Returns the estimates of a stem, which must fit their schema."""
  record = json.loads(stem.with_name(stem.name + "_estimates.json").read_text())
  jsonschema.validate(record, json.loads((ROOT / "docs" / "schemas" / "estimates.json").read_text()))
  return record


def estimated(place, **keys) -> dict:
  keys = {"map": place / "map.tif", "sample": place / "map_sample.csv", **keys}
  outcome = estimate(keys.pop("map"), keys.pop("sample"), **keys)
  assert (outcome.status, outcome.err) == (0, "")
  return results(place / "map")


def test_areas_correct_the_counted_ones(copy):
  record = estimated(copy)
  corn, soy, water = record["classes"]
  assert (corn["id"], soy["name"], record["area_unit"]) == (1, "soy", "hectares")
  assert water["mapped_area"] == pytest.approx(38 * 0.0016, rel=1e-3)
  for of_class, class_id in ((corn, 1), (soy, 2), (water, 5)):
    area = of_class["area"]
    truth = (TRUTH[1:] == class_id).sum() * 0.0016
    assert area["lower"] < truth < area["upper"]
    assert area["lower"] < area["estimate"] < area["upper"]
    assert of_class["bias"] == pytest.approx(of_class["mapped_area"] - area["estimate"])
    assert area["plus_minus"] == pytest.approx(1.96 * area["standard_error"])
  assert sum(c["area_share"]["estimate"] for c in record["classes"]) == pytest.approx(1)
  assert record["assumptions"] == []


def test_tables_and_page_have_the_same_figures(copy):
  record = estimated(copy)
  with (copy / "map_estimates.csv").open() as file:
    rows = {(row["measure"], row["class"]): row for row in csv.DictReader(file)}
  water = record["classes"][2]
  assert float(rows["area_hectares", "5"]["upper"]) == pytest.approx(water["area"]["upper"], rel=1e-5)
  assert float(rows["bias_hectares", "5"]["estimate"]) == pytest.approx(water["bias"], rel=1e-5)
  matrix = (copy / "map_error_matrix.csv").read_text().splitlines()
  assert matrix[0] == "matrix,map class,corn,soy,water"
  assert [int(cell) for cell in matrix[3].split(",")[2:]] == record["error_matrix"]["units"][2]
  page = (copy / "map_estimates.html").read_text()
  for of_class in record["classes"]:
    assert f"{of_class['area']['estimate']:.2f}" in page
  assert f"{100 * record['overall_accuracy']['estimate']:.1f}%" in page


def test_features_that_are_filled_in_give_the_same(copy):
  features = geopandas.read_file(copy / "map_sample.gpkg")
  features["class"] = [str(TRUTH[row, column]) for row, column in zip(features["row"], features["column"])]
  (copy / "map_sample.gpkg").unlink()
  features.to_file(copy / "map_sample.gpkg", layer="sample", driver="GPKG")
  outcome = estimate(copy / "map.tif", copy / "map_sample.gpkg", output=copy / "features")
  assert (outcome.status, outcome.err) == (0, "")
  assert results(copy / "features") == estimated(copy)


def test_names_in_any_order_of_rows_do_as_well_as_ids(copy):
  expected = estimated(copy)
  names = {"1": "Corn", "2": " soy", "5": "5.0"}
  rows = [{**row, "class": names[row["class"]]} for row in read(copy / "map_sample.csv")]
  write(copy / "map_sample.csv", rows[::-1])
  outcome = estimate(copy / "map.tif", copy / "map_sample.csv", output=copy / "again")
  assert (outcome.status, outcome.err) == (0, "")
  assert results(copy / "again") == expected


def test_units_that_are_unsure_or_missing_are_counted_and_left_out(copy):
  rows = read(copy / "map_sample.csv")
  rows[3]["class"], rows[7]["class"] = "?", "Unsure"
  rows[5]["class"] = ""
  for row in rows[100:]:
    row["class"] = ""
  write(copy / "map_sample.csv", rows)
  record = estimated(copy)
  counts = {
    key: sum(s[key] for s in record["strata"]) for key in ("labelled", "unsure", "missing", "not_reached")
  }
  assert counts == {"labelled": 97, "unsure": 2, "missing": 1, "not_reached": 20}
  unsure, stopped = record["assumptions"]
  assert unsure.startswith("2 units are marked as unsure and 1 have no class. They are left out, as if")
  assert stopped.startswith("Labelling stopped 20 units before the end.")
  assert sum(map(sum, record["error_matrix"]["units"])) == 97


def test_a_later_map_is_assessed_with_the_strata_of_the_first(copy):
  write_map(copy / "later.tif", TRUTH)
  record = estimated(copy, map=copy / "later.tif", new_map=True)
  assert record["overall_accuracy"]["estimate"] == 1
  assert record["map"]["is_new"]
  assert [c["mapped_area"] for c in record["classes"]] == pytest.approx(
    [(TRUTH[1:] == class_id).sum() * 0.0016 for class_id in (1, 2, 5)], rel=1e-3
  )
  # Strata are not classes: the areas are estimated as with the first map.
  assert record["classes"][2]["area"]["standard_error"] > 0


def test_a_class_that_the_map_lacks_can_be_added(copy):
  fill_in(copy / "map_sample.csv", lambda row: "ice" if int(row["row"]) > 15 else class_at(TRUTH)(row))
  record = estimated(copy, further_classes="ice")
  ice = record["classes"][-1]
  assert (ice["id"], ice["name"], ice["users_accuracy"], ice["mapped_area"]) == (6, "ice", None, 0)
  assert ice["producers_accuracy"]["estimate"] == 0
  assert ice["area_share"]["lower"] < 4 / 19 < ice["area_share"]["upper"]


@pytest.mark.parametrize("design", ["simple", "systematic"])
def test_designs_without_strata_are_stratified_after_the_fact(tmp_path, design):
  assert draw(write_map(tmp_path / "map.tif"), design=design, size=140).status == 0
  fill_in(tmp_path / "map_sample.csv", class_at(TRUTH))
  record = estimated(tmp_path)
  # The pond has fewer than ten units and joins the next class.
  assert any("after the fact by the class in the map: corn; " in text for text in record["assumptions"])
  assert any("no unbiased standard error" in text for text in record["assumptions"]) == (
    design == "systematic"
  )
  assert record["overall_accuracy"]["lower"] < (TRUTH == MAP)[1:].mean() < record["overall_accuracy"]["upper"]


def test_a_map_without_a_place_has_areas_in_pixels(tmp_path):
  assert draw(write_map(tmp_path / "map.tif", place=None), size=90, floor=30).status == 0
  fill_in(tmp_path / "map_sample.csv", class_at(MAP))
  record = estimated(tmp_path)
  assert (record["area_unit"], record["target_area"]) == ("pixels", 570)
  assert [c["area"]["estimate"] for c in record["classes"]] == pytest.approx([380, 152, 38])
  assert [c["bias"] for c in record["classes"]] == pytest.approx([0, 0, 0])


def test_squares_are_estimated_by_their_prevailing_class(tmp_path):
  assert draw(write_map(tmp_path / "map.tif", place=UTM), unit_side=4, size=30, floor=3).status == 0
  fill_in(
    tmp_path / "map_sample.csv",
    lambda row: np.bincount(MAP[int(row["row"]) :, int(row["column"]) :][:4, :4].ravel())[1:].argmax() + 1,
  )
  record = estimated(tmp_path)
  assert record["overall_accuracy"]["estimate"] == 1
  assert record["target_area"] == pytest.approx(570 * 0.0016, rel=1e-3)
  assert any("squares of 4 pixels" in text for text in record["assumptions"])


def page(stem) -> str:
  return stem.with_name(stem.name + "_estimates.html").read_text()


def test_the_page_links_the_report_of_the_run(tmp_path):
  path = write_run(tmp_path / "run")
  (tmp_path / "run" / "report.html").write_text("report")
  outcome = draw(path, size=40, floor=10)
  assert outcome.status == 0, outcome.err
  stem = tmp_path / "run" / "assessment" / "fields"
  sample = stem.with_name("fields_sample.csv")
  fill_in(sample, class_at(MAP))
  assert estimate(path, sample).status == 0
  assert '<p>The map: <a href="../report.html">../report.html</a>.</p>' in page(stem)
  assert estimate(path, sample, output=tmp_path / "elsewhere").status == 0
  assert '<a href="run/report.html">' in page(tmp_path / "elsewhere")


def test_the_page_links_the_picture_of_a_prediction(copy):
  (copy / "my map #1.png").write_bytes(b"picture")
  (copy / "map.tif").rename(copy / "my map #1.tif")
  assert estimate(copy / "my map #1.tif", copy / "map_sample.csv").status == 0
  assert '<a href="my%20map%20%231.png">my map #1.png</a>' in page(copy / "map")


def test_a_map_that_nothing_shows_is_not_linked(copy):
  estimated(copy)
  assert "<a href" not in page(copy / "map")
