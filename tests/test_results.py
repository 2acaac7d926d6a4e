"""The tables in results/ are those of the runs kept there, and README repeats them as they are."""

import runpy
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "results"


def rows(text: str, first: str) -> list[list[str]]:
  """Cells of the Markdown table whose first head is `first`."""
  lines = text[text.index(f"| {first} |") :].splitlines()
  end = next((i for i, line in enumerate(lines) if not line.startswith("|")), len(lines))
  return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:end]]


@pytest.mark.parametrize("name", ["alignment", "calibration", "multitask_crops"])
def test_a_table_is_what_its_script_makes_of_the_runs(name, tmp_path, monkeypatch):
  copy = shutil.copytree(RESULTS, tmp_path / "results")
  (copy / f"{name}.md").unlink()
  monkeypatch.setattr(sys, "path", [*sys.path])
  runpy.run_path(str(copy / f"{name}.py"), run_name="__main__")
  assert (copy / f"{name}.md").read_text() == (RESULTS / f"{name}.md").read_text()


def test_readme_has_the_rows_of_indian_pines_trained_with_others():
  made = rows((RESULTS / "multitask_crops.md").read_text(), "scene")
  # Scene, n, how and accuracies; the rest is gain, seeds and p.
  expected = [(n, *rest) for scene, n, _, *rest in made if scene == "indian_pines"]
  readme = (ROOT / "README.md").read_text()
  shown = rows(readme, "n | trained | OA | gain over the scene alone [95 %] | up | Wilcoxon p")
  assert [(n, *rest) for n, _, *rest in shown] == expected
