"""Bands where the spectra of two detectors overlap."""

import numpy as np
import pytest

from mtl_hsi.scenes.images.products.detector_overlap import leave_out

_CENTRES = np.array([800.0, 900, 905, 910, 920, 1000])
_VNIR = np.array([True, False, True, False, True, False])
_ALL = np.ones(6, bool)


@pytest.mark.parametrize(("choice", "left_out"), [("swir", [2, 4]), ("vnir", [1, 3]), ("all", [])])
def test_the_bands_of_the_other_detector_are_left_out(choice, left_out):
  found, remark = leave_out(_CENTRES, _VNIR, _ALL, choice)
  assert found.tolist() == left_out
  assert remark.startswith("the detectors overlap from 900 to 920 nm")


def test_bands_without_measurements_make_no_overlap():
  usable = np.array([True, False, True, True, True, True])
  found, remark = leave_out(_CENTRES, _VNIR, usable, "swir")
  # 905 nm is measured by VNIR alone.
  assert found.tolist() == [4]
  assert "from 910 to 920 nm" in remark


@pytest.mark.parametrize("is_vnir", [_CENTRES < 907, _CENTRES < 0, _CENTRES > 0])
def test_nothing_is_left_out_without_an_overlap(is_vnir):
  found, remark = leave_out(_CENTRES, is_vnir, _ALL, "swir")
  assert (found.tolist(), remark) == ([], None)
