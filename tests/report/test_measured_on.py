import dataclasses

import numpy as np

from mtl_hsi.report.measured_on import measured_on


def test_of_several_replicas_the_spread_is_named(fields_report):
  expected = "on 16 test pixels: mean \N{PLUS-MINUS SIGN} standard deviation over 2 replicas"
  assert measured_on(fields_report) == expected


def test_left_out_labels_are_named_with_their_units(left_out_report):
  assert measured_on(left_out_report) == "on 1,234 labelled pixels of 41 polygons that were left out in turn"
  left = left_out_report.metrics["left_out"] | {"whole_scene": True}
  report = dataclasses.replace(left_out_report, metrics=left_out_report.metrics | {"left_out": left})
  assert measured_on(report) == "on 1,234 labelled pixels, by networks that saw no label of this scene"


def test_without_test_pixels_there_is_no_accuracy(fields_report):
  untested = dataclasses.replace(fields_report, test=np.zeros((0, 2), np.int32))
  assert measured_on(untested) == "All labels were used for training, so no accuracy can be computed."
