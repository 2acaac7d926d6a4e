"""Images, DataArrays, datasets and labels from Python."""

import numpy as np
import pytest
import rasterio

from mtl_hsi.errors import RequestError
from mtl_hsi.estimator import array_images, data_arrays, label_images
from tests.prediction.predicting import TRANSFORM, write_raster

xarray = pytest.importorskip("xarray")
VALUES = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
WHOLE = slice(None), slice(None)


def opened(image, **given):
  return array_images.opener(image, **given)()


def test_an_array_is_an_image():
  image = opened(VALUES, wavelengths=[0.45, 0.5, 0.55, 0.6], widths=[0.01] * 4)
  np.testing.assert_array_equal(image.read(*WHOLE)[0], VALUES)
  np.testing.assert_allclose(image.wavelengths, [450, 500, 550, 600])
  np.testing.assert_allclose(image.widths, 10)
  assert (image.height, image.width, image.bands, image.georeference) == (2, 3, 4, None)


@pytest.mark.parametrize("dimensions", [("band", "y", "x"), ("y", "x", "band"), ("x", "band", "y")])
def test_a_data_array_has_any_order_of_dimensions(dimensions):
  image = xarray.DataArray(
    VALUES,
    dims=("y", "x", "band"),
    coords={
      "y": [9.0, 7.0],
      "x": [11.0, 13.0, 15.0],
      "wavelength": ("band", [450.0, 500, 550, 600]),
      "fwhm": ("band", [10.0] * 4),
    },
    attrs={"_FillValue": 5},
  ).transpose(*dimensions)
  found = opened(image)
  values, missing = found.read(*WHOLE)
  np.testing.assert_array_equal(values, VALUES)
  np.testing.assert_array_equal(missing, (VALUES == 5).any(axis=-1))
  assert found.georeference.transform == (2.0, 0.0, 10.0, 0.0, -2.0, 10.0)
  np.testing.assert_array_equal(found.wavelengths, [450, 500, 550, 600])
  np.testing.assert_array_equal(found.widths, 10)


@pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")
def test_the_place_of_rioxarray_is_known(tmp_path):
  rioxarray = pytest.importorskip("rioxarray")
  write_raster(tmp_path / "a.tif", VALUES, nodata=7)
  with rioxarray.open_rasterio(tmp_path / "a.tif") as image, rasterio.open(tmp_path / "a.tif") as raster:
    found, expected = opened(image), opened(raster)
    assert found.georeference.transform == expected.georeference.transform == tuple(TRANSFORM)[:6]
    assert rasterio.CRS.from_wkt(found.georeference.crs) == raster.crs
    for one, other in zip(found.read(*WHOLE), expected.read(*WHOLE), strict=True):
      np.testing.assert_array_equal(one, other)


def test_a_dataset_in_memory_is_read(tmp_path):
  write_raster(tmp_path / "a.tif", VALUES, nodata=7)
  with (
    rasterio.MemoryFile((tmp_path / "a.tif").read_bytes()) as file,
    file.open() as raster,
    rasterio.open(tmp_path / "a.tif") as other,
  ):
    assert array_images.path_of(other) == tmp_path / "a.tif"
    assert array_images.path_of(raster) is None
    for one, two in zip(opened(raster).read(*WHOLE), opened(other).read(*WHOLE), strict=True):
      np.testing.assert_array_equal(one[two is None or ...], two)
    assert opened(raster).georeference.transform == tuple(TRANSFORM)[:6]


def test_uneven_coordinates_give_no_place():
  image = xarray.DataArray(VALUES, dims=("y", "x", "band"), coords={"y": [1.0, 2.0], "x": [1.0, 2.0, 4.0]})
  assert data_arrays.read(image).georeference is None


@pytest.mark.parametrize(
  ("image", "message"),
  [
    (xarray.DataArray(VALUES, dims=("a", "b", "c")), "has the dimensions a, b, c; expected one named band"),
    (xarray.DataArray(VALUES[0], dims=("band", "x")), "has 2 dimensions; expected rows, columns and bands"),
    (VALUES.astype("U2"), "the image has dtype <U2; expected an integer or floating-point dtype"),
    (VALUES[:0], "the image is 0 x 3 x 4; expected rows x columns x bands"),
  ],
)
def test_what_is_no_image_is_refused(image, message):
  with pytest.raises(RequestError, match=message):
    array_images.opener(image)


def test_wavelengths_must_be_one_for_each_band():
  with pytest.raises(RequestError, match=r"have shape \(3,\) for 4 bands"):
    array_images.opener(VALUES, wavelengths=[450, 500, 550])


def test_names_get_ids_in_alphabetical_order():
  found = label_images.read(np.array([["wheat", "", "maize"]], object), None)
  np.testing.assert_array_equal(found.ids, [[2, 0, 1]])
  assert found.names == {1: "maize", 2: "wheat"}


@pytest.mark.parametrize("names", [{3: "a", 7: "b", 9: "c"}, ["a", "b"]])
def test_ids_get_names(names):
  for labels in (np.array([[0, 7, 3]]), np.array([[np.nan, 7.0, 3.0]]), xarray.DataArray([[0, 7, 3]])):
    found = label_images.read(labels, names)
    np.testing.assert_array_equal(found.ids, [[0, 7, 3]])
    assert found.names == {3: "a", 7: "b"}


@pytest.mark.parametrize(
  ("labels", "names", "message"),
  [
    ([[1, 2]], ["a"], "class_names has 1 names; expected one for each of 2 classes"),
    ([[1, 2]], {1: "a"}, "class_names has no name for the class 2"),
    ([["a", "b"]], ["a", "b"], "the labels are names already"),
    ([1, 2], None, "the labels have 1 axes; expected rows x columns"),
    ([[-1, 2]], None, "the labels are not class ids"),
    ([[1, 70000]], None, "expected whole numbers of 1 to 65535"),
  ],
)
def test_invalid_labels_are_refused(labels, names, message):
  with pytest.raises(RequestError, match=message):
    label_images.read(np.array(labels), names)
