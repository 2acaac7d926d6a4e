"""Files are written completely or not at all."""

import errno
import os
import time
from pathlib import Path

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.storage.atomic_files import (
  is_partial,
  remove_partial_files,
  write_bytes,
  write_json,
  write_npz,
  write_once,
)


def test_a_file_is_replaced_and_nothing_else_remains(tmp_path):
  file = tmp_path / "maps" / "salinas" / "truth.png"
  write_bytes(file, b"old")
  write_bytes(file, b"new")
  assert file.read_bytes() == b"new"
  assert [path.name for path in file.parent.iterdir()] == ["truth.png"]


def test_processes_with_equal_numbers_do_not_interfere(tmp_path, monkeypatch):
  replace, first = os.replace, iter([True])

  def overtaken(partial, path):
    if next(first, False):
      write_bytes(path, b"of another container")
    replace(partial, path)

  monkeypatch.setattr(os, "getpid", lambda: 1)
  monkeypatch.setattr(os, "replace", overtaken)
  write_bytes(tmp_path / "table1.md", b"one")
  assert (tmp_path / "table1.md").read_bytes() == b"one"
  assert [path.name for path in tmp_path.iterdir()] == ["table1.md"]


def test_incomplete_files_are_recognised_by_their_names(tmp_path, monkeypatch):
  def killed(*_):
    raise SystemExit

  monkeypatch.setattr(os, "replace", killed)
  with monkeypatch.context() as patched:
    patched.setattr(Path, "unlink", lambda *_, **__: None)
    with pytest.raises(SystemExit):
      write_bytes(tmp_path / "maps" / "truth.png", b"half")
  (left,) = (tmp_path / "maps").iterdir()
  assert is_partial(left.name)
  remove_partial_files(tmp_path)
  assert not left.exists()


def test_a_full_disk_leaves_only_the_old_file(tmp_path, monkeypatch):
  file = tmp_path / "metrics.json"
  write_bytes(file, b"old")

  def full(_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

  monkeypatch.setattr(os, "fsync", full)
  with pytest.raises(RequestError, match=r"cannot write .*metrics\.json: no space left on device"):
    write_bytes(file, b"new")
  assert file.read_bytes() == b"old"
  assert [path.name for path in tmp_path.iterdir()] == ["metrics.json"]


def test_a_directory_that_cannot_be_created_is_reported(tmp_path):
  (tmp_path / "maps").write_bytes(b"a file where a directory should be")
  with pytest.raises(RequestError, match=r"cannot write .*maps/truth\.png: "):
    write_bytes(tmp_path / "maps" / "truth.png", b"")


def test_json_is_sorted_and_ends_with_a_newline(tmp_path):
  write_json(tmp_path / "a.json", {"b": 1, "a": [0.5]})
  assert (tmp_path / "a.json").read_text() == '{\n  "a": [\n    0.5\n  ],\n  "b": 1\n}\n'


def test_json_rejects_nan(tmp_path):
  with pytest.raises(ValueError, match="not JSON compliant"):
    write_json(tmp_path / "a.json", {"kappa": float("nan")})
  assert not list(tmp_path.iterdir())


def test_equal_arrays_give_equal_files_at_any_time(tmp_path, monkeypatch):
  image = np.arange(6, dtype=np.int32).reshape(2, 3)
  write_npz(tmp_path / "a.npz", {"pavia/train": image, "n": np.float32(2)})
  monkeypatch.setattr(time, "time", lambda: 1e9)
  write_npz(tmp_path / "b.npz", {"n": np.float32(2), "pavia/train": np.asfortranarray(image)})
  assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
  with np.load(tmp_path / "a.npz") as stored:
    assert sorted(stored) == ["n", "pavia/train"]
    assert stored["n"].shape == ()
    assert stored["pavia/train"].dtype == np.int32
    np.testing.assert_array_equal(stored["pavia/train"], image)


def test_npz_is_compressed(tmp_path):
  write_npz(tmp_path / "a.npz", {"labels": np.zeros((100, 100), np.int32)})
  assert (tmp_path / "a.npz").stat().st_size < 1000


def test_write_once_accepts_only_equal_content(tmp_path):
  write_once(tmp_path / "scenes.json", b"one")
  write_once(tmp_path / "scenes.json", b"one")
  with pytest.raises(
    RequestError, match=r"with a different scenes.json: .* changed since then; choose another"
  ):
    write_once(tmp_path / "scenes.json", b"two")
  assert (tmp_path / "scenes.json").read_bytes() == b"one"
