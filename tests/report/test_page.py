import base64
import dataclasses
import io
import re

import numpy as np
import pytest
from PIL import Image

from mtl_hsi.evaluation.metrics import summarise
from mtl_hsi.report import page
from mtl_hsi.scenes.scene import Georeference
from tests.report.page_parser import Page, row

_NONE = "\N{EN DASH}"


def test_summary_stands_beside_the_paper_s_figure(rendered):
  rows = Page(rendered).rows
  assert row(rows, "Indian Pines") == [
    "Indian Pines target", "100.00 ± 0.00 too optimistic", *["100.00 ± 0.00"] * 2, "39.17 ± 3.06", "+60.83"
  ]  # fmt: skip
  assert row(rows, "fields")[0] == "fields simulated"
  assert row(rows, "fields")[-2:] == [_NONE, _NONE]


def test_a_single_training_pixel_is_used(fields_report, render_scene):
  text = " ".join(render_scene(dataclasses.replace(fields_report, train=fields_report.train[:1])).split())
  assert "3 classes, 19 labelled pixels." in text
  assert "1 is used for training and 16 for testing" in text


def test_the_map_comes_first_with_its_accuracy(render_scene, fields_report):
  text = render_scene(fields_report)
  places = [
    text.index(part) for part in ('class="verdict"', "<canvas", "<h3>Accuracy", "<h2>How to reproduce")
  ]
  assert places == sorted(places)
  seen = " ".join(re.sub("<[^>]*>", "", text).split())
  assert (
    "100.00 ± 0.00% overall accuracy, on 16 test pixels: mean ± standard deviation over 2 replicas" in seen
  )


def test_only_several_scenes_have_a_choice_and_a_comparison(rendered, render_scene, fields_report):
  assert '<a href="#scene-2">fields <small>100.0%</small></a>' in rendered
  assert "<h2>All scenes" in rendered
  alone = render_scene(fields_report)
  assert 'href="#scene' not in alone
  assert "<h2>All scenes" not in alone


def test_without_a_cell_in_the_paper_it_is_not_mentioned(run):
  text = page.render(dataclasses.replace(run, scenes=run.scenes[1:], losses=run.losses[:, :, 1:]))
  assert "paper" not in text


