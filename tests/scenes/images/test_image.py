"""Images of any format: windows, nodata, scaling and bands."""

import dataclasses
from unittest import mock

import numpy as np
import pytest
import rasterio
import scipy.io

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import image as image_module
from mtl_hsi.scenes.images import sources
from mtl_hsi.scenes.images.image import Image
from tests.scenes import formats

_CUBE = np.arange(1, 61, dtype=np.int16).reshape(3, 4, 5)
_ALL = slice(None), slice(None)


def _save(folder, kind, cube=_CUBE):
  path = folder / f"a.{kind}"
  if kind == "npy":
    np.save(path, cube)
  elif kind == "npz":
    np.savez(path, cube=cube, wavelengths=np.linspace(400, 800, 5))
  elif kind == "mat":
    scipy.io.savemat(path, {"values": cube})
  else:
    formats.save_raster(path, cube)
  return path


@pytest.mark.parametrize("kind", ["npy", "npz", "mat", "tif"])
def test_a_window_has_the_requested_pixels(tmp_path, kind):
  image = Image.open(_save(tmp_path, kind))
  assert (image.height, image.width, image.bands, image.dtype) == (3, 4, 5, np.int16)
  for window in (_ALL, (slice(1, 3), slice(0, 2)), (slice(2, None), slice(1, 99))):
    values, mask = image.read(*window)
    np.testing.assert_array_equal(values, _CUBE[window])
    assert values.dtype == np.int16
    assert mask is None
  assert (image.georeference is None) == (kind != "tif")


def test_an_npy_image_stays_on_disk(tmp_path):
  base, _ = Image.open(_save(tmp_path, "npy")).read(slice(1, 2), slice(None))
  while base is not None and not isinstance(base, np.memmap):
    base = base.base
  assert base is not None


@pytest.mark.parametrize("kind", ["npy", "tif"])
def test_a_pixel_is_nodata_if_any_kept_band_is(tmp_path, kind):
  image = Image.open(_save(tmp_path, kind), nodata=(7.0,))
  assert np.argwhere(image.read(*_ALL)[1]).tolist() == [[0, 1]]
  assert np.argwhere(image.read(slice(0, 1), slice(1, 3))[1]).tolist() == [[0, 0]]
  # Only band 1 has the value.
  assert not Image.open(tmp_path / f"a.{kind}", nodata=(7.0,), bad_bands="1").read(*_ALL)[1].any()


@pytest.mark.parametrize("missing", [-9999.9, np.nan])
def test_the_metadata_of_a_raster_specify_nodata(tmp_path, missing):
  cube = _CUBE.astype(np.float32)
  cube[2, 3, 4] = missing
  path = formats.save_raster(tmp_path / "a.tif", cube, nodata=missing)
  assert np.argwhere(Image.open(path).read(*_ALL)[1]).tolist() == [[2, 3]]
  # A value is compared in float32.
  assert np.argwhere(Image.open(_save(tmp_path, "npy", cube), nodata=(missing,)).read(*_ALL)[1]).tolist() == [
    [2, 3]
  ]


def test_the_background_of_a_product_is_nodata_where_all_bands_have_it(tmp_path):
  source = sources.open_source(_save(tmp_path, "npy", np.where(_CUBE > 42, 0, _CUBE)), None)
  found = dataclasses.replace(source, background=0.0)
  with mock.patch.object(image_module, "open_source", return_value=found):
    image = Image.open(tmp_path / "a.npy")
  values, mask = image.read(*_ALL)
  assert image.knows_nodata
  assert (values[2, 0] == 0).sum() == 3
  np.testing.assert_array_equal(mask, [[False] * 4, [False] * 4, [False, True, True, True]])


def test_the_mask_in_an_npz_file_specifies_nodata(tmp_path):
  mask = np.zeros((3, 4), bool)
  mask[1, 2] = True
  np.savez(tmp_path / "a.npz", cube=_CUBE, nodata=mask)
  found = Image.open(tmp_path / "a.npz").read(slice(1, 3), slice(2, 4))[1]
  np.testing.assert_array_equal(found, [[True, False], [False, False]])


