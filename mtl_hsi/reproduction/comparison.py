"""Reads the finished runs of the letter's grid and compares them with the letter's figures."""

import functools
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mtl_hsi.evaluation import significance
from mtl_hsi.experiment.letter import follows_the_letter
from mtl_hsi.paper import protocol, published
from mtl_hsi.paper.cells import Cell
from mtl_hsi.reproduction import comparison_tables, figure2, grid, table5
from mtl_hsi.reproduction.compared_cell import ComparedCell, scene_title
from mtl_hsi.runs.records import read_record
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.settings import experiment_settings
from mtl_hsi.splits.split import pixels_of
from mtl_hsi.storage import atomic_files, checksums
from mtl_hsi.storage.json_files import well_formed

_NAMES = {short: name for name, short in protocol.SHORT_NAMES.items()}


class Results:
  """The results of the finished runs of a grid.

  Args:
    cells: every cell with the name of the run that fills it.
    runs: by name.
    stand_ins: name of the scene that replaces a public one, by the short name of the public one.
    directory: of the grid.
  """

  def __init__(
    self,
    cells: Mapping[Cell, str],
    runs: Mapping[str, grid.Run],
    stand_ins: Mapping[str, str],
    directory: Path,
  ):
    self._cells, self._stand_ins, self._directory = cells, stand_ins, directory
    self._done = {name: run for name, run in runs.items() if grid.is_done(run, directory)}
    self._loaded = functools.cache(self._load)

  def compare(self) -> list[ComparedCell]:
    """Returns every cell; `ours` is None if its run has not finished."""
    return [self._compare(cell) for cell in self._cells]

  def directory_of(self, cell: Cell) -> Path | None:
    """Returns the work directory of the cell's run, or None if it has not finished."""
    run = self._run(cell)
    return run and self._directory / run.name

  def first_map(self, cell: Cell) -> figure2.Panel | None:
    """Returns the map of the first replica, or None if the run has not finished."""
    accuracies = self._accuracies(cell)
    if accuracies is None:
      return None
    comparable = self._by_the_letter(cell) and not self._stood_in(cell)
    return figure2.Panel(cell.column, self._predictions(cell)[0], accuracies[0], comparable)

  def scene(self, target: str) -> Scene:
    """Returns the scene that was used for a target."""
    return self._loaded(self._stand_ins.get(target, _NAMES[target]))

  def titles(self) -> dict[str, str]:
    """Returns the names of the scenes that were used, by short name."""
    return {
      short: f"{self._stand_ins[short]} (stand-in)" if short in self._stand_ins else scene_title(short)
      for short in _NAMES
    }

  def _compare(self, cell: Cell) -> ComparedCell:
    single = cell.alone
    return ComparedCell(
      table=f"Table {cell.table}",
      target=cell.target,
      scene=self._scene(cell),
      column=cell.column,
      samples_per_class=cell.samples_per_class,
      ours=self._accuracies(cell),
      paper=published.figure(cell.target, cell.column, cell.samples_per_class),
      alone=self._accuracies(single) if single else None,
      discordant=self._discordant(cell, single) if single else None,
      stand_ins=self._stood_in(cell),
      by_the_letter=self._by_the_letter(cell),
    )

  def _by_the_letter(self, cell):
    run = self._run(cell)
    return run is None or follows_the_letter(experiment_settings.read(run.config))

  def _scene(self, cell):
    return self._stand_ins.get(cell.target, _NAMES[cell.target])

  def _stood_in(self, cell):
    partners = published.parse_column(cell.target, cell.column).partners
    return tuple(self._stand_ins[name] for name in (cell.target, *partners) if name in self._stand_ins)

  def _run(self, cell):
    """The finished run of a cell, or None."""
    return self._done.get(self._cells.get(cell))

  def _accuracies(self, cell):
    """Overall accuracy of every replica in %; every split has test pixels, so none is undefined."""
    run = self._run(cell)
    if run is None:
      return None
    directory = self._directory / run.name
    with well_formed(directory / "metrics.json"):
      scenes = read_record(directory, "metrics.json")["scenes"]
      return tuple(100 * value for value in scenes[self._scene(cell)]["overall_accuracy"]["replicas"])

  def _discordant(self, cell, single):
    """Test pixels of all replicas that only the cell, and that only the single task gets right."""
    if self._run(cell) is None or self._run(single) is None:
      return None
    scene = self._scene(cell)
    truth = self._loaded(scene).labels
    together, alone = self._predictions(cell), self._predictions(single)
    counts = np.zeros(2, np.int64)
    tests = self._array(cell, "split.npz", f"{scene}/test")
    for replica, rows in enumerate(tests):
      pixels = tuple(pixels_of(rows).T)
      counts += significance.discordant(truth[pixels], together[replica][pixels], alone[replica][pixels])
    return tuple(counts.tolist())

  def _predictions(self, cell):
    return self._array(cell, "predictions.npz", self._scene(cell))

  def _array(self, cell, name, key):
    directory = self._directory / self._run(cell).name
    content = checksums.read_verified(directory, name)
    with well_formed(directory / name), np.load(io.BytesIO(content)) as arrays:
      return arrays[key]

  def _load(self, name):
    run = next(run for run in self._done.values() if name in run.config.scenes)
    return experiment_settings.read(run.config).scenes.loaders[name]()


def write(results: Results, directory: Path) -> dict[str, Path]:
  """Writes the tables and figures that have finished runs.

  `table<n>.md`, `.csv` and `_details.csv` of every table with a finished cell, `report.html` of all of them,
  `table5.md` and `figure2.png`.

  Returns:
    The path of each table, figure and report by its title; empty if no run has finished.

  Raises:
    RequestError: a file of a run is damaged, or a file cannot be written.
  """
  cells = results.compare()
  tables = [
    name for name in protocol.TABLES if any(cell.table == f"Table {name}" and cell.ours for cell in cells)
  ]
  written = {}
  for number, name in enumerate(protocol.TABLES, start=1):
    if name not in tables:
      continue
    cells_of_table = [cell for cell in cells if cell.table == f"Table {name}"]
    for suffix, text in {
      ".md": comparison_tables.markdown(cells_of_table),
      ".csv": comparison_tables.csv_text(cells_of_table),
      "_details.csv": comparison_tables.detail_csv(cells_of_table),
    }.items():
      path = directory / f"table{number}{suffix}"
      atomic_files.write_bytes(path, text.encode())
    written[f"Table {name}"] = directory / f"table{number}.md"
  if tables:
    shown = [cell for cell in cells if cell.table.removeprefix("Table ") in tables]
    path = directory / "report.html"
    atomic_files.write_bytes(path, comparison_tables.html(shown, "The letter's tables, and ours").encode())
    written["Report"] = path
  return written | _write_times(results, directory) | _write_figure(results, directory)


def _write_times(results, directory):
  rows = table5.rows(results.directory_of)
  if not any(row.alone or row.together for row in rows):
    return {}
  path = directory / "table5.md"
  atomic_files.write_bytes(path, table5.markdown(rows, results.titles()).encode())
  return {"Table V": path}


def _write_figure(results, directory):
  """First replica's map of every finished run of the figure."""
  target, n = figure2.TARGET, figure2.SAMPLES_PER_CLASS
  cells = [Cell("I", target, column, n) for column in figure2.COLUMNS]
  panels = [panel for cell in cells if (panel := results.first_map(cell))]
  if not panels:
    return {}
  path = directory / "figure2.png"
  atomic_files.write_bytes(path, figure2.draw(results.scene(target), panels))
  return {"Figure 2": path}
