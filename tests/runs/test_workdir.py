import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.runs.workdir import is_complete, open_workdir
from mtl_hsi.storage.atomic_files import write_json

CONFIG = {"seed": 0, "model": {"name": "hresnet", "blocks": 1}, "phases": [{"epochs": 100}, {"epochs": 30}]}


def contents(directory: Path) -> dict[str, tuple[bytes, int]]:
  """Every file's bytes and time of change."""
  files = [path for path in directory.rglob("*") if path.is_file()]
  return {str(path.relative_to(directory)): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def test_a_new_work_directory_holds_the_config(tmp_path):
  with open_workdir(tmp_path / "runs" / "a", CONFIG) as workdir:
    assert json.loads((workdir / "config.json").read_text()) == {"schema": 2, **CONFIG}
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
    ' phases[1].epochs: 30 -> 20; split: (absent) -> "random"); choose another --workdir'
  )
  assert contents(tmp_path) == before


def test_a_config_of_another_schema_is_refused(tmp_path):
  write_json(tmp_path / "config.json", CONFIG)
  with (
    pytest.raises(
      RequestError, match=r"config.json was written by another version of mtl_hsi .*; run it again"
    ),
    open_workdir(tmp_path, CONFIG),
  ):
    pass


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
    pytest.raises(RequestError, match=r"config\.json is not what a run writes .*restore it"),
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
from mtl_hsi.runs.workdir import open_workdir
with open_workdir(Path(sys.argv[1]), {"seed": 0}) as workdir:
  (workdir / "maps").mkdir()
  (workdir / "maps" / ".truth.png.1.partial").write_bytes(b"half")
  print("held", flush=True)
  sys.stdin.read()
"""


def test_a_second_process_is_refused_until_the_first_dies(tmp_path):
  command = [sys.executable, "-c", HOLD, str(tmp_path)]
  root = Path(__file__).parents[2]
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