def test_values_are_scaled(tmp_path):
  path = _save(tmp_path, "tif")
  image = Image.open(path, scale=0.5, offset=-1.0, nodata=(7.0,))
  values, mask = image.read(*_ALL)
  assert values.dtype == image.dtype == np.float32
  np.testing.assert_array_equal(values, _CUBE * 0.5 - 1)
  assert mask[0, 1]
  np.testing.assert_array_equal(Image.open(path, offset=2.0).read(*_ALL)[0], _CUBE + 2.0)
  with rasterio.open(path, "r+") as raster:
    raster.scales, raster.offsets = (1, 2, 3, 4, 5), (0, 0, 0, 0, 9)
  values, _ = Image.open(path, bad_bands="0").read(*_ALL)
  np.testing.assert_array_equal(values, (_CUBE * [1, 2, 3, 4, 5] + [0, 0, 0, 0, 9])[..., 1:])


@pytest.mark.parametrize("kind", ["npy", "tif"])
def test_bad_bands_are_dropped(tmp_path, kind):
  table = tmp_path / "bands.csv"
  table.write_text("400,5\n500,5\n600,5\n700,6\n800,7\n")
  image = Image.open(_save(tmp_path, kind), bad_bands="0,2:4", wavelengths=table)
  np.testing.assert_array_equal(image.read(*_ALL)[0], _CUBE[..., [1, 4]])
  assert (image.bands, image.kept.tolist(), image.dropped.tolist()) == (2, [1, 4], [0, 2, 3])
  assert (image.wavelengths.tolist(), image.widths.tolist()) == ([500, 800], [5, 7])


def test_an_envi_header_flags_bad_bands(tmp_path):
  header = formats.save_envi(tmp_path / "a.dat", _CUBE, header="bbl = {1, 0, 1, 1, 0}")
  assert Image.open(header).dropped.tolist() == [1, 4]
  assert Image.open(header, bad_bands="none").bands == 5
  assert Image.open(header, bad_bands="3").dropped.tolist() == [3]
  np.testing.assert_array_equal(Image.open(header).read(*_ALL)[0], _CUBE[..., [0, 2, 3]])


@pytest.mark.parametrize(
  ("flags", "reason"),
  [("1, 0", "bbl has 2 entries"), ("0, 0, 0, 0, 0", "all 5 bands are bad"), ("a, 1, 1, 1, 1", "invalid bbl")],
)
def test_invalid_flags_of_bad_bands_are_not_used(tmp_path, flags, reason):
  image = Image.open(formats.save_envi(tmp_path / "a.dat", _CUBE, header=f"bbl = {{{flags}}}"))
  assert image.bands == 5
  assert reason in image.remarks[0]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_missing(tmp_path, value):
  cube = _CUBE.astype(np.float32)
  cube[1, 2, 3] = value
  path = formats.save_raster(tmp_path / "a.tif", cube, nodata=_CUBE[0, 0, 0])
  assert np.argwhere(Image.open(path).read(*_ALL)[1]).tolist() == [[0, 0], [1, 2]]
  several = Image.open(path, nodata=(float(_CUBE[2, 0, 1]), np.nan))
  assert np.argwhere(several.read(*_ALL)[1]).tolist() == [[0, 0], [1, 2], [2, 0]]


def test_numbers_of_16_bits_are_read_as_32(tmp_path):
  np.save(tmp_path / "a.npy", (_CUBE / 100).astype(np.float16))
  image = Image.open(tmp_path / "a.npy")
  values, _ = image.read(*_ALL)
  assert image.dtype == values.dtype == np.float32
  np.testing.assert_allclose(values, _CUBE / 100, rtol=1e-3)


