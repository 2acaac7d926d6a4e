"""The same scene from every format, bit for bit."""

import json

import numpy as np
import pytest
import rasterio
import scipy.io

from mtl_hsi.errors import RequestError
from tests import launching
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
  with pytest.raises(RequestError, match="add the file with its labels"):
    formats.read(formats.save_raster(tmp_path / "a.tif", np.ones((3, 4, 7), np.int16)))


_UNMEASURED = 65535
_NAMES = {1: "bare soil", 2: "bitumen", 3: "shadows"}


def _named_npz(folder, cube, labels):
  names = np.array(list(_NAMES.values()))
  unmeasured = (cube == _UNMEASURED).any(axis=2)
  np.savez(folder / "a.npz", cube=cube, gt=labels, nodata=unmeasured, class_names=names)
  return folder / "a.npz", None


def _named_tif(folder, cube, labels):
  with rasterio.open(formats.save_raster(folder / "gt.tif", labels), "r+") as raster:
    raster.update_tags(1, **{f"CLASS_{label}": name for label, name in _NAMES.items()})
  return formats.save_raster(folder / "a.tif", cube, nodata=_UNMEASURED), folder / "gt.tif"


def _named_envi(folder, cube, labels):
  image = formats.save_envi(folder / "a.dat", cube, "BIL", f"data ignore value = {_UNMEASURED}")
  names = f"classes = 4\nclass names = {{Unclassified, {', '.join(_NAMES.values())}}}"
  return image, formats.save_envi(folder / "gt.dat", labels, header=names)


def _named_gpkg(folder, cube, labels):
  shapes, classes = formats.squares(labels)
  path = formats.save_features(folder / "gt.gpkg", shapes, **{"class": [_NAMES[label] for label in classes]})
  return formats.save_raster(folder / "a.tif", cube, nodata=_UNMEASURED), path


# Formats that store class names and nodata.
_NAMED = {"npz": _named_npz, "tif": _named_tif, "envi": _named_envi, "gpkg": _named_gpkg}


def _trained(folder, save, cube, labels, **options):
  """Returns the predictions and probabilities of a short run on a scene in a format, and its class names."""
  folder.mkdir()
  files = dict(zip(("cube", "labels"), save(folder, cube, labels)))
  options |= {f"files.field.{key}": path for key, path in files.items() if path is not None}
  options |= {"samples_per_class": 4, "replicas": 1, "snapshots": "(0,)"}
  options |= {"phases.phase1.epochs": 1, "phases.phase2.epochs": 1}
  # This network predicts different classes after only two epochs.
  options |= {"model.name": "ccnn", "model.init": "glorot"}
  outcome = launching.launch(
    f"--config={launching.ROOT / 'configs' / 'letter.py'}:field",
    f"--workdir={folder / 'run'}",
    *(f"--config.{key}={value}" for key, value in options.items()),
  )
  assert outcome.status == 0, outcome.err
  classes = json.loads((folder / "run" / "scenes.json").read_text())["scenes"]["field"]["classes"]
  return [(folder / "run" / f"{name}.npz").read_bytes() for name in ("predictions", "confidence")], classes


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_training_has_the_same_result_from_every_format(real_data, tmp_path):
  with np.load(real_data / "pavia_university_crop.npz") as archive:
    cube, labels = (archive[key][104:128, 48:72].copy() for key in ("cube", "label"))
  labels = np.searchsorted([0, 6, 7, 9], labels).astype(np.uint8)
  cube[:2, :3] = _UNMEASURED
  labels[:2, :3] = 0
  first, _ = _trained(tmp_path / "first", _npz, cube, labels, **{"files.field.nodata": _UNMEASURED})
  for kind, save in FORMATS.items():
    found, _ = _trained(tmp_path / kind, save, cube, labels, **{"files.field.nodata": _UNMEASURED})
    assert found == first, kind
  for kind, save in _NAMED.items():
    found, classes = _trained(tmp_path / f"named {kind}", save, cube, labels)
    assert found == first, kind
    assert classes == {str(label): name for label, name in _NAMES.items()}, kind
  cube[12, 12] //= 2
  other, _ = _trained(tmp_path / "other", _npz, cube, labels, **{"files.field.nodata": _UNMEASURED})
  assert other != first
