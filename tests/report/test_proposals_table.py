import csv
import dataclasses
import io

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.evaluation.proposals import Proposals
from mtl_hsi.report import page, proposals_table, report_files
from mtl_hsi.scenes.scene import Georeference

FOUND = Proposals(np.array([[3, 4], [0, 2]], np.int32), np.array([5, 2], np.int32), np.array([0.25, 0.5]))


@pytest.fixture
def proposing(fields_report):
  """A scene of pixels of 10 m at 500 km east and 5400 km north."""
  placed = Georeference("EPSG:32633", (10.0, 0.0, 500000.0, 0.0, -10.0, 5400000.0))
  scene = dataclasses.replace(fields_report.scene, georeference=placed)
  return dataclasses.replace(fields_report, scene=scene, proposals=FOUND)


def read(content):
  return list(csv.DictReader(io.StringIO(content.decode())))


def test_a_line_for_every_proposal_with_the_place_of_its_centre(proposing):
  assert read(proposals_table.encode_csv(proposing)) == [
    {
      **{"row": "3", "column": "4", "class": "", "taken_for": "<b>Wald</b>", "support": "0.250"},
      **{"x": "500045", "y": "5399965"},
    },
    {
      **{"row": "0", "column": "2", "class": "", "taken_for": "Maïs & blé", "support": "0.500"},
      **{"x": "500025", "y": "5399995"},
    },
  ]


def test_without_a_place_on_the_ground_rows_and_columns_do(fields_report):
  found = read(proposals_table.encode_csv(dataclasses.replace(fields_report, proposals=FOUND)))
  assert list(found[0]) == ["row", "column", "class", "taken_for", "support"]


def test_degrees_are_not_written_in_powers_of_ten(proposing):
  placed = Georeference("EPSG:4326", (1e-5, 0.0, -0.00001, 0.0, -1e-5, 0.00002))
  scene = dataclasses.replace(proposing.scene, georeference=placed)
  row = read(proposals_table.encode_csv(dataclasses.replace(proposing, scene=scene)))[0]
  assert (row["x"], row["y"]) == ("0.000035", "-0.000015")


def test_a_class_that_would_be_a_formula_is_none(proposing):
  scene = dataclasses.replace(proposing.scene, class_names={2: "=1+1", 5: "@x", 9: "Roof"})
  found = read(proposals_table.encode_csv(dataclasses.replace(proposing, scene=scene)))
  assert [row["taken_for"] for row in found] == ["'@x", "'=1+1"]


def test_the_page_lists_them_escaped(run, proposing):
  text = page.render(dataclasses.replace(run, scenes=[run.scenes[0], proposing]))
  assert "Label these next" in text
  assert "<td>500045</td>" in text
  assert "&lt;b&gt;Wald&lt;/b&gt;" in text
  assert "<b>Wald" not in text
  assert "Label these next" not in page.render(run)


def test_a_scene_with_nothing_to_label_says_so(run, proposing):
  nothing = Proposals(np.zeros((0, 2), np.int32), np.zeros(0, np.int32), np.zeros(0, np.float32))
  bare = dataclasses.replace(proposing, proposals=nothing)
  assert "All pixels with a measurement are labelled" in page.render(
    dataclasses.replace(run, scenes=[run.scenes[0], bare])
  )


def test_a_run_leaves_a_file_for_every_scene_that_has_proposals(run, proposing, tmp_path):
  report_files.write_report(dataclasses.replace(run, scenes=[run.scenes[0], proposing]), tmp_path)
  assert [path.name for path in (tmp_path / "proposals").iterdir()] == ["fields.csv"]


def test_a_table_that_somebody_fills_in_is_left_alone(run, proposing, tmp_path):
  whole = dataclasses.replace(run, scenes=[run.scenes[0], proposing])
  table = tmp_path / "proposals" / "fields.csv"
  report_files.write_report(whole, tmp_path)
  filled = table.read_text().replace("3,4,,", "3,4,Roof,")
  table.write_text(filled)
  report_files.write_report(whole, tmp_path)
  assert table.read_text() == filled
  table.write_text(filled.replace("Roof", "").replace("0.250", "0.3"))
  report_files.write_report(whole, tmp_path)
  assert "0.250" in table.read_text()


def test_a_table_with_fields_longer_than_ours_is_left_alone(run, proposing, tmp_path):
  whole = dataclasses.replace(run, scenes=[run.scenes[0], proposing])
  table = tmp_path / "proposals" / "fields.csv"
  report_files.write_report(whole, tmp_path)
  filled = f"{table.read_text()}{'9' * 200_000}\n"
  table.write_text(filled)
  report_files.write_report(whole, tmp_path)
  assert table.read_text() == filled


def test_a_table_that_cannot_be_read_is_named(run, proposing, tmp_path):
  (tmp_path / "proposals" / "fields.csv").mkdir(parents=True)
  with pytest.raises(RequestError, match=r"cannot read .*proposals/fields\.csv: is a directory"):
    report_files.write_report(dataclasses.replace(run, scenes=[run.scenes[0], proposing]), tmp_path)
