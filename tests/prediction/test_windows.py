"""An image in windows with their surroundings."""

import numpy as np
import pytest

from mtl_hsi.channels.inputs import Inputs
from mtl_hsi.channels.scaling import Scaling
from mtl_hsi.prediction import windows
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.training import patches

_SHAPE = (13, 21, 3)


@pytest.mark.parametrize("side", [1, 2, 5, 50])
@pytest.mark.parametrize("patch", [5, 9])
def test_regions_are_cut_from_what_training_sees(tmp_path, side, patch):
  generator = np.random.default_rng(0)
  values = generator.normal(5, 2, _SHAPE).astype(np.float32)
  values[0, 4] = values[12, 20, 1] = np.nan
  missing = np.isnan(values).any(axis=2)
  np.save(tmp_path / "image.npy", values)
  image = Image.open(tmp_path / "image.npy")
  inputs = Inputs(3, np.array([2, 0], np.int32), Scaling(np.array([1.0, 2.0]), np.array([3.0, 4.0])), None)
  _, (padded,) = patches.lay_out([patches.Layer(values, inputs, missing)], patch)
  height, width, _ = _SHAPE
  for top in range(0, height, side):
    for left in range(0, width, side):
      rows, columns = slice(top, min(top + side, height)), slice(left, min(left + side, width))
      region = windows.read_window(image, inputs, rows, columns, patch, lambda values, _: values[..., 1] > 5)
      margin = patch - 1
      np.testing.assert_array_equal(
        region.padded, padded[rows.start : rows.stop + margin, columns.start : columns.stop + margin]
      )
      np.testing.assert_array_equal(region.missing, missing[rows, columns])
      np.testing.assert_array_equal(region.filled, (values[..., 1] > 5)[rows, columns])
