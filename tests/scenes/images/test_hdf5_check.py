"""HDF5 files on which the libraries would hang or crash."""

import h5py
import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import hdf5_check, hdf5_heaps

_HEAP = b"GCOL\x01\x00\x00\x00"


@pytest.fixture
def path(tmp_path):
  """A file with texts in a heap, and with arrays that contain the signature of a heap."""
  path = tmp_path / "a.h5"
  with h5py.File(path, "w") as file:
    file.attrs["title"] = "a text of any length"
    values = np.frombuffer(_HEAP + bytes(56), np.uint8).reshape(8, 8)
    file["contiguous"] = values
    file.create_dataset("chunked", data=values, chunks=(4, 8))
    file.create_dataset("unwritten", (8, 8), "f4")
    file["scale"] = np.zeros(8)
    file["scale"].make_scale("scale")
    file["contiguous"].dims[0].attach_scale(file["scale"])
  return path


def _zero(path, after):
  """Overwrites the rest of the heap after the first appearance of some bytes."""
  content = path.read_bytes()
  heap = next(i for i in range(len(content)) if content[i : i + 8] == _HEAP and b"any" in content[i : i + 64])
  start = content.index(after, heap) + len(after)
  end = heap + int.from_bytes(content[heap + 8 : heap + 16], "little")
  path.write_bytes(content[:start] + bytes(end - start) + content[end:])


def test_a_valid_file_is_accepted(path):
  hdf5_check.check_file(path)


def test_a_heap_that_was_overwritten_with_zeros_is_rejected(path):
  _zero(path, b"any length")
  with pytest.raises(RequestError, match=r"a.h5 cannot be read as HDF5 \(a heap is damaged\)"):
    hdf5_check.check_file(path)


def test_an_array_that_declares_too_much_hides_no_heap(path):
  with h5py.File(path, "r+") as file:
    head, place = file["contiguous"].id.get_offset(), file["contiguous"].shape
  content = path.read_bytes()
  # The address and the size of the values, in the header of the array.
  layout = head.to_bytes(8, "little") + int(np.prod(place)).to_bytes(8, "little")
  assert content.count(layout) == 1
  path.write_bytes(content.replace(layout, layout[:8] + (2**50).to_bytes(8, "little")))
  _zero(path, b"any length")
  with pytest.raises(RequestError, match="a heap is damaged"):
    hdf5_check.check_file(path)


def test_a_heap_without_an_end_is_rejected(path, monkeypatch):
  monkeypatch.setattr(hdf5_heaps, "_MOST_OBJECTS", 1)
  with pytest.raises(RequestError, match="a heap is damaged"):
    hdf5_check.check_file(path)


def _lengthen(path, start):
  """Replaces the length 9 of a text, at a position, by the maximum of 32 bits."""
  content = bytearray(path.read_bytes())
  assert content[start : start + 4] == bytes([9, 0, 0, 0])
  content[start : start + 4] = b"\xff" * 4
  path.write_bytes(content)


@pytest.mark.parametrize("chunks", [None, (2,)])
def test_texts_that_are_longer_than_the_file_are_rejected_before_they_are_read(path, chunks):
  with h5py.File(path, "r+") as file:
    file.create_dataset("names", data=["nine byte", "b", "c"], chunks=chunks)
    names = file["names"].id
    start = names.get_chunk_info(0).byte_offset if chunks else names.get_offset()
  hdf5_check.check_file(path)
  _lengthen(path, start)
  with pytest.raises(RequestError, match=r"cannot be read as HDF5 \(/names is damaged\)"):
    hdf5_check.check_file(path)


@pytest.mark.parametrize("value", ["nine byte", np.array(["b", "nine byte"], h5py.string_dtype())])
def test_attributes_that_are_longer_than_the_file_are_rejected(tmp_path, value):
  path = tmp_path / "b.h5"
  with h5py.File(path, "w") as file:
    file["values"] = np.zeros(3)
    file["values"].attrs["unité"] = value
  hdf5_check.check_file(path)
  content = path.read_bytes()
  heap = content.index(_HEAP).to_bytes(8, "little")
  _lengthen(path, content.index(bytes([9, 0, 0, 0]) + heap))
  with pytest.raises(RequestError, match=r"b.h5 cannot be read as HDF5 \(unité is damaged\)"):
    hdf5_check.check_file(path)


@pytest.mark.parametrize(
  ("name", "value"),
  [("DIMENSION_LIST", np.zeros((3, 4, 3))), ("_Netcdf4Coordinates", np.arange(9)), ("_Netcdf4Dimid", [1, 2])],
)
def test_dimensions_that_the_netcdf_library_does_not_check_are_rejected(path, name, value):
  with h5py.File(path, "r+") as file:
    if name in file["contiguous"].attrs:
      del file["contiguous"].attrs[name]
    file["contiguous"].attrs[name] = value
  with pytest.raises(RequestError, match="the dimensions of contiguous are damaged"):
    hdf5_check.check_file(path)
