from mtl_hsi.report import left_out_text


def test_units_and_folds_are_named():
  text = left_out_text.describe({"kind": "regions", "folds": 4, "units": 1200, "pixels": 9000})
  assert text == (
    "Accuracy on the labels of regions that were left out: 4 folds, 1,200 regions; the interval resamples "
    "regions."
  )
