"""The tables in results/ are those of the runs kept there, and docs/ repeats them as they are."""

import errno
import importlib.util
import json
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mtl_hsi.errors import RequestError

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "results"
SCRIPTS = ROOT / "experiments"
TABLES = ["alignment", "best", "calibration", "multitask_crops", "suite"]
# Options of the scripts that would measure something without.
OPTIONS = {"suite": ["--table"]}


def make_table(name: str, results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
  """Runs the script of a table on a directory of results."""
  monkeypatch.setattr(sys, "path", [*sys.path])
  monkeypatch.setattr(sys, "argv", [name, f"--results={results}", *OPTIONS.get(name, ())])
  runpy.run_path(str(SCRIPTS / f"{name}.py"), run_name="__main__")


def rows(text: str, first: str) -> list[list[str]]:
  """Cells of the Markdown table whose first head is `first`."""
  lines = text[text.index(f"| {first} |") :].splitlines()
  end = next((i for i, line in enumerate(lines) if not line.startswith("|")), len(lines))
  return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:end]]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_what_its_script_makes_of_the_runs(name, tmp_path, monkeypatch):
  copy = shutil.copytree(RESULTS, tmp_path / "results")
  (copy / f"{name}.md").unlink()
  make_table(name, copy, monkeypatch)
  assert (copy / f"{name}.md").read_text() == (RESULTS / f"{name}.md").read_text()


def test_a_full_disk_leaves_a_table_as_it_was(tmp_path, monkeypatch):
  def full(_):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

  copy = shutil.copytree(RESULTS, tmp_path / "results")
  (copy / "alignment.md").write_text("as it was")
  monkeypatch.setattr(os, "fsync", full)
  with pytest.raises(RequestError, match=r"cannot write .*alignment\.md: no space left on device"):
    make_table("alignment", copy, monkeypatch)
  assert (copy / "alignment.md").read_text() == "as it was"


@pytest.mark.slow
@pytest.mark.parametrize(
  "script", sorted(path.name for path in SCRIPTS.glob("*.py") if "__main__" in path.read_text())
)
def test_every_script_explains_itself(script):
  command = [sys.executable, SCRIPTS / script, "--help"]
  outcome = subprocess.run(command, capture_output=True, text=True, check=True)
  assert outcome.stdout.startswith("usage: ")


def test_the_docs_have_the_rows_of_indian_pines_trained_with_others():
  made = rows((RESULTS / "multitask_crops.md").read_text(), "scene")
  # Scene, n, how and accuracies; the rest is gain, seeds and p.
  expected = [(n, *rest) for scene, n, _, *rest in made if scene == "indian_pines"]
  page = (ROOT / "docs" / "letter.md").read_text()
  shown = rows(page, "n | trained | OA | gain over the scene alone [95%] | up | Wilcoxon p")
  # The page leaves out the comparisons of two runs, which have no accuracy.
  assert [(n, *rest) for n, _, *rest in shown] == [row for row in expected if row[1]]


# A run that saves two states slowly at its first start, or is at its end at once.
RUN = """
import json, pathlib, sys, time
run, at_once = pathlib.Path(sys.argv[1]), sys.argv[2] == "True"
file = run / "environment.json"
starts = json.loads(file.read_text())["starts"] if file.exists() else []
run.mkdir(exist_ok=True)
file.write_text(json.dumps({"starts": [*starts, "now"]}))
if not (starts or at_once):
  for epoch in ("0", "1"):
    (run / "checkpoints" / "state" / epoch).mkdir(parents=True)
  time.sleep(60)
(run / "metrics.json").touch()
"""


@pytest.mark.parametrize("at_once", [False, True])
def test_only_a_run_that_was_killed_is_compared_as_killed(tmp_path, monkeypatch, at_once):
  monkeypatch.setattr(sys, "path", [*sys.path])
  spec = importlib.util.spec_from_file_location("determinism", SCRIPTS / "determinism.py")
  determinism = importlib.util.module_from_spec(spec)
  spec.loader.exec_module(determinism)
  run = tmp_path / "killed"
  monkeypatch.setattr(determinism, "_command", lambda *_: [sys.executable, "-c", RUN, str(run), str(at_once)])
  # The second time it is there already.
  for _ in range(2):
    if at_once:
      with pytest.raises(SystemExit, match=f"{run} ended by itself before it was killed; remove it"):
        determinism._kill_and_resume(None, run)
    else:
      determinism._kill_and_resume(None, run)
  assert len(json.loads((run / "environment.json").read_text())["starts"]) == (1 if at_once else 2)
