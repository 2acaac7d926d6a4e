import pytest

from mtl_hsi.report.leakage_words import is_high, warning, words


def test_no_leakage_is_said():
  assert words(0.0, 0.0) == (
    "No test pixel has a training pixel within its patch, and no test patch overlaps a training patch."
  )
  assert words(0.0, None) == "No test pixel has a training pixel within its patch."


@pytest.mark.parametrize(("leakage", "overlap"), [(0.3, 0.9), (0.0, 0.5), (0.25, None)])
def test_high_shares_are_said_and_known(leakage, overlap):
  text = words(leakage, overlap)
  assert f"{100 * leakage:.1f} % of the test pixels have a training pixel" in text
  assert ("overlap a training patch" in text) == (overlap is not None)
  assert is_high(leakage, overlap)


def test_smoothing_is_said_to_reach_further():
  plain = words(0.0, 0.0)
  assert words(0.0, 0.0, 40) == (
    f"{plain} Smoothing carries what the network says of trained ground up to 40 pixels further."
  )


def test_low_shares_are_said_and_known():
  assert not is_high(0.01, 0.05)
  assert words(0.01, 0.05) == (
    "1.0 % of the test pixels have a training pixel within their patch, and the patches of 5.0 % overlap a "
    "training patch."
  )


def test_the_advice_suits_who_chose_the_test_pixels():
  assert "as with most random splits" in warning(given=False)
  assert warning(given=False).endswith("split=blocks keeps their patches apart.")
  assert warning(given=True).endswith("test labels farther from those for training keep their patches apart.")
