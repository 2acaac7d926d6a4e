"""Reading single arrays from NumPy and MATLAB files."""

import h5py
import numpy as np
import pytest
import scipy.io

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.arrays import Entry, list_arrays, read_array
from tests.scenes.formats import save_matlab_73

_CUBE = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
_LABELS = np.array([[0, 1, 2, 0], [1, 1, 0, 2], [2, 0, 0, 1]], np.uint8)


class _Trap:
  """Raises when it is unpickled."""

  def __reduce__(self):
    return pytest.fail, ("a pickle was loaded",)


def _save(path, **arrays):
  if path.suffix == ".npy":
    np.save(path, *arrays.values())
  elif path.suffix == ".npz":
    np.savez_compressed(path, **arrays)
  else:
    scipy.io.savemat(path, arrays, do_compression=True)
  return path


@pytest.mark.parametrize("suffix", [".npz", ".mat", ".NPZ", ".MAT"])
def test_arrays_keep_their_dtype(tmp_path, suffix):
  path = _save(tmp_path / f"scene{suffix.lower()}", cube=_CUBE, gt=_LABELS).rename(
    tmp_path / f"other{suffix}"
  )
  for key, array in (("cube", _CUBE), ("gt", _LABELS)):
    read = read_array(path, key)
    np.testing.assert_array_equal(read, array)
    assert read.dtype == array.dtype


def test_old_mat_files_can_be_read(tmp_path):
  scipy.io.savemat(tmp_path / "v4.mat", {"gt": _LABELS}, format="4")
  np.testing.assert_array_equal(read_array(tmp_path / "v4.mat", "gt"), _LABELS)


def test_the_only_array_needs_no_key(tmp_path):
  path = _save(tmp_path / "a.npz", names=np.array(["a", "b"]), image=_LABELS)
  np.testing.assert_array_equal(read_array(path, None), _LABELS)


def test_an_npy_file_is_memory_mapped(tmp_path):
  array = read_array(_save(tmp_path / "cube.npy", cube=_CUBE), None)
  np.testing.assert_array_equal(array, _CUBE)
  assert isinstance(array.base, np.memmap)
  assert not array.flags.writeable


@pytest.mark.parametrize("suffix", [".npy", ".npz"])
def test_foreign_byte_order_becomes_native(tmp_path, suffix):
  path = _save(tmp_path / f"cube{suffix}", cube=_CUBE.astype(">i2"))
  array = read_array(path, None)
  np.testing.assert_array_equal(array, _CUBE)
  assert array.dtype == np.dtype("=i2")
  assert array.dtype.isnative


def test_arrays_are_listed_without_reading_them(tmp_path):
  for suffix in (".npz", ".mat"):
    entries = list_arrays(_save(tmp_path / f"a{suffix}", cube=_CUBE, gt=_LABELS))
    assert {key: (entry.shape, entry.kind) for key, entry in entries.items()} == {
      "cube": ((3, 4, 5), "i"),
      "gt": ((3, 4), "u"),
    }


def test_messages_name_a_missing_file_by_its_absolute_path(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  for name in ("a.npy", "a.npz", "a.mat"):
    path = (tmp_path / name).relative_to(tmp_path)
    with pytest.raises(RequestError, match=f"no such file: {tmp_path / name}"):
      read_array(path, None)


def test_an_unknown_suffix_lists_the_known_ones(tmp_path):
  with pytest.raises(RequestError, match=r"unknown type '.tif'; expected .npy, .npz, .mat"):
    read_array(tmp_path / "scene.tif", None)


@pytest.mark.parametrize("suffix", [".npz", ".mat"])
def test_a_wrong_key_lists_the_arrays_with_their_shapes(tmp_path, suffix):
  path = _save(tmp_path / f"a{suffix}", cube=_CUBE, gt=_LABELS)
  with pytest.raises(RequestError, match=r"no array 'paviaU'; it contains cube \(3 x 4 x 5\), gt \(3 x 4\)"):
    read_array(path, "paviaU")


@pytest.mark.parametrize("suffix", [".npz", ".mat"])
def test_several_arrays_need_a_key(tmp_path, suffix):
  path = _save(tmp_path / f"a{suffix}", first=_CUBE, second=_LABELS)
  with pytest.raises(
    RequestError, match=r"first \(3 x 4 x 5\), second \(3 x 4\): name the array with its key"
  ):
    read_array(path, None)


def test_a_key_for_an_npy_file_is_rejected(tmp_path):
  with pytest.raises(RequestError, match="remove the key 'cube'"):
    read_array(_save(tmp_path / "cube.npy", cube=_CUBE), "cube")


def test_pickles_are_never_loaded(tmp_path):
  trap = np.array([_Trap(), None], object)
  np.savez(tmp_path / "a.npz", trap=trap, gt=_LABELS)
  np.save(tmp_path / "a.npy", trap)
  with pytest.raises(RequestError, match=r"\(trap\) contains objects"):
    read_array(tmp_path / "a.npz", "trap")
  np.testing.assert_array_equal(read_array(tmp_path / "a.npz", None), _LABELS)
  np.savez(tmp_path / "b.npz", records=np.array([(_Trap(), 1)], [("trap", object), ("id", int)]))
  with pytest.raises(RequestError, match="Object arrays cannot be loaded"):
    read_array(tmp_path / "b.npz", "records")
  with pytest.raises(RequestError, match="Python objects"):
    read_array(tmp_path / "a.npy", None)


def test_a_matlab_structure_is_rejected(tmp_path):
  path = _save(tmp_path / "a.mat", info={"gt": _LABELS}, gt=_LABELS)
  with pytest.raises(RequestError, match=r"\(info\) contains objects or text"):
    read_array(path, "info")


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.float32, np.float64])
def test_a_matlab_7_3_file_is_read_as_one_of_version_5(tmp_path, dtype):
  cube, labels = _CUBE.astype(dtype), _LABELS
  arrays = {"cube": cube, "gt": labels, "mask": labels > 0}
  scipy.io.savemat(tmp_path / "old.mat", arrays)
  new = save_matlab_73(tmp_path / "new.mat", **arrays, name="maize")
  entries = list_arrays(new)
  assert {key: entries[key] for key in arrays} == list_arrays(tmp_path / "old.mat")
  assert entries["name"].kind == "O"
  for key in arrays:
    one, other = read_array(tmp_path / "old.mat", key), read_array(new, key)
    np.testing.assert_array_equal(one, other)
    assert (one.dtype, one.shape) == (other.dtype, other.shape)


