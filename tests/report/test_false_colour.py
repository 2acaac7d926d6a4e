import numpy as np

from mtl_hsi.report.false_colour import false_colour_bands
from mtl_hsi.scenes.scene import Scene

LABELS = np.array([[1, 2], [2, 1]], np.int32)


def scene(name, bands, **facts):
  return Scene(name, np.ones((2, 2, bands)), LABELS, {1: "a", 2: "b"}, **facts)


def test_bands_nearest_to_red_green_and_blue():
  assert false_colour_bands(scene("mine", 4, wavelengths=np.array([460.0, 555, 650, 900]))) == (2, 1, 0)


def test_a_sensors_usual_bands_where_there_are_enough():
  assert false_colour_bands(scene("mine", 103, sensor="ROSIS")) == (55, 41, 12)
  assert false_colour_bands(scene("mine", 20, sensor="ROSIS")) == (15, 10, 5)


def test_a_scene_with_a_public_name_but_other_bands_is_no_public_scene():
  assert false_colour_bands(scene("salinas", 8)) == (6, 4, 2)