def test_maps_are_embedded_and_nothing_is_fetched(rendered, indian_pines_report):
  text = rendered
  seen = Page(text)
  assert all(address.startswith(("data:image/png;base64,", "#", "assessment/")) for address in seen.addresses)
  assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|url\(|@import|fetch\(|import\(", text)
  assert not seen.tags & {"link", "iframe", "object"}
  assert len(seen.images) == 8
  truth = base64.b64decode(seen.images[1]["src"].partition(",")[2])
  assert Image.open(io.BytesIO(truth)).size == (145, 145)
  assert [image["alt"] for image in seen.images[4:]] == [
    f"fields (simulated): {name}" for name in ("false colour", "ground truth", "prediction", "errors")
  ]


def test_every_text_is_escaped(rendered, run):
  text = rendered
  assert text.count("<script") == text.count("</script") == len(run.scenes) + 1
  assert "&lt;script&gt;x" in text
  assert "<b>Wald</b>" not in text
  assert "&lt;b&gt;Wald&lt;/b&gt;" in text
  assert "Two scenes &amp; one &lt;network&gt;" in text
  assert "--config=&#39;a &amp; b&#39;" in text


def test_classes_with_their_counts(rendered):
  rows = Page(rendered).rows
  assert row(rows, "9 Roof") == ["9 Roof", "", *["100.0 ± 0.0"] * 3, "1", "5", "6"]


def test_class_without_test_pixels_is_explained(rendered, run, fields_report):
  per_class = [dict(entry) for entry in fields_report.metrics["per_class"]]
  undefined = {"mean": None, "std": None}
  per_class[2] |= {"accuracy": undefined, "f1": undefined, "test_pixels": 0}
  report = dataclasses.replace(fields_report, metrics=fields_report.metrics | {"per_class": per_class})
  text = page.render(dataclasses.replace(run, scenes=[report], losses=run.losses[:, :, 1:]))
  assert row(Page(text).rows, "9 Roof") == ["9 Roof", "", _NONE, "100.0 ± 0.0", _NONE, "1", "0", "6"]
  assert "without test pixels" in text
  assert "without test pixels" not in rendered


def test_measures_stand_with_their_intervals(render_scene, fields_report):
  metrics = dict(fields_report.metrics)
  metrics["kappa"] = {"mean": 0.5, "std": 0.1, "replicas": [0.4, 0.6], "interval": [0.25, 0.75]}
  metrics["average_accuracy"] = metrics["kappa"] | {"interval": None}
  report = dataclasses.replace(fields_report, metrics=metrics)
  text = render_scene(report)
  assert row(Page(text).rows, "Kappa")[1:] == ["50.00 ± 10.00", "25.0 to 75.0"]
  assert row(Page(text).rows, "Average accuracy")[-1] == _NONE
  assert "Student" in text


def test_areas_are_in_hectares_with_a_georeference(render_scene, rendered, fields_report):
  place = Georeference("EPSG:32632", (100.0, 0.0, 500000.0, 0.0, -100.0, 5000000.0))
  scene = dataclasses.replace(fields_report.scene, georeference=place)
  report = dataclasses.replace(fields_report, scene=scene)
  text = render_scene(report)
  assert row(Page(text).rows, "9 Roof")[-2:] == ["6", "6.00"]
  assert "Hectares" not in rendered


def test_confusion_in_percent_of_the_true_class(render_scene, fields_report):
  metrics = fields_report.metrics | {"confusion": [[999, 1, 0], [1, 1, 2], [0, 0, 0]]}
  report = dataclasses.replace(fields_report, metrics=metrics)
  rows = Page(render_scene(report)).rows
  confusion = rows[rows.index(["", "2 Maïs & blé", "5 <b>Wald</b>", "9 Roof", "pixels"]) + 1 :][:3]
  # Share of the row, share of the column and count, of which one is seen.
  assert confusion == [
    ["2 Maïs & blé", "100 100 999", "<1 50 1", "", "1,000"],
    ["5 <b>Wald</b>", "25 <1 1", "25 50 1", "50 100 2", "4"],
    ["9 Roof", "", "", "", "0"],
  ]
  assert row(rows, "pixels") == ["pixels", "1,000", "2", "2", "1,004"]


def test_loss_curves_with_their_phases(rendered, run):
  text = rendered
  assert text.count('aria-label="Training loss') == 2
  rows = Page(text).rows
  assert row(rows, "1 main")[:2] == ["1 main", "4"]
  assert row(rows, "2 adapt") == ["2 adapt", "2", "0.0125"]
  assert "Training loss" not in page.render(dataclasses.replace(run, losses=None))


@pytest.mark.parametrize(
  ("leakage", "words"),
  [(0.25, "25.0% of the test pixels"), (0.0, "No test pixel has a training pixel"), (None, None)],
)
def test_split_and_leakage_in_words(render_scene, indian_pines_report, leakage, words):
  report = dataclasses.replace(indian_pines_report, leakage=leakage)
  text = render_scene(report)
  assert "16 are used\nfor training and 10,233 for testing in the first replica." in text
  assert "in its patch" not in text if words is None else words in text


def test_how_it_was_made(rendered):
  seen = " ".join(re.sub(r"<[^>]*>", " ", rendered).split())
  assert "training 3 min 20 s" in seen
  assert "classification 1.3 s" in seen
  assert "model.name hresnet" in seen
  assert "phases[1].epochs 2" in seen
  assert "versions.jax 0.10.2" in seen
  assert "Run from /home/&lt;me&gt; ; relative paths refer to this directory." in seen
  assert "was started" not in seen


def test_times_of_a_run_that_was_interrupted_are_not_taken_for_all_of_it(run):
  starts = [{"started": f"2026-01-0{day}T00:00:00+00:00"} for day in (1, 2)]
  text = page.render(dataclasses.replace(run, environment={**run.environment, "starts": starts}))
  assert "The run was started 2 times; these are the times of the last start." in text


def test_a_warning_is_beside_the_accuracy_it_is_about(render_scene, indian_pines_report):
  warned = render_scene(indian_pines_report)
  assert warned.index("overall accuracy <span") < warned.index("too optimistic") < warned.index("<canvas")
  assert "use --config.split=blocks." in warned
  assert "too optimistic" not in render_scene(dataclasses.replace(indian_pines_report, leakage=0.0))


def test_without_test_pixels_a_sentence_replaces_the_tables(render_scene, fields_report):
  empty = np.zeros((3, 3), int)
  scene = fields_report.scene
  metrics = summarise(np.stack([empty, empty]), scene.class_ids, scene.class_names)
  untested = dataclasses.replace(fields_report, test=np.zeros((0, 2), np.int32), metrics=metrics)
  text = render_scene(untested)
  assert "All labels were used for training, so no accuracy can be computed." in text
  assert 'class="confusion"' not in text
  assert "F1" not in text
  assert row(Page(text).rows, "9 Roof") == ["9 Roof", "1", "0", "6"]
  assert 'value="errors"' not in text
  assert "test pixel, wrong" not in text


def test_each_scene_links_the_estimates_of_its_map(rendered):
  for name in ("indian_pines", "fields"):
    path = f"assessment/{name}_estimates.html"
    assert f'<a href="{path}">{path}</a>' in rendered


def test_experts_have_a_table_and_what_was_chosen(render_scene, rendered, mixed_report):
  text = render_scene(mixed_report)
  rows = Page(text).rows
  assert row(rows, "network (context)") == ["network (context)", "81.2", "\N{MINUS SIGN}0.60", "0.50"]
  assert row(rows, "regression on single spectra")[1:] == [_NONE, _NONE, "0.25"]
  assert row(rows, "mixture, smoothed")[1:] == ["88.0", "", ""]
  assert "Chosen map smoothing: light (6 pixels)." in text
  assert ">Experts<" not in rendered


def test_reliability_is_drawn_beside_the_calibration_error(render_scene, mixed_report):
  text = render_scene(mixed_report)
  assert text.count('aria-label="Reliability diagram') == 1
  assert text.count("<circle") == 3
  rows = Page(text).rows
  assert row(rows, "before the temperature")[1] == "0.080"
  assert row(rows, "after the temperature")[1] == "0.031"
  (of_class,) = [cells for cells in rows if cells[0] == "2 Maïs & blé" and len(cells) == 6]
  assert of_class[1:] == ["1,200", "7", "75.0", "81.2", "0.062"]
  (few,) = [cells for cells in rows if cells[0] == "5 <b>Wald</b>" and len(cells) == 6]
  assert few[1:] == ["12", "7", "90.0", "50.0", "too few"]
  (none,) = [cells for cells in rows if cells[0] == "9 Roof" and len(cells) == 6]
  assert none[1:] == ["0", "0", _NONE, _NONE, "too few"]
  assert "With fewer than\n50 labels or 5 units, no calibration error is computed." in text
  mixture = mixed_report.metrics["mixture"] | {"calibration": None}
  report = dataclasses.replace(mixed_report, metrics=mixed_report.metrics | {"mixture": mixture})
  assert "Reliability" not in render_scene(report)


def test_accuracies_of_left_out_labels_are_explained(render_scene, left_out_report):
  text = render_scene(left_out_report)
  seen = " ".join(re.sub("<[^>]*>", " ", text).split())
  assert (
    "Accuracy on the labels of polygons that were left out: 5 folds, 41 polygons; the interval resamples "
    "polygons. The map was made by networks that trained on all labels."
  ) in seen
  assert "50.00% overall accuracy, on 1,234 labelled pixels of 41 polygons that were left out" in seen
  assert "19 train the networks of the map, and 1,234 are tested by networks that left them out." in seen
  assert "no accuracy can be computed" not in seen
  assert "Wilson" not in seen
  rows = Page(text).rows
  assert row(rows, "Overall accuracy") == ["Overall accuracy", "50.00", "25.0 to 75.0"]
  assert any("Left-out pixels" in cells for cells in rows)
  assert 'class="confusion"' in text
  assert 'value="errors"' not in text


def test_networks_of_folds_are_not_called_replicas(run, left_out_report):
  text = page.render(
    dataclasses.replace(run, scenes=[left_out_report], losses=run.losses[:, :, :1], description="folds")
  )
  assert "mean and range of the networks" in text
  assert "replica" not in text


def test_keys_without_a_value_are_left_out(render_scene, fields_report):
  config = {"files": {"town": {"nodata": "", "labels": "a.gpkg"}}, "origin": None}
  text = render_scene(fields_report, config=config)
  assert "files.town.labels" in text
  assert "files.town.nodata" not in text
  assert "<dt>origin" not in text


def test_a_single_replica_is_not_called_several(run, fields_report):
  metrics = dict(fields_report.metrics)
  for key in ("overall_accuracy", "average_accuracy", "kappa"):
    metrics[key] = {"mean": 0.5, "std": 0.0, "replicas": [0.5], "interval": None}
  report = dataclasses.replace(fields_report, metrics=metrics)
  one = {"scenes": [report], "losses": run.losses[:, :1, 1:], "description": "hresnet, 1 replica"}
  text = page.render(dataclasses.replace(run, **one))
  assert "replicas" not in text
  assert row(Page(text).rows, "Kappa") == ["Kappa \N{MULTIPLICATION SIGN} 100", "50.00", _NONE]
  assert "1 scene: hresnet, 1 replica." in text
