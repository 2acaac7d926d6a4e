import dataclasses
import re
from pathlib import Path

import numpy as np

from mtl_hsi.evaluation.proposals import Proposals
from mtl_hsi.paper.published import PaperFigure
from mtl_hsi.report import console


def scored(report, mean, **changes):
  figure = {"mean": mean, "std": 0.0125, "replicas": [mean] * 2}
  figures = {key: figure for key in ("overall_accuracy", "average_accuracy", "kappa")}
  return dataclasses.replace(report, metrics=report.metrics | figures, **changes)


def named(report, name):
  return dataclasses.replace(report, scene=dataclasses.replace(report.scene, name=name))


def test_figures_are_beside_those_of_the_paper(indian_pines_report):
  head, rule, line = console.table([scored(indian_pines_report, 0.4172)]).splitlines()
  assert head.split() == ["scene", "OA", "AA", "kappa", "letter's", "OA", "diff"]
  assert set(rule) == {"-"}
  assert line.split("  ") == ["indian_pines", *["41.72 +- 1.25"] * 3, "39.17 +- 3.06", "+2.55"]
  assert len(head) == len(rule) == len(line) <= 80


def test_without_a_cell_in_the_paper_there_are_no_columns_for_it(indian_pines_report):
  text = console.table([scored(indian_pines_report, 0.4172, paper=None)])
  assert "paper" not in text
  assert "diff" not in text
  assert text.splitlines()[2].split("  ") == ["indian_pines", *["41.72 +- 1.25"] * 3]


def test_lines_have_at_most_80_columns(indian_pines_report, fields_report):
  long = named(scored(fields_report, 1.0), "a_long_name_of_a_field_campaign")
  lines = console.table([scored(indian_pines_report, 0.4172), long]).splitlines()
  assert max(map(len, lines)) <= 80
  assert "a_long_name_of_a_field_campaign (simulated)" in lines
  figures = lines[lines.index("a_long_name_of_a_field_campaign (simulated)") + 1]
  assert figures.split("  ")[1:] == ["100.00 +- 1.25"] * 3
  assert figures.index("100.00") + len("100.00 +- 1.25") == lines[0].index("OA") + len("OA")


def test_one_replica_has_no_spread(fields_report):
  figure = {"mean": 0.5, "std": 0.0, "replicas": [0.5]}
  metrics = {key: figure for key in ("overall_accuracy", "average_accuracy", "kappa")}
  line = console.table([dataclasses.replace(fields_report, metrics=metrics)]).splitlines()[-1]
  assert line.split() == ["fields", "(simulated)", "50.00", "50.00", "50.00"]


def test_undefined_figures(fields_report):
  undefined = {"mean": None, "std": None, "replicas": [None, None]}
  report = dataclasses.replace(
    fields_report,
    metrics=fields_report.metrics | {"overall_accuracy": undefined},
    paper=PaperFigure(50.0, 1.0),
  )
  assert "undefined" in console.table([report])
  assert report.difference is None


def test_summary_explains_the_figures_and_names_the_files(run):
  text = console.summary(run, Path("runs/two"))
  assert max(map(len, text.splitlines())) <= 80
  assert "over 2 replicas" in text
  assert "fields (simulated)" in text
  assert "figures of simulated scenes say nothing about real scenes" in " ".join(text.split())
  assert "runs/two/report.html" in text
  assert "runs/two/maps" in text
  alone = console.summary(dataclasses.replace(run, scenes=run.scenes[:1]), Path("runs/one"))
  assert "simulated" not in alone
  assert "indian_pines: 25.0% of the test pixels have a training pixel in their patch" in " ".join(
    alone.split()
  )
  assert "this accuracy is too optimistic" in " ".join(alone.split())
  assert " ".join(text.split()).count("is too optimistic") == 1


def test_experts_are_listed_with_what_was_chosen(run, mixed_report):
  text = console.summary(dataclasses.replace(run, scenes=[mixed_report]), Path("x"))
  assert max(map(len, text.splitlines())) <= 80
  lines = text.split("\n\n")[1].splitlines()
  figures = {name: cells for name, *cells in (re.split(" {2,}", line) for line in lines)}
  assert figures["expert"] == ["left-out OA", "weight"]
  assert figures["network (context)"] == ["81.25", "0.50"]
  assert figures["network (small patches)"] == ["84.00", "0.25"]
  assert figures["regression on single spectra"] == ["undefined", "0.25"]
  assert figures["mixture, smoothed"] == ["88.00"]
  assert lines[-1] == "Smoothing: light (6 pixels); temperature 1.40; calibration error 0.08 -> 0.03."


def test_tables_of_experts_name_their_scene_if_there_are_several(run, mixed_report):
  assert "\n\nfields (simulated)\nexpert" in console.summary(
    dataclasses.replace(run, scenes=[run.scenes[0], mixed_report]), Path("x")
  )
  assert "expert" not in console.summary(run, Path("x"))


def test_without_calibration_there_is_only_the_temperature(run, mixed_report):
  mixture = mixed_report.metrics["mixture"] | {"calibration": None}
  report = dataclasses.replace(mixed_report, metrics=mixed_report.metrics | {"mixture": mixture})
  text = console.summary(dataclasses.replace(run, scenes=[report]), Path("x"))
  assert "; temperature 1.40.\n" in text


def test_accuracies_of_left_out_labels_have_intervals_and_a_sentence(run, left_out_report):
  text = console.summary(dataclasses.replace(run, scenes=[left_out_report]), Path("x"))
  assert max(map(len, text.splitlines())) <= 80
  assert "50.00 [25.0, 75.0]" in text.splitlines()[2]
  words = " ".join(text.split())
  assert "In brackets: 95% interval." in words
  assert (
    "Accuracy on the labels of polygons that were left out: 5 folds, 41 polygons; the interval resamples "
    "polygons. The map was made by networks that trained on all labels."
  ) in words
  assert "no accuracy can be computed" not in words


def test_left_out_units_of_several_scenes_share_a_sentence_if_equal(run, left_out_report):
  other = named(left_out_report, "town")
  metrics = other.metrics | {"left_out": {"kind": "blocks", "folds": 5, "units": 9, "pixels": 90}}
  differing = dataclasses.replace(other, metrics=metrics)
  shared, apart = (
    " ".join(console.summary(dataclasses.replace(run, scenes=[left_out_report, s]), Path("x")).split())
    for s in (other, differing)
  )
  assert "fields (simulated), town (simulated): Accuracy on the labels of polygons" in shared
  assert "town (simulated): Accuracy on the labels of blocks that were left out: 5 folds, 9 blocks" in apart


def test_summary_names_the_proposals(run, fields_report):
  nothing = Proposals(np.zeros((0, 2), np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32))
  asked = dataclasses.replace(run, scenes=[dataclasses.replace(fields_report, proposals=nothing)])
  assert console.summary(asked, Path("x")).endswith("Maps:   x/maps\nPixels to label next: x/proposals")
  assert "label next" not in console.summary(run, Path("x"))


def test_a_scene_without_test_pixels_has_a_sentence_in_place_of_figures(run, fields_report):
  untested = dataclasses.replace(fields_report, test=np.zeros((0, 2), np.int32))
  sentence = "fields (simulated): all labels were used for training, so no accuracy can be"
  text = console.summary(dataclasses.replace(run, scenes=[untested]), Path("x"))
  assert text.startswith(sentence)
  mixed = console.summary(dataclasses.replace(run, scenes=[run.scenes[0], untested]), Path("x"))
  assert sentence in mixed
  assert "fields" not in mixed.split("\n\n")[0]
