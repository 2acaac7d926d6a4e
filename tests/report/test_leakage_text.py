import pytest

from mtl_hsi.report.leakage_text import describe, is_high, warning


def test_a_split_without_leakage():
  assert describe(0.0, 0.0) == (
    "No test pixel has a training pixel in its patch, and no test patch overlaps a training patch."
  )
  assert describe(0.0, None) == "No test pixel has a training pixel in its patch."


@pytest.mark.parametrize(("leakage", "overlap"), [(0.3, 0.9), (0.0, 0.5), (0.25, None)])
def test_high_leakage(leakage, overlap):
  text = describe(leakage, overlap)
  assert f"{100 * leakage:.1f}% of the test pixels have a training pixel" in text
  assert ("overlap a training patch" in text) == (overlap is not None)
  assert is_high(leakage, overlap)


def test_low_leakage():
  assert not is_high(0.01, 0.05)
  assert describe(0.01, 0.05) == (
    "1.0% of the test pixels have a training pixel in their patch, and the patches of 5.0% overlap a "
    "training patch."
  )


def test_smoothing_is_mentioned():
  assert describe(0.0, 0.0, 40) == (
    f"{describe(0.0, 0.0)} Map smoothing can also carry information from training areas up to 40 pixels away."
  )


def test_the_advice_depends_on_who_chose_the_test_pixels():
  assert warning(test_given=False).endswith("use --config.split=blocks.")
  assert warning(test_given=True).endswith("choose test labels farther from the training labels.")


def test_left_out_labels_have_their_own_advice():
  assert warning(test_given=False, left_out=True) == (
    "Warning: left-out labels lie close to training labels, so this accuracy is too optimistic for "
    "unlabelled areas; use --config.fold_buffer=<pixels> to keep them apart, or --config.fold_units=blocks."
  )
  assert describe(0.3, 0.9, left_out=True) == (
    "30.0% of the left-out pixels have a training pixel in their patch, and the patches of 90.0% overlap a "
    "training patch."
  )
  assert describe(0.0, 0.0, left_out=True).startswith("No left-out pixel has")
