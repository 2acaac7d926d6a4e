"""Compares finished runs: a page, and tables of accuracies and of config keys that differ."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mtl_hsi.comparison import config_table, finished_run, page, table
from mtl_hsi.comparison.finished_run import FinishedRun
from mtl_hsi.errors import RequestError
from mtl_hsi.report.csv_cells import csv_text, escape_formula
from mtl_hsi.scenes.images.rasters import bounded_cache
from mtl_hsi.storage.atomic_files import write_bytes

PAGE, ACCURACIES, CONFIGS = "comparison.html", "accuracies.csv", "configs.csv"


@bounded_cache()
def run(config: Any) -> dict:
  """Compares the runs of a config of `configs/compare.py`.

  Returns:
    For programs: paths of the `files`, and the `comparison` of all scenes, as in `table.as_json`.

  Raises:
    RequestError: the request is invalid, a run is missing, unfinished or damaged, or a file cannot be
      written.
  """
  directories = [Path(str(one)) for one in config.runs]
  if len({directory.absolute() for directory in directories}) < max(2, len(directories)):
    given = ", ".join(map(str, directories)) or "empty"
    raise RequestError(
      f"config key runs is {given}; expected the work directories of two or more different finished runs"
    )
  if not config.output:
    raise RequestError("no directory for the comparison; name one with --config.output=<path>")
  output = Path(config.output)
  if (output / "config.json").exists():
    raise RequestError(f"{output} is the work directory of a run; choose another --config.output")
  found = write([finished_run.read(directory) for directory in directories], output)
  for row in _lines(found):
    print(row)
  print(f"Comparison: {output / PAGE}")
  files = [str(output / name) for name in (PAGE, ACCURACIES, CONFIGS)]
  return {"files": files, "comparison": table.as_json(found)}


def write(runs: Sequence[FinishedRun], output: Path) -> dict[str, list[table.Row]]:
  """Writes the page and both tables into a directory, and replaces those of an earlier comparison.

  Returns:
    The rows of every scene.

  Raises:
    RequestError: a file of a run is damaged, or a file cannot be written.
  """
  names = _names([run.directory for run in runs])
  found = {scene: table.rows(runs, names, scene) for scene in table.scenes_of(runs)}
  configs = config_table.differing([run.config for run in runs])
  html = page.render(runs, names, found, configs)
  # Names of files may contain bytes that are not valid text.
  write_bytes(output / ACCURACIES, table.as_csv(found).encode(errors="backslashreplace"))
  cells = [["key", *names], *([key, *values] for key, values in configs.items())]
  text = csv_text([[escape_formula(cell) for cell in row] for row in cells])
  write_bytes(output / CONFIGS, text.encode(errors="backslashreplace"))
  write_bytes(output / PAGE, html.encode(errors="backslashreplace"))
  return found


def _names(directories: Sequence[Path]) -> list[str]:
  """Returns the names of directories, or as much of their paths as makes them distinct."""
  absolute = [directory.absolute() for directory in directories]
  try:
    shared = os.path.commonpath([directory.parent for directory in absolute])
  # They are on different drives.
  except ValueError:
    return list(map(str, absolute))
  return [os.path.relpath(directory, shared) for directory in absolute]


def _lines(found: dict[str, list[table.Row]]) -> list[str]:
  """Returns a line of text for every row."""
  lines = []
  for scene, rows in found.items():
    lines.append(scene)
    width = max(len(row.name) for row in rows)
    for row in rows:
      texts = [f"  {row.name:{width}}", page.figures(row, "overall_accuracy")]
      if row.pair:
        texts += [page.change(row.pair), row.pair.note]
      lines.append("  ".join(texts))
  return [*lines, ""]
