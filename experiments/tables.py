"""Reads the metrics of kept runs and formats the rows of Markdown tables."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mtl_hsi.evaluation import significance
from mtl_hsi.storage import atomic_files

_RESULTS = Path(__file__).resolve().parents[1] / "results"


def results_directory(doc: str) -> Path:
  """Parses the command line of a script that makes a table: the directory with the kept runs.

  Args:
    doc: the script's docstring, shown by --help.
  """
  parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument("--results", type=Path, default=_RESULTS, help="directory of the kept runs and tables")
  return parser.parse_args().results


def read_metrics(run: Path) -> dict | None:
  """The metrics of a run, None if it was not run."""
  file = run / "metrics.json"
  return json.loads(file.read_text()) if file.exists() else None


def percent(metrics: dict, scene: str, kind: str = "overall") -> list[float]:
  """Returns overall or average accuracy of every replica in %."""
  return [100 * accuracy for accuracy in metrics["scenes"][scene][f"{kind}_accuracy"]["replicas"]]


def accuracies(run: Path, scene: str) -> list[float] | None:
  """Overall accuracy of every replica in %, None if it was not run."""
  metrics = read_metrics(run)
  return metrics and percent(metrics, scene)


def mean_std(values: Sequence[float]) -> str:
  """Mean and population standard deviation."""
  return f"{np.mean(values):.2f} ± {np.std(values):.2f}"


def difference(one: Sequence[float], base: Sequence[float]) -> tuple[str, str, str]:
  """Cells of a paired difference: its mean with the 95% interval, the seeds with a gain, Wilcoxon's p."""
  paired = significance.paired(one, base)
  low, high = paired.interval
  interval = f"{paired.mean:+.2f} [{low:.2f}, {high:.2f}]"
  return interval, f"{paired.up} of {paired.pairs}", f"{paired.p:.3f}"


def row(*cells: object) -> str:
  """A row of a Markdown table."""
  return f"| {' | '.join(map(str, cells))} |"


def write(path: Path, lines: Sequence[str]) -> None:
  """Writes a page and prints it."""
  text = "\n".join(lines)
  atomic_files.write_bytes(path, text.encode())
  print(text, end="")
