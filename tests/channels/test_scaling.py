"""From a scene's unit to a network's range."""

import numpy as np
import pytest

from mtl_hsi.channels import scaling
from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.scene import Scene

CUBE = np.random.default_rng(0).integers(0, 9000, (5, 4, 3)).astype(np.uint16)
LABELS = np.tile(np.array([1, 2], np.int32), (5, 2))
MASK = np.zeros((5, 4), bool)
MASK[0, :2] = MASK[4, 1] = True


def scene(cube, nodata=None):
  labels = LABELS if nodata is None else np.where(nodata, 0, LABELS)
  return Scene(name="fields", cube=cube, labels=labels, class_names={1: "a", 2: "b"}, nodata=nodata)


def masked():
  """The cube with nodata values."""
  cube = CUBE.copy()
  cube[MASK] = 65535
  return scene(cube, MASK)


def test_the_maximum_is_that_of_all_bands():
  found = scaling.by_maximum(scene(CUBE))
  assert found.offset.tolist() == [0, 0, 0]
  assert found.scale.tolist() == [CUBE.max()] * 3
  assert scaling.by_maximum(masked()).scale.tolist() == [CUBE[~MASK].max()] * 3


def test_a_scene_of_nothing_has_no_maximum():
  with pytest.raises(RequestError, match="scene 'fields': the largest value is 0; expected a positive one"):
    scaling.by_maximum(scene(np.zeros((5, 4, 3))))


def test_a_number_is_that_of_all_bands():
  found = scaling.by_number(scene(CUBE), 5000.0)
  assert (found.offset.tolist(), found.scale.tolist()) == ([0, 0, 0], [5000] * 3)


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "masked"])
@pytest.mark.parametrize("level", [0, 1e6])
def test_bands_get_mean_0_and_deviation_1(mask, level):
  cube = CUBE.astype(np.float64) + level
  if mask is not None:
    cube[mask] = 1e9
  offset, scale = scaling.by_band(scene(cube, mask))
  measured = cube[... if mask is None else ~mask].reshape(-1, 3)
  np.testing.assert_allclose(offset, measured.mean(axis=0), rtol=1e-12)
  np.testing.assert_allclose(scale, measured.std(axis=0), rtol=1e-9)


def test_constant_bands_become_0():
  cube = CUBE / 7
  cube[..., 1] = 0.1
  offset, scale = scaling.by_band(scene(cube))
  assert ((cube[..., 1] - offset[1]) / scale[1] == 0).all()


def test_scenes_that_are_standardised_together_have_one_mean_and_deviation():
  scenes = [scene(CUBE), scene(CUBE[::-1] * 3), masked()]
  offset, scale = scaling.by_band_jointly(scenes)
  values = np.concatenate([one.cube[one.measured] for one in scenes]).astype(np.float64)
  np.testing.assert_allclose(offset, values.mean(axis=0), rtol=1e-12)
  np.testing.assert_allclose(scale, values.std(axis=0), rtol=1e-9)


def test_scenes_of_different_sensors_are_not_standardised_together():
  with pytest.raises(RequestError, match=r"'per_band_joint', which needs scenes of one sensor, with equal"):
    scaling.by_band_jointly([scene(CUBE), scene(CUBE[..., :2])])
