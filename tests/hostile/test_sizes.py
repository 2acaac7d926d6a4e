"""Files that declare more data than they contain, or than fit into memory, are rejected early."""

import os
import struct
import tracemalloc
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.arrays import list_arrays, read_array
from mtl_hsi.scenes.images.image import Image
from tests.hostile import hostile_files
from tests.scenes import formats

# The most memory to use before a file is rejected.
_LITTLE = 4 << 20
# Size of a sparse file, which takes no space on the disk.
_HUGE = 10**11


def _assert_rejected(path: Path, message: str, key: str | None = "cube"):
  tracemalloc.start()
  try:
    with pytest.raises(RequestError, match=message) as error:
      read_array(path, key)
    assert tracemalloc.get_traced_memory()[1] < _LITTLE
  finally:
    tracemalloc.stop()
  assert str(path) in str(error.value)
  assert "\n" not in str(error.value)


@pytest.mark.parametrize("shape", [(10**6, 10**6), (2**32, 2**32), (-1, 3), (10**12,)])
@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_an_array_declared_in_an_empty_file(tmp_path, shape, suffix):
  content, path = hostile_files.npy_header(shape), tmp_path / f"a{suffix}"
  if suffix == ".npz":
    hostile_files.npz(path, cube=content)
    _assert_rejected(path, " x .* of float64 in 128 bytes|128 bytes")
  else:
    path.write_bytes(content)
    _assert_rejected(path, "cannot be read as .npy", None)


