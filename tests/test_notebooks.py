"""The notebooks run without a warning, and have outputs."""

import json

import pytest

from docs import notebooks

_NAMES = {"first_map", "several_scenes", "own_backbone"}
_EACH = pytest.mark.parametrize("path", notebooks.NOTEBOOKS, ids=lambda path: path.stem)


def _code(notebook: dict) -> list[dict]:
  return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def test_there_are_three():
  assert {path.stem for path in notebooks.NOTEBOOKS} == _NAMES


@_EACH
def test_a_notebook_is_stored_with_outputs(path):
  notebook = json.loads(path.read_text("utf-8"))
  assert [cell["execution_count"] for cell in _code(notebook)] == list(range(1, len(_code(notebook)) + 1))
  outputs = [output for cell in _code(notebook) for output in cell["outputs"]]
  assert {"stdout"} == {output["name"] for output in outputs if output["output_type"] == "stream"}
  assert path.stat().st_size < 200_000


@pytest.mark.slow
@_EACH
def test_a_notebook_runs_without_a_warning(path, tmp_path, monkeypatch):
  monkeypatch.setenv("PYTHONWARNINGS", "always")
  outputs = [output for cell in _code(notebooks.execute(path, tmp_path)) for output in cell["outputs"]]
  said = [output["text"] for output in outputs if output.get("name") == "stderr"]
  assert said == []
