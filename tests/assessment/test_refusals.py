"""Samples and maps that cannot be used are refused in one line, and nothing is written."""

import json
import shutil

import numpy as np
import pytest

from tests.assessment.maps import MAP, class_at, draw, estimate, fill_in, read, write, write_map


@pytest.fixture(scope="module")
def sampled(tmp_path_factory):
  """A directory with a map and a stratified sample of 60 pixels that is filled in."""
  place = tmp_path_factory.mktemp("sampled")
  outcome = draw(write_map(place / "map.tif"), size=60, floor=15)
  assert outcome.status == 0, outcome.err
  fill_in(place / "map_sample.csv", class_at(MAP))
  return place


@pytest.fixture
def copy(sampled, tmp_path):
  """A copy of that directory for a test to change."""
  return shutil.copytree(sampled, tmp_path / "copy")


def refused(outcome, place, text: str) -> None:
  assert (outcome.status, outcome.err.count("\n")) == (2, 1)
  assert text in outcome.err
  assert not list(place.glob("*_estimates*"))


def refusal_of(place, text: str, **keys) -> None:
  keys = {"map": place / "map.tif", "sample": place / "map_sample.csv", **keys}
  refused(estimate(keys.pop("map"), keys.pop("sample"), **keys), place, text)


def changed(place, change) -> None:
  """Rewrites the sample with the rows that `change` returns."""
  write(place / "map_sample.csv", change(read(place / "map_sample.csv")))


def test_a_sample_of_another_map(copy):
  other = write_map(copy / "other.tif", np.where(MAP == 5, 2, MAP))
  refusal_of(copy, "other.tif is not the map from which the sample was drawn (map.tif, SHA-256", map=other)
  assert draw(other, size=30, floor=10).status == 0
  refusal_of(copy, "it was drawn at row", design=copy / "other_design.json", map=other)


def test_a_new_map_on_another_grid_or_with_a_gap(copy):
  smaller = write_map(copy / "smaller.tif", MAP[1:])
  refusal_of(copy, "smaller.tif has another grid than the map of the sample", map=smaller, new_map=True)
  gap = write_map(copy / "gap.tif", np.where(MAP == 5, 0, MAP))
  refusal_of(copy, "gap.tif has no class at row", map=gap, new_map=True)


def test_a_stratum_without_a_label(copy):
  fill_in(copy / "map_sample.csv", lambda row: class_at(MAP)(row) if class_at(MAP)(row) != 5 else "")
  refusal_of(copy, "stratum 5 ('water') has 0 labelled units; label at least 2 in each stratum")


def test_a_class_that_the_map_lacks(copy):
  changed(copy, lambda rows: [{**rows[0], "class": "ice"}, *rows[1:]])
  refusal_of(
    copy, "line 2: the map has no class 'ice' (classes: 1 corn, 2 soy, 5 water); correct it, write '?'"
  )
  changed(copy, lambda rows: [{**rows[0], "class": "3"}, *rows[1:]])
  refusal_of(copy, "line 2: the map has no class '3'")


@pytest.mark.parametrize(
  ("cells", "text"),
  [
    ({"id": "61"}, "line 2: unit '61' is not in the design, which has the units 1 to 60"),
    ({"id": "first"}, "line 2: unit 'first' is not in the design"),
    ({"row": "999"}, "line 2: unit 1 is at row '999', column "),
    ({"column": ""}, "line 2: unit 1 is at row "),
    ({"id": "2"}, "unit 2 is at row "),
  ],
)
def test_points_that_were_not_drawn_there(copy, cells, text):
  changed(copy, lambda rows: [{**rows[0], **cells}, *rows[1:]])
  refusal_of(copy, text)


def test_a_unit_twice(copy):
  changed(copy, lambda rows: [*rows, rows[0]])
  refusal_of(copy, "line 62: unit 1 is listed twice")


def test_a_sample_that_is_not_filled_in(copy):
  fill_in(copy / "map_sample.csv", lambda _: "")
  refusal_of(copy, "map_sample.csv is not filled in: no unit has a class in the column 'class'")
  refusal_of(copy, "map_sample.gpkg is not filled in", sample=copy / "map_sample.gpkg")