@pytest.mark.parametrize("kind", ["npy", "tif"])
def test_bands_in_another_order(tmp_path, kind):
  path = tmp_path / f"a.{kind}"
  np.save(path, _CUBE) if kind == "npy" else formats.save_raster(path, _CUBE)
  image = Image.open(path, bad_bands="1", scale=2).with_bands(np.array([3, 0, 2]))
  np.testing.assert_array_equal(image.read(*_ALL)[0], 2.0 * _CUBE[..., [4, 0, 3]])


def test_band_metadata_of_a_tiff_flag_bad_bands(tmp_path):
  path = formats.save_raster(tmp_path / "a.tif", _CUBE)
  assert Image.open(path).bands == 5
  with rasterio.open(path, "r+") as raster:
    for band, good in ((1, 1), (2, 0), (5, 0)):
      raster.update_tags(band, bbl=good)
  assert Image.open(path).dropped.tolist() == [1, 4]


@pytest.mark.parametrize(
  ("text", "message"),
  [
    ("5", "names band 5; the file has 5"),
    ("3:9", "names band 5; the file has 5"),
    ("7:9", "names band 7; the file has 5"),
    ("3:3", "bad_bands is '3:3'; expected bands and ranges such as"),
    ("1-3", "bad_bands is '1-3'; expected"),
    ("", "bad_bands is ''; expected"),
    ("0:5", "all 5 bands are bad"),
  ],
)
def test_invalid_lists_of_bands_are_rejected(tmp_path, text, message):
  with pytest.raises(RequestError, match=message):
    Image.open(_save(tmp_path, "npy"), bad_bands=text)


def test_an_envi_file_shorter_than_declared_is_rejected(tmp_path):
  header = formats.save_envi(tmp_path / "a.dat", _CUBE)
  data = header.with_suffix(".dat")
  data.write_bytes(data.read_bytes()[:-2])
  with pytest.raises(RequestError, match=r"has 118 bytes, but its header declares .* int16, which need 120"):
    Image.open(header)


def test_a_truncated_tiff_is_rejected(tmp_path):
  noise = np.random.default_rng(0).integers(0, 99, (90, 90, 3), np.uint8)
  whole = formats.save_raster(tmp_path / "whole.tif", noise, compress="deflate").read_bytes()
  path = tmp_path / "cut.tif"
  for share in (0, 0.01, 0.5, 0.9):
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(RequestError, match=r"cut.tif cannot be read as a raster") as error:
      Image.open(path).read(*_ALL)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("names", [[], ["a.dat", "a.img"]])
def test_a_header_needs_one_data_file(tmp_path, names):
  (tmp_path / "a.hdr").write_text("ENVI\n")
  for name in names:
    (tmp_path / name).write_bytes(b"")
  with pytest.raises(RequestError, match=f"found {', '.join(names) or 'none'}: name the data file"):
    Image.open(tmp_path / "a.hdr")


def test_messages_name_an_unsupported_raster_format(tmp_path):
  path = formats.save_raster(tmp_path / "a.pix", _CUBE, "PCIDSK")
  with pytest.raises(
    RequestError, match=r"a.pix has the file ending of GDAL's format PCIDSK, which is not supported"
  ):
    Image.open(path)
  # The ending .dat belongs to another format of GDAL, but also to ENVI.
  (tmp_path / "a.dat").write_text("dear")
  with pytest.raises(RequestError, match=r"a.dat cannot be read as a raster"):
    Image.open(tmp_path / "a.dat")


def test_other_files_are_rejected(tmp_path):
  with pytest.raises(RequestError, match=r"no such file: .*nowhere.tif"):
    Image.open(tmp_path / "nowhere.tif")
  (tmp_path / "a.txt").write_text("dear")
  with pytest.raises(RequestError, match=r"a.txt cannot be read as a raster"):
    Image.open(tmp_path / "a.txt")
  with pytest.raises(RequestError, match="remove the key 'cube'"):
    Image.open(_save(tmp_path, "tif"), "cube")
  with pytest.raises(RequestError, match="has values of type complex64; expected real numbers"):
    Image.open(formats.save_raster(tmp_path / "c.tif", _CUBE.astype(np.complex64)))
