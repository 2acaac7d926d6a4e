import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.workdir import is_complete, open_workdir, write_bytes, write_json, write_npz, write_once

CONFIG = {"seed": 0, "model": {"name": "hresnet", "blocks": 1}, "phases": [{"epochs": 100}, {"epochs": 30}]}


def contents(directory: Path) -> dict[str, tuple[bytes, int]]:
  """Every file's bytes and time of change."""
  files = [path for path in directory.rglob("*") if path.is_file()]
  return {str(path.relative_to(directory)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_a_file_is_replaced_whole_and_nothing_else_is_left(tmp_path):
  file = tmp_path / "maps" / "salinas" / "truth.png"
  write_bytes(file, b"old")
  write_bytes(file, b"new")
  assert file.read_bytes() == b"new"
  assert [path.name for path in file.parent.iterdir()] == ["truth.png"]


def test_a_full_disk_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
  file = tmp_path / "metrics.json"
  write_bytes(file, b"old")

  def full(_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

  monkeypatch.setattr(os, "fsync", full)
  with pytest.raises(RequestError, match=r"cannot write .*metrics\.json: no space left on device"):
    write_bytes(file, b"new")
  assert file.read_bytes() == b"old"
  assert [path.name for path in tmp_path.iterdir()] == ["metrics.json"]


def test_a_directory_that_cannot_be_made_is_named(tmp_path):
  (tmp_path / "maps").write_bytes(b"a file where a directory should be")
  with pytest.raises(RequestError, match=r"cannot write .*maps/truth\.png: "):
    write_bytes(tmp_path / "maps" / "truth.png", b"")


def test_json_is_sorted_and_ends_with_a_newline(tmp_path):
  write_json(tmp_path / "a.json", {"b": 1, "a": [0.5]})
  assert (tmp_path / "a.json").read_text() == '{\n  "a": [\n    0.5\n  ],\n  "b": 1\n}\n'


def test_json_takes_no_nan(tmp_path):
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


def test_a_new_work_directory_holds_the_config(tmp_path):
  with open_workdir(tmp_path / "runs" / "a", CONFIG) as workdir:
    assert json.loads((workdir / "config.json").read_text()) == CONFIG
    assert not is_complete(workdir, CONFIG)
    for name in ("environment.json", "split.npz", "predictions.npz", "report.html"):
      (workdir / name).touch()
    assert not is_complete(workdir, CONFIG)
    write_json(workdir / "metrics.json", {})
    assert is_complete(workdir, CONFIG)
    (workdir / "predictions.npz").unlink()
    assert not is_complete(workdir, CONFIG)


def test_keys_that_change_no_result_may_differ(tmp_path):
  with open_workdir(tmp_path, {**CONFIG, "download": False, "data_dir": "data"}):
    pass
  with open_workdir(tmp_path, {**CONFIG, "download": True, "data_dir": "elsewhere"}):
    pass
  assert json.loads((tmp_path / "config.json").read_text())["data_dir"] == "data"


def test_a_file_written_once_is_the_same_at_every_start(tmp_path):
  write_once(tmp_path / "scenes.json", b"one")
  write_once(tmp_path / "scenes.json", b"one")
  with pytest.raises(RequestError, match=r"began with another scenes.json: .* changed since; name another"):
    write_once(tmp_path / "scenes.json", b"two")
  assert (tmp_path / "scenes.json").read_bytes() == b"one"


def test_the_same_config_changes_nothing(tmp_path):
  with open_workdir(tmp_path, CONFIG):
    pass
  before = contents(tmp_path)
  with open_workdir(tmp_path, {**CONFIG, "phases": tuple(CONFIG["phases"])}):
    pass
  assert contents(tmp_path) == before


def test_another_config_is_refused_and_shown(tmp_path):
  with open_workdir(tmp_path, CONFIG):
    pass
  before = contents(tmp_path)
  other = {
    "seed": 0,
    "model": {"name": "ccnn"},
    "phases": [{"epochs": 100}, {"epochs": 20}],
    "split": "random",
  }
  with pytest.raises(RequestError) as error, open_workdir(tmp_path, other):
    pass
  assert str(error.value) == (
    f'{tmp_path} holds a run of another config (model.blocks: 1 -> (absent); model.name: "hresnet" -> "ccnn";'
    ' phases[1].epochs: 30 -> 20; split: (absent) -> "random"); name another --workdir'
  )
  assert contents(tmp_path) == before


def test_many_differences_are_counted(tmp_path):
  with open_workdir(tmp_path, {f"key{i}": 0 for i in range(9)}):
    pass
  with (
    pytest.raises(RequestError, match=r"\(key0: 0 -> 1; .*; key4: 0 -> 1; and 4 more\)"),
    open_workdir(tmp_path, {f"key{i}": 1 for i in range(9)}),
  ):
    pass


def test_lists_of_other_length_are_shown_whole_but_short(tmp_path):
  with open_workdir(tmp_path, {"scenes": ["salinas"]}):
    pass
  with pytest.raises(RequestError) as error, open_workdir(tmp_path, {"scenes": ["indian_pines"] * 30}):
    pass
  assert 'scenes: ["salinas"] -> ["indian_pines", ' in str(error.value)
  assert len(str(error.value)) < 250 + len(str(tmp_path))


def test_somebodys_files_are_left_alone(tmp_path):
  (tmp_path / "thesis.tex").write_text("")
  with (
    pytest.raises(RequestError, match=r"is not a work directory.*'thesis\.tex'"),
    open_workdir(tmp_path, CONFIG),
  ):
    pass
  assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("text", ["{", "[1]", "\xff"])
def test_a_config_that_is_none_is_refused(tmp_path, text):
  (tmp_path / "config.json").write_bytes(text.encode("latin-1"))
  with (
    pytest.raises(RequestError, match=r"config\.json.*name another --workdir"),
    open_workdir(tmp_path, CONFIG),
  ):
    pass


def test_a_file_is_no_work_directory(tmp_path):
  (tmp_path / "run").write_text("")
  with (
    pytest.raises(RequestError, match=r"cannot use .*run as a work directory"),
    open_workdir(tmp_path / "run", CONFIG),
  ):
    pass


HOLD = """
import sys
from pathlib import Path
from mtl_hsi.workdir import open_workdir
with open_workdir(Path(sys.argv[1]), {"seed": 0}) as workdir:
  (workdir / "maps").mkdir()
  (workdir / "maps" / ".truth.png.1.partial").write_bytes(b"half")
  print("held", flush=True)
  sys.stdin.read()
"""


def test_a_second_process_is_refused_until_the_first_dies(tmp_path):
  command = [sys.executable, "-c", HOLD, str(tmp_path)]
  root = Path(__file__).parent.parent
  with subprocess.Popen(
    command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
  ) as holder:
    assert holder.stdout.readline() == "held\n"
    with (
      pytest.raises(RequestError, match=f"in use by process {holder.pid} on "),
      open_workdir(tmp_path, {"seed": 0}),
    ):
      pass
    holder.send_signal(signal.SIGKILL)
    holder.wait()
  with open_workdir(tmp_path, {"seed": 0}):
    assert not list((tmp_path / "maps").iterdir()), "what a killed writer left stays behind"
  assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "maps"]


def test_the_lock_falls_when_a_run_fails(tmp_path):
  with pytest.raises(ZeroDivisionError), open_workdir(tmp_path, CONFIG):
    raise ZeroDivisionError
  with open_workdir(tmp_path, CONFIG):
    pass


def test_a_run_killed_before_its_config_was_written_is_taken_up(tmp_path):
  (tmp_path / ".lock").write_text("process 1 on a machine long gone")
  (tmp_path / ".config.json.1.partial").write_text("{")
  with open_workdir(tmp_path, CONFIG):
    pass
  assert [path.name for path in tmp_path.iterdir()] == ["config.json"]