def test_an_array_too_large_to_swap_its_bytes(tmp_path, small_machine):
  path = tmp_path / "a.npy"
  for order in ("<", ">"):
    path.write_bytes(hostile_files.npy_header((_HUGE // 8,), f"{order}f8"))
    os.truncate(path, path.stat().st_size + _HUGE)
    if order == "<":
      assert read_array(path, None).nbytes == _HUGE
  _assert_rejected(path, r"a\.npy declares 100,000 MB and needs 200,000 MB to read", None)


def test_an_archive_that_decompresses_beyond_the_memory(tmp_path, small_machine):
  content = hostile_files.npy_header((3_000_000,), "|u1") + bytes(3_000_000)
  path = hostile_files.npz(tmp_path / "a.npz", cube=content, gt=hostile_files.npy_header((0,)))
  assert path.stat().st_size < 10_000
  _assert_rejected(path, r"a.npz \(cube\) declares 3.00013 MB and needs 6.00026 MB to read, but only 1 MB")
  assert read_array(path, "gt").size == 0


def test_an_archive_with_an_impossible_ratio(tmp_path):
  path = hostile_files.npz(tmp_path / "a.npz", cube=hostile_files.npy_header((10**9,), "|u1"))
  raw, size = bytearray(path.read_bytes()), 10**9 + 128
  for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
    place = raw.index(signature) + offset
    raw[place : place + 4] = size.to_bytes(4, "little")
  path.write_bytes(raw)
  _assert_rejected(path, "declares 1000000128 bytes and stores .* expand at most 1032 times")


def test_an_archive_with_another_compression_method(tmp_path):
  path = hostile_files.npz(tmp_path / "a.npz", zipfile.ZIP_BZIP2, cube=hostile_files.npy_header((0,)))
  _assert_rejected(path, "the compression method 12")


def test_an_array_header_beyond_the_limit(tmp_path):
  content = np.lib.format.magic(2, 0) + (5_000_000).to_bytes(4, "little") + b" " * 5_000_000
  _assert_rejected(hostile_files.npz(tmp_path / "a.npz", cube=content), "cannot be read as .npz")


def test_a_negative_size_that_would_loop_in_scipy(tmp_path):
  path = hostile_files.mat_4(tmp_path / "a.mat", (-1, 3, b""))
  _assert_rejected(path, "a variable has the size -1 x 3")


def test_a_version_4_variable_that_exceeds_its_file(tmp_path):
  _assert_rejected(hostile_files.mat_4(tmp_path / "a.mat", (9999, 9999, b"")), "but the file has only 0 more")
  good = hostile_files.mat_4(tmp_path / "a.mat", (1, 2, np.array([3.0, 4.0]).tobytes()))
  assert read_array(good, "abc").tolist() == [[3, 4]]


def test_a_version_4_variable_beyond_the_memory(tmp_path, small_machine):
  path = hostile_files.mat_4(tmp_path / "a.mat", (100_000, _HUGE // 800_000, b""))
  os.truncate(path, path.stat().st_size + _HUGE)
  _assert_rejected(path, r"a\.mat \(abc\) declares 100,000 MB and needs 200,000 MB to read", "abc")


def test_a_version_5_variable_beyond_the_memory_does_not_affect_others(tmp_path, small_machine):
  elements = [
    hostile_files.matrix((3000, 1000), bytes(3_000_000)),
    hostile_files.matrix((2, 1), b"\1\2", b"gt"),
  ]
  path = hostile_files.mat_5(tmp_path / "a.mat", *elements)
  _assert_rejected(path, r"a\.mat \(cube\) declares 3\.00006 MB")
  assert read_array(path, "gt").tolist() == [[1], [2]]


def test_a_variable_with_a_name_as_long_as_the_file(tmp_path):
  path = tmp_path / "a.mat"
  path.write_bytes(struct.pack("<5i", 0, 1, 1, 0, 5000) + b"a" * 5000 + bytes(8))
  _assert_rejected(path, "name of 5000 bytes")
  hostile_files.mat_5(path, hostile_files.matrix((4, 4), bytes(16), b"a" * 5000))
  _assert_rejected(path, "name of 5000 bytes")


def test_a_complex_variable_of_version_4(tmp_path):
  path = tmp_path / "a.mat"
  path.write_bytes(struct.pack("<5i", 0, 1, 1, 1, 5) + b"cube\0" + bytes(16))
  _assert_rejected(path, "cube is not an array of real numbers")


def test_a_compressed_variable_beyond_the_memory(tmp_path, small_machine):
  element = hostile_files.matrix((3000, 1000), bytes(3_000_000))
  path = hostile_files.mat_5(tmp_path / "a.mat", hostile_files.compressed(element))
  _assert_rejected(path, "declares 3.00006 MB")


def test_a_compressed_variable_larger_than_declared(tmp_path, small_machine):
  element = hostile_files.matrix((3000, 1000), bytes(3_000_000), declared=64)
  path = hostile_files.mat_5(tmp_path / "a.mat", hostile_files.compressed(element))
  _assert_rejected(path, "a variable has more bytes than it declares")


def test_a_compressed_variable_with_an_impossible_ratio(tmp_path):
  element = hostile_files.matrix((4, 4), bytes(16), declared=2**32 - 16)
  path = hostile_files.mat_5(tmp_path / "a.mat", hostile_files.compressed(element))
  _assert_rejected(path, "declares 4294967280 bytes and stores")


def test_small_compressed_variables_are_read_with_little_memory(tmp_path, small_machine):
  values = np.random.default_rng(0).integers(0, 256, (100, 100), np.uint8)
  element = hostile_files.compressed(hostile_files.matrix((100, 100), values.tobytes("F")))
  path = hostile_files.mat_5(tmp_path / "a.mat", element)
  np.testing.assert_array_equal(read_array(path, "cube"), values)


@pytest.mark.parametrize("stored", [29696, 0, 8, 15, 0x0002_0074])
@pytest.mark.parametrize("pack", [bytes, hostile_files.compressed])
def test_a_data_type_that_would_crash_scipy(tmp_path, stored, pack):
  element = hostile_files.matrix((4, 4), bytes(16), stored=stored)
  _assert_rejected(hostile_files.mat_5(tmp_path / "a.mat", pack(element)), "stored as the unknown data type")


def test_two_variables_of_one_name(tmp_path):
  elements = [hostile_files.matrix((4, 1), bytes(4)), hostile_files.matrix((4, 2), bytes(8))]
  _assert_rejected(hostile_files.mat_5(tmp_path / "a.mat", *elements), "two variables are named cube")


@pytest.mark.parametrize("chunks", [None, (1024, 1024, 1)])
def test_an_hdf5_variable_that_was_never_written(tmp_path, chunks):
  path = formats.save_matlab_73(tmp_path / "a.mat", gt=np.eye(3))
  with h5py.File(path, "r+") as file:
    file.create_dataset("cube", shape=(100_000, 100_000, 100), dtype="u2", chunks=chunks)
  assert path.stat().st_size < 20_000
  _assert_rejected(path, "declares 2000000000000 bytes and stores 0")
  np.testing.assert_array_equal(read_array(path, "gt"), np.eye(3))


def test_an_hdf5_chunk_beyond_the_memory(tmp_path, small_machine):
  path = formats.save_matlab_73(tmp_path / "a.mat", gt=np.eye(3))
  with h5py.File(path, "r+") as file:
    options = {"maxshape": (None, None), "chunks": (2048, 2048), "compression": "gzip"}
    file.create_dataset("cube", data=np.zeros((4, 4), np.uint8), **options)
  _assert_rejected(path, "declares 4.1943 MB")


def test_a_raster_beyond_the_memory_is_read_by_windows(tmp_path, small_machine):
  path = tmp_path / "a.tif"
  tiles = {"tiled": True, "blockxsize": 64, "blockysize": 64, "compress": "deflate"}
  formats.save_raster(path, np.ones((1024, 1024, 2), np.uint8), **tiles)
  image = Image.open(path)
  assert image.read(slice(5), slice(7))[0].shape == (5, 7, 2)
  with pytest.raises(RequestError, match=r"a.tif declares 2.09715 MB and needs"):
    image.read(slice(None), slice(None))


def test_a_raster_of_one_block_beyond_the_memory(tmp_path, small_machine):
  path = tmp_path / "a.tif"
  formats.save_raster(path, np.ones((1024, 1024), np.uint8), compress="deflate", blockysize=1024)
  with pytest.raises(RequestError, match=r"a\.tif declares 1\.04858 MB"):
    Image.open(path)


@pytest.mark.parametrize(
  ("old", "new", "message"),
  [
    ("header offset = 0", "header offset = many", "the header offset is 'many'; expected a number of bytes"),
    ("samples = 4", "samples = 40000000", r"a.dat cannot be read as a raster \(Image file is too small"),
    ("header offset = 0", "header offset = -100", "a.dat cannot be read as a raster"),
  ],
)
def test_an_envi_header_that_contradicts_its_data(tmp_path, old, new, message):
  side = formats.save_envi(tmp_path / "a.dat", np.arange(60, dtype=np.int16).reshape(3, 4, 5))
  text = "\n".join(" ".join(line.split()) for line in side.read_text().splitlines())
  assert old in text
  side.write_text(text.replace(old, new))
  with pytest.raises(RequestError, match=message):
    Image.open(side)


def test_small_arrays_are_listed(tmp_path):
  path = hostile_files.npz(tmp_path / "a.npz", cube=hostile_files.npy_header((5,), "|u1") + bytes(5))
  assert list_arrays(path)["cube"].shape == (5,)
