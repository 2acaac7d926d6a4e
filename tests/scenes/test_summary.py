"""The summary of a scene."""

import numpy as np
import rasterio

from mtl_hsi.scenes.scene import Georeference, Scene
from mtl_hsi.scenes.summary import summary

_LABELS = np.repeat([[1, 1, 1, 0, 4]], 20, axis=0).astype(np.int32)


def _scene(cube=None, **changes):
  if cube is None:
    cube = np.random.default_rng(0).integers(100, 900, (20, 5, 4)).astype(np.uint16)
  return Scene(
    **{"name": "fields", "cube": cube, "labels": _LABELS, "class_names": {1: "maize", 4: "oats"}, **changes}
  )


def _notes(scene, samples=5):
  return [line.removeprefix("  note: ") for line in summary(scene, "4 bands", samples).split("\n")[4:]]


def test_an_ordinary_scene_takes_four_lines():
  crs = rasterio.CRS.from_epsg(32633).to_wkt()
  scene = _scene(
    wavelengths=np.array([400.0, 500, 600, 2500]),
    widths=np.array([10.0, 10, 12, 9]),
    georeference=Georeference(crs, (2.5, 0, 500_000, 0, -2.5, 5_400_000)),
  )
  low, high = scene.cube.min(), scene.cube.max()
  assert summary(scene, "3 of 4 bands", 5).split("\n") == [
    "fields: 20 rows x 5 columns, pixels of 2.5 x 2.5 metre, WGS 84 / UTM zone 33N",
    "  bands: 400 to 2500 nm, 9 to 12 nm wide; 3 of 4 bands",
    f"  values: uint16, {low} to {high}",
    "  classes: 1 maize (60), 4 oats (20)",
  ]


def test_missing_metadata_are_mentioned():
  first, second, *_ = summary(_scene(), "4 bands", 5).split("\n")
  assert first == "fields: 20 rows x 5 columns, not georeferenced"
  assert second == "  bands: wavelengths unknown; 4 bands"


def test_small_classes_are_noted():
  assert _notes(_scene(), 19) == []
  (note,) = _notes(_scene(), 20)
  assert note.startswith("class 4 (oats) has 20 pixels: with 20 samples per class, all are used for training")
  assert _notes(_scene(), None) == []


def test_unusual_values_are_noted_but_nodata_ignored():
  cube = _scene().cube.copy()
  cube[..., [1, 2]] = 7
  cube[3, 3] = 65535
  nodata = np.zeros((20, 5), bool)
  nodata[3, 3] = True
  scene = _scene(cube, nodata=nodata)
  assert "; 1% of the pixels are nodata" in summary(scene, "4 bands", 5)
  assert _notes(scene) == ["2 bands have the same value everywhere (counted from 0, without bad bands): 1:3"]
  cube[4, 3], cube[5, 3, 0] = 0, 60000
  constant, outlier, zeros = "2 bands", "the largest value, 60000, is ", "1 pixel is 0 in all bands"
  notes = _notes(_scene(cube, nodata=nodata))
  assert [note.startswith(start) for note, start in zip(notes, (outlier, zeros), strict=True)] == [True] * 2
  assert constant not in notes[0]


def test_wavelengths_out_of_order_and_remarks_are_noted():
  scene = _scene(wavelengths=np.array([400.0, 600, 500, 700]), remarks=("labels were warped",))
  assert _notes(scene) == ["labels were warped", "wavelengths do not increase from band to band"]


def test_bands_of_equal_width_have_one_number():
  made = _scene(wavelengths=np.array([400.0, 500, 600, 700]), widths=np.full(4, 12.0))
  assert "400 to 700 nm, 12 nm wide" in summary(made, "4 bands", 1)


def test_given_training_and_test_pixels_are_counted():
  labels = _LABELS.copy()
  labels[0, 3], tested = 9, np.zeros(_LABELS.shape, bool)
  tested[:5], names = labels[:5] > 0, {1: "maize", 4: "oats", 9: "rye"}
  scene = _scene(labels=labels, class_names=names, tested=tested)
  lines = summary(scene, "4 bands", None).split("\n")
  assert lines[3:] == [
    "  classes: 1 maize (45 for training, 15 for testing), 4 oats (15 for training, 5 for testing), "
    "9 rye (0 for training, 1 for testing)",
    "  note: class 9 (rye) has only test pixels, so no network can learn it",
  ]
