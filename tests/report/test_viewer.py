import base64
import dataclasses
import json
import re
import zlib

import numpy as np
import pytest

from mtl_hsi.report import colours, maps, page, script, viewer
from mtl_hsi.report.run_report import LeftOutLabels, ReplicaMap
from mtl_hsi.scenes.scene import Georeference, Scene
from tests.report.conftest import classified


def planes(view):
  data = view.data
  values = b"".join(zlib.decompress(base64.b64decode(text)) for text in (data["truth"], data["maps"][0]))
  return np.frombuffer(values, np.uint8).reshape(-1, data["height"], data["width"])


def viewed(report, budget=8_000_000):
  return viewer.make_view(report, list(maps.scene_maps(report)), budget)


def test_pixels_hold_truth_prediction_use_and_confidence(fields, fields_report):
  share = np.linspace(0, 1, 20).reshape(4, 5).astype(np.float32)
  report = dataclasses.replace(fields_report, vote_share=share, probability=share.astype(np.float16))
  truth, prediction, use, votes, probability = planes(viewed(report))
  places = np.select([fields.labels == i for i in (2, 5, 9)], [1, 2, 3])
  np.testing.assert_array_equal(truth, places)
  np.testing.assert_array_equal(prediction, np.where(places, places, 1))
  assert [(use == mark).sum() for mark in range(4)] == [1, 3, 16, 0]
  assert (use[tuple(report.train.T)] == 1).all()
  np.testing.assert_allclose(votes / 255, share, atol=0.002)
  np.testing.assert_allclose(probability / 255, share, atol=0.0025)


def test_a_network_alone_shows_confidence_but_no_votes(render_scene, fields_report):
  shape = fields_report.prediction.shape
  alone = dataclasses.replace(fields_report, vote_share=np.ones(shape), probability=np.full(shape, 0.5))
  text = render_scene(alone)
  assert 'data-show="confidence"' in text
  assert 'data-show="votes"' not in text
  assert "averaged over the snapshots" not in text
  # Of one mind, and several all the same.
  several = dataclasses.replace(alone, snapshots=5)
  text = render_scene(several)
  assert 'data-show="votes"' in text
  assert "averaged over the snapshots" in text


def with_replicas(report, number):
  """A report with that many maps: each has the class 5 in a row of its own."""
  further = []
  for row in range(1, number):
    prediction = report.prediction.copy()
    prediction[row] = 5
    probability = None if report.probability is None else report.probability / 2
    train, test = report.train[::-1] + 0, report.test[:row]
    further.append(ReplicaMap(prediction, train, test, report.vote_share, probability))
  return dataclasses.replace(report, further=further)


def test_maps_of_all_replicas_can_be_chosen(render_scene, fields_report):
  report = with_replicas(fields_report, 3)
  view = viewed(report)
  assert view.maps == ["replica 1", "replica 2", "replica 3"]
  assert len(view.data["maps"]) == 3
  assert view.data["agreement"]
  assert view.layers[-1] == ("agreement", "agreement")
  text = render_scene(report)
  assert text.count("<option") == 3
  assert 'data-show="agreement"' in text
  assert "R the next replica" in text
  assert "<option" not in render_scene(fields_report)


def test_maps_of_replicas_that_do_not_fit_are_left_out(fields_report):
  generator = np.random.default_rng(0)
  labels = generator.integers(1, 3, (200, 200)).astype(np.int32)
  report = classified(Scene("noise", labels[..., None].astype(np.uint8), labels, {1: "a", 2: "b"}))
  report = dataclasses.replace(
    report,
    false_colour_bands=(0, 0, 0),
    further=[ReplicaMap(labels, report.train, report.test)] * 30,
  )
  view = viewed(report, 150_000)
  assert 1 < len(view.maps) < 31
  assert len(view.maps) == len(view.data["maps"])
  assert (
    f"To keep this page small, it shows the maps of only {len(view.maps)} of 31 replicas." in view.caption
  )
  assert len(json.dumps(view.data)) + sum(map(len, view.pngs)) * 4 / 3 < 150_000


def test_left_out_labels_are_a_layer_with_a_choice_of_folds(render_scene, left_out_report):
  pixels = left_out_report.train
  found = LeftOutLabels(pixels, left_out_report.prediction[tuple(pixels.T)], np.arange(len(pixels)) % 3)
  report = dataclasses.replace(left_out_report, left_out_labels=found)
  view = viewed(report)
  assert view.folds == view.data["folds"] == 3
  assert view.layers[-1] == ("left", "left-out labels")
  text = render_scene(report)
  assert text.count(">fold ") == 3
  assert "left-out label, wrong" in text
  # Where a scene is left out as a whole there is nothing to choose.
  one = dataclasses.replace(report, left_out_labels=dataclasses.replace(found, fold=found.fold * 0))
  assert "all folds" not in render_scene(one)


