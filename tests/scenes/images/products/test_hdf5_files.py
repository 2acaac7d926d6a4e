"""HDF5 files of products: windows, texts, and sizes."""

import h5py
import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.products import hdf5_files
from mtl_hsi.storage import memory

# Rows, columns, bands.
_CUBE = np.arange(3 * 4 * 100, dtype=np.int16).reshape(3, 4, 100)
_WINDOW = slice(1, 9), slice(1, 3)


@pytest.fixture
def path(tmp_path):
  path = tmp_path / "a.h5"
  with h5py.File(path, "w") as file:
    for axes in ("rcb", "rbc", "brc"):
      file[axes] = _CUBE.transpose(["rcb".index(axis) for axis in axes])
    file["big_endian"] = _CUBE.astype(">i2")
    file["flags"] = np.eye(3, 4, dtype=bool)
    file["names"] = np.array(["a", "é"], object)
    file["fixed"] = np.bytes_("a text")
    file.attrs["text"], file.attrs["latin1"], file.attrs["list"] = "five", np.bytes_(b"\xfcber"), ["a", "b"]
    file.attrs["number"], file.attrs["numbers"] = "5", np.array([[1, 2]])
  return path


@pytest.mark.parametrize("axes", ["rcb", "rbc", "brc"])
@pytest.mark.parametrize("bands", [[5], [0, 1, 2], [99, 3, 2, 1, 50, 51], []])
def test_windows_of_any_order_of_axes_and_bands(path, axes, bands):
  file = hdf5_files.open_file(path)
  found = file.read(file.array(axes, 3), axes, *_WINDOW, np.array(bands, int))
  np.testing.assert_array_equal(found, _CUBE[1:3, 1:3][..., bands])


def test_windows_without_bands_and_in_another_byte_order(path):
  file = hdf5_files.open_file(path)
  found = file.read(file.array("flags", 2), "rc", *_WINDOW)
  np.testing.assert_array_equal(found, np.eye(3, 4)[_WINDOW])
  found = file.read(file.array("big_endian", 3), "rcb", *_WINDOW, np.arange(100))
  assert found.dtype == np.int16
  assert found.dtype.isnative
  np.testing.assert_array_equal(found, _CUBE[_WINDOW])


def test_texts_and_numbers(path):
  file = hdf5_files.open_file(path)
  assert file.texts("names", 2) == ["a", "é"]
  assert file.texts("names", 1) == file.texts("absent", 1) == []
  assert (file.text("fixed"), file.text("names"), file.text("absent")) == ("a text", None, None)
  assert (file.attribute_text("/", "text"), file.attribute_text("/", "latin1")) == ("five", "\ufffdber")
  assert (file.attribute_text("/", "list"), file.attribute_text("absent", "text")) == (None, None)
  assert (file.number("/", "number"), file.number("/", "text"), file.number("/", "absent")) == (5, None, None)
  assert file.numbers("/", "numbers").tolist() == [1, 2]


@pytest.mark.parametrize(
  ("name", "message"),
  [
    ("absent", "has no array absent"),
    ("flags", r"has the shape \(3, 4\)"),
    ("names", r"has the shape \(2,\)"),
  ],
)
def test_arrays_that_do_not_fit_are_rejected(path, name, message):
  with pytest.raises(RequestError, match=message):
    hdf5_files.open_file(path).array(name, 3)


def test_an_array_that_declares_more_than_it_contains_is_rejected(tmp_path):
  with h5py.File(tmp_path / "a.h5", "w") as file:
    file.create_dataset("cube", (1000, 1000, 1000), "f4", chunks=(10, 10, 10))
  with pytest.raises(RequestError, match="declares 4000000000 bytes and stores 0"):
    hdf5_files.open_file(tmp_path / "a.h5").array("cube", 3)


def test_a_chunk_and_a_window_must_fit_into_memory(tmp_path, monkeypatch):
  with h5py.File(tmp_path / "a.h5", "w") as file:
    file.create_dataset("chunk", data=np.zeros((150, 100, 100)), chunks=(150, 100, 100), compression="gzip")
    file.create_dataset("cube", data=np.zeros((150, 100, 100)))
  monkeypatch.setattr(memory, "available", lambda: 20_000_000)
  file = hdf5_files.open_file(tmp_path / "a.h5")
  with pytest.raises(RequestError, match=r"chunk in .* needs 24 MB to read"):
    file.array("chunk", 3)
  cube = file.array("cube", 3)
  with pytest.raises(RequestError, match="needs 24 MB to read"):
    file.read(cube, "rcb", slice(None), slice(None), np.arange(100))
  assert file.read(cube, "rcb", slice(0, 50), slice(None), np.arange(100)).shape == (50, 100, 100)


def test_a_file_in_another_format(tmp_path):
  (tmp_path / "a.nc").write_bytes(b"CDF\x01")
  assert hdf5_files.open_file(tmp_path / "a.nc") is None
