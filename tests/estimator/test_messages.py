"""Tests of the names of keys in messages of the library."""

import pytest
from absl import logging

from mtl_hsi.errors import RequestError
from mtl_hsi.estimator.messages import named_as_arguments


def test_warnings_and_errors_name_arguments(caplog):
  @named_as_arguments()
  def fail():
    named_as_arguments()(int)()
    logging.warning("predict with --config.nodata=%g", 7)
    raise RequestError("give --config.nodata, or --config.files.<scene>.labels_crs=<system>")

  with pytest.raises(RequestError, match=r"^give nodata, or labels_crs=<system>$"):
    fail()
  logging.warning("predict with --config.nodata=%g", 7)
  assert [record.getMessage() for record in caplog.records] == [
    "predict with nodata=7",
    "predict with --config.nodata=7",
  ]
