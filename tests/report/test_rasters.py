import dataclasses

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from rasterio.io import MemoryFile

from mtl_hsi.report import colours, rasters
from mtl_hsi.scenes.scene import Georeference

_TRANSFORM = (1.3, 0.0, 500000.0, 0.0, -1.3, 5000000.0)

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")


def test_class_ids_colours_and_names_come_back(fields_report):
  with MemoryFile(rasters.encode_class_map(fields_report)) as memory, memory.open() as raster:
    assert (raster.driver, raster.count, raster.dtypes) == ("GTiff", 1, ("uint8",))
    np.testing.assert_array_equal(raster.read(1), fields_report.prediction)
    assert raster.nodata == 0
    assert raster.crs is None
    table = raster.colormap(1)
    assert [table[i][:3] for i in (2, 5, 9)] == [colours.class_colour(c) for c in range(3)]
    tags = raster.tags(1)
    assert (tags["CLASS_2"], tags["CLASS_5"], tags["CLASS_9"]) == ("Maïs & blé", "<b>Wald</b>", "Roof")
    assert "fields (simulated)" in raster.tags()["TIFFTAG_IMAGEDESCRIPTION"]


def test_place_on_the_ground_is_kept(fields, fields_report):
  scene = dataclasses.replace(fields, georeference=Georeference("EPSG:32632", _TRANSFORM))
  report = dataclasses.replace(fields_report, scene=scene)
  with MemoryFile(rasters.encode_class_map(report)) as memory, memory.open() as raster:
    assert raster.crs == rasterio.CRS.from_epsg(32632)
    assert tuple(raster.transform)[:6] == _TRANSFORM


def test_pixels_without_measurement_are_nodata(fields, fields_report):
  scene = dataclasses.replace(fields, nodata=fields.labels == 0)
  report = dataclasses.replace(fields_report, scene=scene)
  with MemoryFile(rasters.encode_class_map(report)) as memory, memory.open() as raster:
    np.testing.assert_array_equal(raster.read_masks(1) == 0, scene.nodata)


def test_ids_beyond_255_take_two_bytes(fields, fields_report):
  labels = np.where(fields.labels == 9, 300, fields.labels).astype(np.int32)
  scene = dataclasses.replace(fields, labels=labels, class_names={2: "a", 5: "b", 300: "c"})
  report = dataclasses.replace(fields_report, scene=scene, prediction=labels)
  with MemoryFile(rasters.encode_class_map(report)) as memory, memory.open() as raster:
    assert raster.dtypes == ("uint16",)
    np.testing.assert_array_equal(raster.read(1), labels)
    assert raster.colormap(1)[300][:3] == colours.class_colour(2)


def test_confidence_has_the_shares_and_probabilities_of_measured_pixels(fields, fields_report):
  generator = np.random.default_rng(0)
  share, probability = generator.random((2, *fields.labels.shape)).astype(np.float32)
  place = Georeference("EPSG:32632", _TRANSFORM)
  scene = dataclasses.replace(fields, nodata=fields.labels == 0, georeference=place)
  report = dataclasses.replace(fields_report, scene=scene, vote_share=share, probability=probability)
  with MemoryFile(rasters.encode_confidence(report)) as memory, memory.open() as raster:
    assert (raster.count, raster.dtypes) == (2, ("float32", "float32"))
    assert raster.crs == rasterio.CRS.from_epsg(32632)
    assert np.isnan(raster.nodata)
    assert raster.descriptions[0].startswith("share of votes")
    for band, values in ((1, share), (2, probability)):
      np.testing.assert_array_equal(raster.read(band), np.where(scene.nodata, np.nan, values))


@pytest.mark.filterwarnings("error")
def test_writing_warns_of_nothing_and_gives_the_same_bytes_each_time(fields_report):
  assert rasters.encode_class_map(fields_report) == rasters.encode_class_map(fields_report)


def test_gdal_reads_the_category_names(tmp_path, fields, fields_report):
  (tmp_path / "prediction.tif").write_bytes(rasters.encode_class_map(fields_report))
  (tmp_path / "prediction.tif.aux.xml").write_bytes(rasters.category_names(fields.class_names))
  rasterio.shutil.copy(tmp_path / "prediction.tif", tmp_path / "seen.vrt", driver="VRT")
  seen = (tmp_path / "seen.vrt").read_text()
  names = [line.strip() for line in seen.splitlines() if "<Category" in line and "Names" not in line]
  assert len(names) == 10
  assert names[2] == "<Category>Maïs &amp; blé</Category>"
  assert names[5] == "<Category>&lt;b&gt;Wald&lt;/b&gt;</Category>"
  assert names[9] == "<Category>Roof</Category>"