def test_files_that_are_no_samples(copy):
  refusal_of(copy, "no such file", sample=copy / "missing_sample.csv")
  (copy / "map_sample.csv").write_text("a,b\n1,2\n")
  refusal_of(copy, "has no column 'id', 'row', 'column', 'class'")
  (copy / "map_sample.gpkg").write_bytes(b"SQLite format 3\0" + bytes(100))
  refusal_of(copy, "cannot be read as a sample", sample=copy / "map_sample.gpkg")
  refusal_of(copy, "is no sample", sample=copy / "map.tif", design=copy / "map_design.json")


@pytest.mark.parametrize(
  "change",
  [
    lambda record: record.pop("units"),
    lambda record: record.update(units=[]),
    lambda record: record.update(units=[[1, 2, 3]]),
    lambda record: record["units"][0].__setitem__(1, 10**6),
    lambda record: record["units"][0].__setitem__(5, -1),
    lambda record: record["units"][0].__setitem__(3, 99),
    lambda record: record["strata"][0].update(units=0),
    lambda record: record["strata"][0].update(sample=1),
    lambda record: record["strata"][0].update(name="a\x1bb"),
    lambda record: record.update(unit_side=0),
    lambda record: record.update(design="cluster"),
    lambda record: record.update(map={}),
    lambda record: record.update(schema=2),
  ],
)
def test_a_damaged_design(copy, change):
  path = copy / "map_design.json"
  record = json.loads(path.read_text())
  change(record)
  path.write_text(json.dumps(record))
  refusal_of(copy, "map_design.json")


def test_existing_files_are_kept(copy):
  assert estimate(copy / "map.tif", copy / "map_sample.csv").status == 0
  outcome = estimate(copy / "map.tif", copy / "map_sample.csv")
  assert (outcome.status, "already exists and was not overwritten" in outcome.err) == (2, True)
  outcome = draw(copy / "map.tif")
  assert (outcome.status, "already exists and was not overwritten" in outcome.err) == (2, True)


@pytest.mark.parametrize(
  ("keys", "text"),
  [
    ({"design": "cluster"}, "config key design is 'cluster'; expected one of 'stratified', 'simple'"),
    ({"size": -1}, "config key size is -1; expected 0 to derive it"),
    ({"size": 20}, "config key size is 20, too few for 3 strata with at least 50 units each"),
    ({"standard_error": 0.0}, "config key standard_error is 0.0; expected more than 0"),
    ({"expected_accuracy": "80"}, "config key expected_accuracy is '80'; expected a fraction of 1"),
    ({"unit_side": 0}, "config key unit_side is 0"),
    ({"training": "ignore"}, "config key training is 'ignore'; expected one of 'exclude', 'stratum'"),
    ({"design": "simple", "training": "stratum"}, "config key training is 'stratum'; expected 'exclude', or"),
    ({"design": "simple", "strata": "a.tif"}, "config key strata is 'a.tif'; expected nothing, or"),
    ({"run": "nowhere"}, "nowhere; expected the work directory of a finished run"),
    ({"strata": "nowhere.tif"}, "nowhere.tif"),
  ],
)
def test_draws_that_make_no_sense(tmp_path, keys, text):
  path = write_map(tmp_path / "map.tif")
  refused(draw(path, **keys), tmp_path, text)
  assert [file.name for file in tmp_path.iterdir()] == ["map.tif"]


def test_maps_that_have_nothing_to_draw(tmp_path):
  refused(draw(tmp_path / "none.tif"), tmp_path, "none.tif")
  refused(draw(""), tmp_path, "nothing to sample: give a class map, --config.map=<path>")
  empty = write_map(tmp_path / "empty.tif", np.zeros_like(MAP))
  refused(draw(empty), tmp_path, "empty.tif has fewer than 2 units with a class")


def test_an_image_is_no_map(tmp_path):
  path = tmp_path / "image.npz"
  np.savez(path, MAP)
  refused(draw(path), tmp_path, "image.npz")


def test_further_classes_are_new_and_different(copy):
  refusal_of(copy, "config key further_classes has 'Corn'", further_classes="Corn")
  refusal_of(copy, "config key further_classes is 'ice,Ice'", further_classes="ice,Ice")
