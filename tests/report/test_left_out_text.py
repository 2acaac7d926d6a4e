from mtl_hsi.report import left_out_text


def test_units_and_folds_are_named():
  text = left_out_text.describe({"kind": "regions", "folds": 4, "units": 1200, "pixels": 9000})
  assert text == (
    "Accuracy on the labels of regions that were left out: 4 folds, 1,200 regions; the interval resamples "
    "regions."
  )


def test_a_scene_that_was_left_out_as_a_whole_is_said_so():
  left_out = {"kind": "regions", "folds": 3, "units": 12, "pixels": 90, "whole_scene": True}
  assert left_out_text.describe(left_out) == (
    "Accuracy by networks that saw no label of this scene, on 12 regions; the interval resamples regions."
  )


def test_features_are_explained():
  text = left_out_text.describe({"kind": "features", "folds": 5, "units": 30})
  assert text == (
    "Accuracy on the labels of features (polygons, lines or points) that were left out: 5 folds, 30 "
    "features; the interval resamples features."
  )
