"""Tables of our accuracies beside the letter's: CSV, Markdown and a page."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from mtl_hsi.paper import published
from mtl_hsi.report import csv_cells, templates
from mtl_hsi.report.csv_cells import escape_formula
from mtl_hsi.reproduction import comparison_text, plots_over_n
from mtl_hsi.reproduction.compared_cell import ComparedCell, column_title

__all__ = ["ComparedCell", "column_title", "csv_text", "detail_csv", "html", "markdown"]


def csv_text(cells: Iterable[ComparedCell]) -> str:
  """Returns the cells that were run as `mtl_hsi/paper/published.csv` has them, with the number of replicas.

  Stand-ins are not marked there; `detail_csv` names them.
  """
  heads = ["target", "column", "samples_per_class", "oa_mean", "oa_std", "replicas"]
  rows = ([*_place(cell), *_measured(cell)] for cell in cells if cell.ours is not None)
  return csv_cells.csv_text([heads, *rows])


def detail_csv(cells: Iterable[ComparedCell]) -> str:
  """Returns one line per cell with all its values; unknown ones are empty.

  The letter's figure is left out where a scene is a stand-in. A text that a spreadsheet would read as a
  formula gets a leading apostrophe.
  """
  heads = ["table", "scene", "stand_ins", "target", "column", "samples_per_class"]
  heads += ["oa_mean", "oa_std", "replicas", "paper_mean", "paper_std"]
  heads += ["difference", "difference_low", "difference_high", "gain", "gain_low", "gain_high"]
  heads += ["up", "wilcoxon_p", "only_this", "only_single", "mcnemar_p"]
  return csv_cells.csv_text([heads, *map(_details, cells)])


def markdown(cells: Sequence[ComparedCell]) -> str:
  """Returns the cells that were run, by table, below a warning where stand-ins were used, and a summary."""
  parts, tables = [], _tables(cells)
  for table in tables:
    lines = [["column", *comparison_text.HEADS], ["---"] * (len(comparison_text.HEADS) + 1)]
    for column in table["columns"]:
      name = _escaped(column["title"])
      lines += [[name + (" **(stand-in)**" if tagged else ""), *row] for tagged, row in column["done"]]
    parts += [f"## {_escaped(table['title'])}"]
    parts += [f"> **{_escaped(table['warning'])}**"] if table["warning"] else []
    parts += ["\n".join(f"| {' | '.join(line)} |" for line in lines), table["summary"]]
  parts += ["## All tables", comparison_text.summary(cells)] if len(tables) > 1 else []
  return "\n\n".join([*parts, "\n".join(f"- {caveat}" for caveat in comparison_text.CAVEATS)]) + "\n"


def html(cells: Sequence[ComparedCell], title: str) -> str:
  """Returns a self-contained page: every table, a plot of each column over n, and a summary."""
  return _ENVIRONMENT.get_template("comparison.html").render(
    title=title,
    tables=_tables(cells),
    summary=comparison_text.summary(cells),
    heads=comparison_text.HEADS,
    caveats=comparison_text.CAVEATS,
    frame=plots_over_n,
  )


def _tables(cells: Iterable[ComparedCell]) -> list[dict]:
  """The content that Markdown and page share."""
  return [
    {
      "title": comparison_text.title(table, group),
      "warning": comparison_text.warning(group),
      "columns": _columns(group),
      "summary": comparison_text.summary(group),
    }
    for table, group in _grouped(cells, "table").items()
  ]


def _columns(cells: Sequence[ComparedCell]) -> list[dict]:
  columns = {
    name: sorted(column, key=lambda cell: cell.samples_per_class)
    for name, column in _grouped(cells, "column").items()
  }
  series = [
    (
      {cell.samples_per_class: cell.mean_std for cell in column if cell.ours is not None},
      {cell.samples_per_class: cell.published for cell in column if cell.published is not None},
    )
    for column in columns.values()
  ]
  plots = plots_over_n.plots(sorted({cell.samples_per_class for cell in cells}), series)
  return [
    {
      "title": _column_title(column[0]),
      "tagged": any(cell.stand_ins for cell in column),
      "rows": [(bool(cell.stand_ins), comparison_text.row(cell)) for cell in column],
      "done": [(bool(cell.stand_ins), comparison_text.row(cell)) for cell in column if cell.ours is not None],
      "plot": plot,
    }
    for (name, column), plot in zip(columns.items(), plots, strict=True)
  ]


def _column_title(cell: ComparedCell) -> str:
  inferred = cell.column in published.INFERRED_COLUMNS.get(cell.target, ())
  return column_title(cell.column) + (" (inferred)" if inferred else "")


def _grouped(cells: Iterable[ComparedCell], attribute: str) -> dict[str, list[ComparedCell]]:
  """In the order in which each table or column first appears."""
  groups = {}
  for cell in cells:
    groups.setdefault(getattr(cell, attribute), []).append(cell)
  return groups


def _details(cell: ComparedCell) -> list:
  difference, gain, nothing = cell.difference, cell.gain, [None] * 2
  return [
    escape_formula(cell.table),
    escape_formula(cell.scene),
    "; ".join(map(escape_formula, cell.stand_ins)),
    *_place(cell),
    *(_measured(cell) if cell.ours is not None else [None] * 3),
    *_rounded(cell.published or nothing),
    *(_change(difference.mean, difference.interval) if difference else [None] * 3),
    *(_change(gain.mean, gain.interval) if gain else [None] * 3),
    gain and gain.up,
    _p(gain and gain.p),
    *(cell.discordant or nothing),
    _p(cell.mcnemar_p),
  ]


def _place(cell: ComparedCell) -> list:
  return [escape_formula(cell.target), escape_formula(cell.column), cell.samples_per_class]


def _measured(cell: ComparedCell) -> list:
  return [*_rounded(cell.mean_std), len(cell.ours)]


def _change(mean: float, interval: tuple[float, float] | None) -> list:
  return _rounded([mean, *(interval or [None, None])])


def _rounded(numbers: Iterable[float | None]) -> list:
  return [None if number is None else f"{number:.2f}" for number in numbers]


def _p(p: float | None) -> str | None:
  return None if p is None else f"{p:.4g}"


def _escaped(text: str) -> str:
  """Escapes plain text for Markdown, including tables."""
  return re.sub(r"([\\`*_~<>&|\[\]])", r"\\\1", " ".join(text.split()))


_ENVIRONMENT = templates.environment(Path(__file__).parent)
