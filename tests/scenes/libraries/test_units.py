import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.libraries.units import scale_to_scene

REFLECTANCE = np.linspace(0.05, 0.6, 48).reshape(4, 4, 3)


@pytest.mark.parametrize("scene", [1, 100, 10_000])
@pytest.mark.parametrize("library", [1, 100, 10_000])
def test_units_of_reflectance_are_told_apart(scene, library):
  cube = (scene * REFLECTANCE).astype(np.float32)
  assert scale_to_scene(library * REFLECTANCE[0] / 2, cube, None, "soils.sli") == scene / library


def test_missing_pixels_do_not_count():
  cube = np.concatenate([REFLECTANCE, np.full((40, 4, 3), -9999.0)])
  nodata = (cube < 0).any(axis=2)
  assert scale_to_scene(REFLECTANCE[0], cube, nodata, "soils.sli") == 1


@pytest.mark.parametrize(
  ("factor", "message"),
  [
    (60_000, r"the values of the scene, up to 3.\d+e\+04, are no reflectance"),
    (0, "the values of the scene, up to 0, are no reflectance"),
    (1000, r"the median is 0.\d+ in the library and \d+ in the scene"),
  ],
)
def test_other_units_need_a_factor(factor, message):
  with pytest.raises(RequestError, match=f"soils.sli: {message}.*; give the factor .* as library_scale"):
    scale_to_scene(1.5 * REFLECTANCE[2], factor * REFLECTANCE, None, "soils.sli")
