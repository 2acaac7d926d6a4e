import dataclasses
import subprocess
import sys

import numpy as np
import pytest
import rasterio
import rasterio.shutil

from mtl_hsi.report import colours, rasters
from mtl_hsi.scenes.scene import Georeference
from tests.launching import ROOT

_TRANSFORM = (1.3, 0.0, 500000.0, 0.0, -1.3, 5000000.0)

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def class_map_of(report, directory):
  rasters.write_class_map_of(report, directory / "map.tif")
  return rasterio.open(directory / "map.tif")


def test_class_ids_colours_and_names_come_back(tmp_path, fields_report):
  with class_map_of(fields_report, tmp_path) as raster:
    assert (raster.driver, raster.count, raster.dtypes) == ("GTiff", 1, ("uint8",))
    np.testing.assert_array_equal(raster.read(1), fields_report.prediction)
    assert raster.nodata == 0
    assert raster.crs is None
    table = raster.colormap(1)
    assert [table[i][:3] for i in (2, 5, 9)] == [colours.class_colour(c) for c in range(3)]
    tags = raster.tags(1)
    assert (tags["CLASS_2"], tags["CLASS_5"], tags["CLASS_9"]) == ("Maïs & blé", "<b>Wald</b>", "Roof")
    assert "fields (simulated)" in raster.tags()["TIFFTAG_IMAGEDESCRIPTION"]


def test_place_on_the_ground_is_kept(tmp_path, fields, fields_report):
  scene = dataclasses.replace(fields, georeference=Georeference("EPSG:32632", _TRANSFORM))
  report = dataclasses.replace(fields_report, scene=scene)
  with class_map_of(report, tmp_path) as raster:
    assert raster.crs == rasterio.CRS.from_epsg(32632)
    assert tuple(raster.transform)[:6] == _TRANSFORM


def test_pixels_without_measurement_are_nodata(tmp_path, fields, fields_report):
  scene = dataclasses.replace(fields, nodata=fields.labels == 0)
  report = dataclasses.replace(fields_report, scene=scene)
  with class_map_of(report, tmp_path) as raster:
    np.testing.assert_array_equal(raster.read_masks(1) == 0, scene.nodata)


def test_ids_beyond_255_take_two_bytes(tmp_path, fields, fields_report):
  labels = np.where(fields.labels == 9, 300, fields.labels).astype(np.int32)
  scene = dataclasses.replace(fields, labels=labels, class_names={2: "a", 5: "b", 300: "c"})
  report = dataclasses.replace(fields_report, scene=scene, prediction=labels)
  with class_map_of(report, tmp_path) as raster:
    assert raster.dtypes == ("uint16",)
    np.testing.assert_array_equal(raster.read(1), labels)
    assert raster.colormap(1)[300][:3] == colours.class_colour(2)


def test_confidence_has_the_shares_and_probabilities_of_measured_pixels(tmp_path, fields, fields_report):
  generator = np.random.default_rng(0)
  share, probability = generator.random((2, *fields.labels.shape)).astype(np.float32)
  place = Georeference("EPSG:32632", _TRANSFORM)
  scene = dataclasses.replace(fields, nodata=fields.labels == 0, georeference=place)
  report = dataclasses.replace(fields_report, scene=scene, vote_share=share, probability=probability)
  rasters.write_confidence_of(report, tmp_path / "confidence.tif")
  with rasterio.open(tmp_path / "confidence.tif") as raster:
    assert (raster.count, raster.dtypes) == (2, ("float32", "float32"))
    assert raster.crs == rasterio.CRS.from_epsg(32632)
    assert np.isnan(raster.nodata)
    assert raster.descriptions[0].startswith("share of votes")
    for band, values in ((1, share), (2, probability)):
      np.testing.assert_array_equal(raster.read(band), np.where(scene.nodata, np.nan, values))


@pytest.mark.filterwarnings("error")
def test_writing_warns_of_nothing_and_gives_the_same_bytes_each_time(tmp_path, fields_report):
  for name in ("one.tif", "two.tif"):
    rasters.write_class_map_of(fields_report, tmp_path / name)
  assert (tmp_path / "one.tif").read_bytes() == (tmp_path / "two.tif").read_bytes()


