"""The same scene from every format, bit for bit."""

import numpy as np
import pytest
import scipy.io

from mtl_hsi.errors import RequestError
from tests.scenes import formats

CROPS = ("salinas_a", "pavia_university_crop", "pavia_centre_crop")


def _npz(folder, cube, labels):
  np.savez(folder / "a.npz", cube=cube, gt=labels)
  return folder / "a.npz", None


def _npy(folder, cube, labels):
  np.save(folder / "cube.npy", cube)
  np.save(folder / "gt.npy", labels)
  return folder / "cube.npy", folder / "gt.npy"


def _mat(folder, cube, labels):
  scipy.io.savemat(folder / "a.mat", {"cube": cube, "gt": labels})
  return folder / "a.mat", None


def _mat_73(folder, cube, labels):
  return formats.save_matlab_73(folder / "a.mat", cube=cube, gt=labels), None


def _tif(folder, cube, labels):
  return formats.save_raster(folder / "a.tif", cube), formats.save_raster(folder / "gt.tif", labels)


def _envi(interleave, suffix):
  def save(folder, cube, labels):
    header = formats.save_envi(folder / "a.dat", cube, interleave)
    truth = formats.save_envi(folder / "gt.dat", labels)
    return header.with_suffix(suffix), truth.with_suffix(suffix)

  return save


def _features(name, to, column="class"):
  def save(folder, cube, labels):
    shapes, classes = formats.squares(labels)
    path = formats.save_features(folder / name, shapes, to=to, **{column: classes})
    return formats.save_raster(folder / "a.tif", cube), path

  return save


def _csv(folder, cube, labels):
  rows = [f"{r},{c},{labels[r, c]}" for r, c in np.argwhere(labels > 0)]
  (folder / "gt.csv").write_text("\n".join(["row,column,class", *rows]))
  return formats.save_raster(folder / "a.tif", cube), folder / "gt.csv"


FORMATS = {
  "npz": _npz,
  "npy": _npy,
  "mat": _mat,
  "mat 7.3": _mat_73,
  "tif": _tif,
  "envi bsq": _envi("BSQ", ".hdr"),
  "envi bil": _envi("BIL", ".hdr"),
  "envi bip": _envi("BIP", ".dat"),
  "gpkg": _features("gt.gpkg", None),
  "geojson in degrees": _features("gt.geojson", "EPSG:4326"),
  "shp in another zone": _features("gt.shp", "EPSG:32632"),
  "csv": _csv,
}


@pytest.mark.parametrize("crop", CROPS)
@pytest.mark.parametrize("kind", FORMATS)
def test_a_real_scene_is_the_same_in_every_format(real_data, tmp_path, kind, crop):
  with np.load(real_data / f"{crop}.npz") as archive:
    cube, labels = archive["cube"], archive["label"].astype(np.uint8)
  scene = formats.read(*FORMATS[kind](tmp_path, cube, labels))
  assert scene.cube.dtype == cube.dtype
  np.testing.assert_array_equal(scene.cube, cube)
  np.testing.assert_array_equal(scene.labels, labels)
  assert scene.remarks == ()


@pytest.mark.parametrize("kind", FORMATS)
def test_a_small_scene_is_the_same_in_every_format(tmp_path, kind):
  cube = np.arange(84, dtype=np.int16).reshape(3, 4, 7)
  labels = np.array([[0, 1, 3, 0], [1, 1, 0, 3], [3, 0, 0, 1]], np.uint8)
  scene = formats.read(*FORMATS[kind](tmp_path, cube, labels))
  np.testing.assert_array_equal(scene.cube, cube)
  np.testing.assert_array_equal(scene.labels, labels)
  if not kind.startswith(("np", "mat")):
    assert scene.georeference.transform == tuple(formats.TRANSFORM)[:6]
    assert "32633" in scene.georeference.crs


def test_a_cube_in_a_raster_needs_labels(tmp_path):
  with pytest.raises(RequestError, match="name the file of the label image too"):
    formats.read(formats.save_raster(tmp_path / "a.tif", np.ones((3, 4, 7), np.int16)))