def test_without_votes_there_is_no_layer_of_confidence(render_scene, fields_report):
  view = viewed(fields_report)
  assert len(planes(view)) == 3
  assert [key for key, _ in view.layers] == ["none", "truth", "prediction", "errors"]
  text = render_scene(fields_report)
  assert 'value="confidence"' not in text
  assert 'data-show="votes"' not in text


def test_pixels_without_measurement_have_no_prediction(fields, fields_report):
  report = dataclasses.replace(fields_report, scene=dataclasses.replace(fields, nodata=fields.labels == 0))
  _, prediction, use = planes(viewed(report))
  assert (prediction[3, 4], use[3, 4]) == (0, 3)


def test_more_classes_than_a_byte_holds_take_two():
  labels = np.arange(1, 301, dtype=np.int32).reshape(15, 20)
  labels = np.concatenate([labels, labels])
  cube = np.zeros((30, 20, 3), np.uint8)
  report = classified(Scene("many", cube, labels, {i: f"class {i}" for i in range(1, 301)}))
  low, high, *_ = planes(viewed(report))
  np.testing.assert_array_equal(low + 256 * high.astype(int), labels)


def test_large_scenes_are_thinned_out_until_they_fit(fields_report):
  generator = np.random.default_rng(0)
  labels = generator.integers(1, 4, (300, 200)).astype(np.int32)
  cube = generator.integers(0, 1000, (300, 200, 6)).astype(np.uint16)
  report = classified(Scene("large", cube, labels, {1: "a", 2: "b", 3: "c"}), probability=np.ones((300, 200)))
  budget = 300_000
  view = viewed(report, budget)
  assert view.stride == 2
  assert len(json.dumps(view.data)) + sum(map(len, view.pngs)) * 4 / 3 < budget
  np.testing.assert_array_equal(planes(view)[0], labels[::2, ::2])
  assert "Maps show every 2nd row and column." in view.caption
  assert re.search(r"in 8 bits, for all 6 bands of every \d+(th|nd|rd) row and column", view.caption)


def test_a_page_of_large_scenes_stays_below_its_budget(run, fields_report, monkeypatch):
  monkeypatch.setattr("mtl_hsi.report.spectra.PAGE_BUDGET", 1_000_000)
  generator = np.random.default_rng(0)
  cube = generator.integers(0, 9999, (300, 300, 20)).astype(np.uint16)
  labels = generator.integers(1, 3, (300, 300)).astype(np.int32)
  reports = [classified(Scene(f"scene{i}", cube, labels, {1: "a", 2: "b"})) for i in range(2)]
  text = page.render(dataclasses.replace(run, scenes=reports, losses=None))
  assert 300_000 < len(text.encode()) <= 1_000_000


def test_place_on_the_ground_is_named_by_code_or_name(fields, fields_report):
  def named(crs):
    scene = dataclasses.replace(fields, georeference=Georeference(crs, (10.0, 0, 5, 0, -10.0, 6)))
    return viewed(dataclasses.replace(fields_report, scene=scene)).data["georeference"]

  assert named("EPSG:32632") == {"transform": [10.0, 0, 5, 0, -10.0, 6], "crs": "EPSG:32632"}
  local = 'LOCAL_CS["Field <3>",UNIT["metre",1]]'
  assert named(local)["crs"] == "Field <3>"
  assert viewed(fields_report).data["georeference"] is None


@pytest.mark.parametrize(
  "name", ["</script><script>alert(1)</script>", "a\"'&<!--", "<img src=x onerror=alert(1)>"]
)
def test_names_stay_text_in_the_data_too(render_scene, fields, fields_report, name):
  scene = dataclasses.replace(fields, class_names={**fields.class_names, 5: name})
  text = render_scene(dataclasses.replace(fields_report, scene=scene), name=name)
  assert name not in text
  (data,) = re.findall(r'<script type="application/json">([^<]*)</script>', text)
  assert json.loads(data)["classes"][1]["label"] == f"5  {name}"


def test_only_the_pages_own_script_may_run(rendered):
  text = rendered
  (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
  assert re.fullmatch(
    r"default-src 'none'; script-src 'sha256-[\w+/]{43}='; style-src 'unsafe-inline'; img-src data:", policy
  )
  assert "</script" not in script.page_script()


def test_a_scenes_own_colours_are_those_of_maps_and_viewer(fields, fields_report):
  scene = dataclasses.replace(fields, class_colours={5: (1, 2, 3)})
  report = dataclasses.replace(fields_report, scene=scene)
  expected = [colours.class_colour(0), (1, 2, 3), colours.class_colour(2)]
  assert [entry["colour"] for entry in viewed(report).data["classes"]] == expected
  assert tuple(maps.class_image(scene, scene.labels)[0, 3]) == (1, 2, 3)
