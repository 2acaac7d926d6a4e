"""Executes the notebooks and stores their outputs in them.

.venv/bin/python -m docs.notebooks
"""

import os
import tempfile
from pathlib import Path

import nbclient
import nbformat

_ROOT = Path(__file__).resolve().parent.parent
_SECONDS = 600
NOTEBOOKS = sorted((_ROOT / "notebooks").glob("*.ipynb"))


def execute(path: Path, directory: Path) -> nbformat.NotebookNode:
  """Returns a notebook with new outputs.

  Args:
    path: the notebook.
    directory: where its code runs, and writes files.

  Raises:
    nbclient.exceptions.CellExecutionError: a cell fails.
  """
  notebook = nbformat.read(path, as_version=4)
  resources = {"metadata": {"path": str(directory)}}
  seconds = {"timeout": _SECONDS, "startup_timeout": _SECONDS}
  client = nbclient.NotebookClient(notebook, record_timing=False, resources=resources, **seconds)
  return client.execute(env={**os.environ, "PYTHONPATH": str(_ROOT)})


def main() -> None:
  for path in NOTEBOOKS:
    with tempfile.TemporaryDirectory() as directory:
      notebook = execute(path, Path(directory))
    nbformat.write(notebook, path)
    print(path.relative_to(_ROOT))


if __name__ == "__main__":
  main()
