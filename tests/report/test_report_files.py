import dataclasses

import pytest
import rasterio

from mtl_hsi.errors import RequestError
from mtl_hsi.report import report_files


def test_a_run_leaves_its_maps_rasters_and_page(run, tmp_path):
  report_files.write_report(run, tmp_path)
  written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
  names = ["false_colour.png", "ground_truth.png", "prediction.png", "errors.png"]
  names += ["prediction.tif", "prediction.tif.aux.xml", "prediction.qml", "prediction.sld"]
  maps = {f"maps/{scene}/{name}" for scene in ("indian_pines", "fields") for name in names}
  assert written == {"report.html"} | maps
  assert "Maïs &amp; blé" in (tmp_path / "report.html").read_text("utf-8")


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_the_raster_holds_the_prediction(run, tmp_path, indian_pines_report):
  report_files.write_report(run, tmp_path)
  with rasterio.open(tmp_path / "maps" / "indian_pines" / "prediction.tif") as raster:
    assert (raster.read(1) == indian_pines_report.prediction).all()


def test_equal_runs_leave_equal_bytes(run, tmp_path):
  for name in ("one", "two"):
    report_files.write_report(run, tmp_path / name)
  for path in (tmp_path / "one").rglob("*.*"):
    assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()


def test_a_place_that_cannot_be_written_is_named(run, tmp_path):
  (tmp_path / "maps").write_text("in the way")
  with pytest.raises(RequestError, match="maps"):
    report_files.write_report(run, tmp_path)


def test_classes_with_another_number_in_the_labels_are_listed(run, tmp_path, fields_report):
  scene = dataclasses.replace(fields_report.scene, class_codes={9: 0})
  report = dataclasses.replace(fields_report, scene=scene)
  report_files.write_report(dataclasses.replace(run, scenes=[report], target="fields", losses=None), tmp_path)
  table = (tmp_path / "maps" / "fields" / "classes.csv").read_text("utf-8")
  assert table == "id,code,name\n2,2,Ma\u00efs & bl\u00e9\n5,5,<b>Wald</b>\n9,0,Roof\n"