def test_a_truncated_matlab_7_3_file_is_rejected(tmp_path):
  whole = save_matlab_73(tmp_path / "whole.mat", cube=np.arange(5000).reshape(10, 10, 50)).read_bytes()
  for length in (200, 600, 1500, len(whole) // 2):
    (tmp_path / "cut.mat").write_bytes(whole[:length])
    with pytest.raises(RequestError, match=r"cut.mat cannot be read as .mat"):
      read_array(tmp_path / "cut.mat", "cube")


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".mat"])
@pytest.mark.parametrize("share", [0, 0.01, 0.1, 0.5, 0.98])
def test_a_truncated_file_is_rejected(tmp_path, suffix, share):
  noise = np.random.default_rng(0).integers(0, 255, (9, 9, 9), np.uint8)
  whole = _save(tmp_path / f"whole{suffix}", cube=noise).read_bytes()
  path = tmp_path / f"cut{suffix}"
  path.write_bytes(whole[: int(share * len(whole))])
  with pytest.raises(RequestError, match=str(path)) as error:
    read_array(path, None if suffix == ".npy" else "cube")
  assert "\n" not in str(error.value)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".mat"])
def test_a_web_page_saved_as_a_data_file_is_rejected(tmp_path, suffix):
  path = tmp_path / f"page{suffix}"
  path.write_text("<html><title>403 Forbidden</title></html>\n" * 20)
  with pytest.raises(RequestError, match=f"cannot be read as {suffix}"):
    read_array(path, None)


def test_a_damaged_npz_file_fails_its_checksum(tmp_path):
  np.savez(tmp_path / "a.npz", cube=_CUBE)
  raw = bytearray((tmp_path / "a.npz").read_bytes())
  raw[raw.find(_CUBE.tobytes()) + 7] ^= 1
  (tmp_path / "a.npz").write_bytes(raw)
  with pytest.raises(RequestError, match="cannot be read"):
    read_array(tmp_path / "a.npz", "cube")


def test_the_fields_of_a_struct_are_arrays(tmp_path):
  inner = {"cube": _CUBE, "note": "text", "deep": {"gt": _LABELS}}
  for compressed in (False, True):
    path = tmp_path / f"{compressed}.mat"
    scipy.io.savemat(path, {"data": inner, "other": 1.0}, do_compression=compressed)
    entries = list_arrays(path)
    assert entries["data.cube"] == Entry(_CUBE.shape, _CUBE.dtype.kind)
    assert entries["data.note"].kind == "O"
    np.testing.assert_array_equal(read_array(path, "data.cube"), _CUBE)
    np.testing.assert_array_equal(read_array(path, "data.deep.gt"), _LABELS)
    with pytest.raises(RequestError, match=r"\(data\) contains objects"):
      read_array(path, "data")


def test_a_damaged_struct_is_rejected(tmp_path):
  path = tmp_path / "a.mat"
  scipy.io.savemat(path, {"data": {"cube": _CUBE}})
  whole = path.read_bytes()
  for position in range(128, 330):
    path.write_bytes(whole[:position] + bytes([whole[position] ^ 0x41]) + whole[position + 1 :])
    try:
      for key, entry in list_arrays(path).items():
        if entry.kind != "O":
          read_array(path, key)
    except RequestError:
      pass


def test_the_fields_of_a_struct_of_matlab_7_3_are_arrays(tmp_path):
  path = save_matlab_73(tmp_path / "a.mat", gt=_LABELS)
  with h5py.File(path, "r+") as file:
    file.create_group("data").attrs["MATLAB_class"] = np.bytes_("struct")
    file["data"].create_dataset("cube", data=_CUBE.T).attrs["MATLAB_class"] = np.bytes_("double")
  np.testing.assert_array_equal(read_array(path, "data.cube"), _CUBE)


def test_axes_are_not_reversed_in_files_of_h5py(tmp_path):
  with h5py.File(tmp_path / "a.mat", "w") as file:
    file["cube"] = _CUBE
  np.testing.assert_array_equal(read_array(tmp_path / "a.mat", "cube"), _CUBE)
  assert list_arrays(tmp_path / "a.mat")["cube"].shape == _CUBE.shape