def test_gdal_reads_the_category_names(tmp_path, fields, fields_report):
  rasters.write_class_map_of(fields_report, tmp_path / "prediction.tif")
  (tmp_path / "prediction.tif.aux.xml").write_bytes(rasters.category_names(fields.class_names))
  rasterio.shutil.copy(tmp_path / "prediction.tif", tmp_path / "seen.vrt", driver="VRT")
  seen = (tmp_path / "seen.vrt").read_text()
  names = [line.strip() for line in seen.splitlines() if "<Category" in line and "Names" not in line]
  assert len(names) == 10
  assert names[2] == "<Category>Maïs &amp; blé</Category>"
  assert names[5] == "<Category>&lt;b&gt;Wald&lt;/b&gt;</Category>"
  assert names[9] == "<Category>Roof</Category>"


@pytest.mark.parametrize(
  "place", [None, Georeference(None, _TRANSFORM), Georeference("EPSG:32632", _TRANSFORM)]
)
def test_rasters_are_cloud_optimised_and_lose_nothing(tmp_path, place):
  ids = np.random.default_rng(0).integers(0, 3, (600, 530), np.uint8)
  names = {1: "Maïs & blé", 2: "rye"}
  legend = rasters.Legend("flight", names, {1: (1, 2, 3), 2: (250, 9, 0)}, {2: 7})
  with rasters.create_class_map(tmp_path / "map.tif", legend, *ids.shape, place) as raster:
    raster.write(ids, 1)
  with rasters.create_values(tmp_path / "v.tif", "flight", ["a", "b", "c", "d"], *ids.shape, place) as raster:
    raster.write(np.stack([ids] * 4).astype(np.float32))
  assert sorted(path.name for path in tmp_path.iterdir()) == ["map.tif", "v.tif"]
  for name in ("map.tif", "v.tif"):
    with rasterio.open(tmp_path / name) as raster:
      assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
      assert raster.overviews(1) == [2, 4]
      assert raster.block_shapes[0] == (256, 256)
      assert raster.tags()["TIFFTAG_IMAGEDESCRIPTION"] == "flight"
      assert raster.crs == (place and place.crs)
      if place is not None:
        assert tuple(raster.transform)[:6] == _TRANSFORM
  with rasterio.open(tmp_path / "map.tif") as raster:
    np.testing.assert_array_equal(raster.read(1), ids)
    assert (raster.nodata, raster.descriptions) == (0, ("predicted class",))
    assert [raster.colormap(1)[i][:3] for i in (0, 1, 2)] == [colours.NO_DATA, (1, 2, 3), (250, 9, 0)]
    assert raster.tags(1) == {"CLASS_1": "Maïs & blé", "CLASS_2": "rye", "CODE_2": "7"}
  with rasterio.open(tmp_path / "map.tif", overview_level=0) as raster:
    # Classes are not averaged.
    assert raster.read(1)[0, 0] in ids[:2, :2]
  with rasterio.open(tmp_path / "v.tif") as raster:
    assert raster.descriptions == ("a", "b", "c", "d")
    assert {kind.name for kind in raster.colorinterp} <= {"gray", "undefined"}


def test_a_raster_that_cannot_be_written_leaves_nothing(tmp_path):
  with pytest.raises(KeyError), rasters.create_values(tmp_path / "v.tif", "flight", ["a"], 4, 5, None):
    raise KeyError
  assert not list(tmp_path.iterdir())


# With limits on the size of files at which the raster cannot be filled, and at which it cannot be copied.
FULL_DISK = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from mtl_hsi.errors import RequestError
from mtl_hsi.report import rasters

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
values = np.random.default_rng(0).random((600, 600), np.float32)
for size in (10_000, 1_450_000):
  resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
  try:
    with rasters.replacing(Path(sys.argv[1]) / "v.tif") as path:
      with rasters.create_values(path, "flight", ["a"], 600, 600, None) as raster:
        raster.write(values, 1)
  except RequestError as error:
    print(error)
"""


def test_a_full_disk_is_reported(tmp_path):
  result = subprocess.run(
    [sys.executable, "-c", FULL_DISK, str(tmp_path)],
    **{"cwd": ROOT, "check": True, "capture_output": True, "text": True},
  )
  filled, copied = result.stdout.splitlines()
  assert filled.startswith(f"cannot write {tmp_path / 'v.tif'}: ")
  assert "v.tif: GDAL cannot write the whole raster; the disk may be full (" in copied
  assert not list(tmp_path.iterdir())
