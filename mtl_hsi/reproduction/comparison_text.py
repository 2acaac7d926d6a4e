"""Texts of the comparison with the letter: rows, summaries and caveats."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mtl_hsi.evaluation.significance import Difference, Paired
from mtl_hsi.paper.protocol import SHORT_NAMES
from mtl_hsi.reproduction.compared_cell import ComparedCell, scene_title

HEADS = (
  "n",
  "runs",
  "OA",
  "OA in the letter",
  "difference [95%]",
  "gain over single task [95%]",
  "up",
  "Wilcoxon p",
  "McNemar p",
)
CAVEATS = (
  "OA is the overall accuracy in %, mean ± standard deviation over our runs, each with a different seed; n "
  "is the number of training samples per class.",
  "The difference is our mean minus the letter's, in percentage points, with Welch's 95% interval. "
  "The letter states neither its splits nor its number of runs. That there were 10 runs and "
  "that the standard deviation divides by 10 is inferred from the author's code.",
  "The gain is over the same network trained on the target alone, in percentage points, paired by seed, "
  "with Student's 95% interval. The column 'up' counts the seeds whose accuracy rose. Wilcoxon's "
  "signed-rank test is two-sided.",
  "McNemar's test pools the test pixels of all replicas. Those are not independent of each other, so "
  "its p is too small.",
  "p values and intervals are not corrected for the number of comparisons: even if nothing differs, "
  "about one comparison in twenty appears to.",
  "A figure marked unknown is missing from our copy of the letter, which ends within Table IV. The "
  "remaining columns of that table are inferred from the pattern of Table III.",
)


class Row(NamedTuple):
  """The texts of a cell, in the order of `HEADS`; empty if not applicable."""

  samples: str
  runs: str
  ours: str
  paper: str
  difference: str
  gain: str
  up: str
  wilcoxon: str
  mcnemar: str


def row(cell: ComparedCell) -> Row:
  """Returns the texts of a cell; results of stand-ins have no figure of the letter beside them."""
  gain = cell.gain
  return Row(
    samples=str(cell.samples_per_class),
    runs="" if cell.ours is None else str(len(cell.ours)),
    ours=_ours(cell),
    paper=_paper(cell),
    difference=_change(cell.difference),
    gain=_change(gain),
    up=f"{gain.up} of {gain.pairs}" if gain else "",
    wilcoxon=_p(gain and gain.p),
    mcnemar=_p(cell.mcnemar_p),
  )


def title(table: str, cells: Sequence[ComparedCell]) -> str:
  """Returns the heading of a table, with the name of the target if the letter uses another scene."""
  other = dict.fromkeys(cell.scene for cell in cells if SHORT_NAMES.get(cell.scene) != cell.target)
  return f"{table}: {scene_title(cells[0].target)}" + (f" (here {', '.join(other)})" if other else "")


def warning(cells: Iterable[ComparedCell]) -> str:
  """Returns a warning about results of stand-ins, or an empty text."""
  names = dict.fromkeys(name for cell in cells for name in cell.stand_ins)
  if not names:
    return ""
  return (
    f"STAND-INS: {', '.join(names)}. Results marked as stand-ins come from other scenes than those of the "
    "letter. They cannot be compared with its figures, which are therefore not shown."
  )


def summary(cells: Iterable[ComparedCell]) -> str:
  """Returns a summary: how many cells were run, agree with the letter, gained, or are unknown."""
  cells = list(cells)
  run = [cell for cell in cells if cell.ours is not None]
  text = f"{len(run)} of {_cells(len(cells))} {_were(len(run))} run, {len(cells) - len(run)} not run."
  text += _agreement([cell.difference for cell in run if cell.difference])
  text += _gains([cell.gain for cell in run if cell.gain and cell.gain.interval])
  unknown = sum(cell.paper is None for cell in cells)
  stand_ins = sum(bool(cell.stand_ins) for cell in run)
  text += f" Our copy of the letter lacks the figures of {_cells(unknown)}." if unknown else ""
  return text + (f" {_cells(stand_ins)} {_were(stand_ins)} run with stand-ins." if stand_ins else "")


def _agreement(differences: Sequence[Difference]) -> str:
  judged = [difference for difference in differences if difference.interval]
  once = len(differences) - len(judged)
  text = f" {_cells(once)} ran with a single replica and cannot be compared." if once else ""
  if not judged:
    return text
  near = sum(abs(difference.mean) <= 2 * difference.standard_error for difference in judged)
  within = sum(_sign(difference.interval) == 0 for difference in judged)
  return (
    f" Of {_cells(len(judged))} compared with the letter, {near} {_have(near)} the letter's mean within two "
    f"joint standard errors of ours, and {within} {_have(within)} 0 within the 95% interval of the "
    f"difference.{text}"
  )


def _gains(gains: Sequence[Paired]) -> str:
  if not gains:
    return ""
  signs = [_sign(gain.interval) for gain in gains]
  gained, even, lost = (signs.count(sign) for sign in (1, 0, -1))
  return (
    f" Of {_cells(len(signs))} compared with the single task, {gained} gained, {lost} lost and {even} "
    f"{_have(even)} 0 within the 95% interval of the gain."
  )


def _sign(interval: tuple[float, float]) -> int:
  """0 if the interval contains 0."""
  low, high = interval
  return (low > 0) - (high < 0)


def _ours(cell: ComparedCell) -> str:
  if cell.ours is None:
    return "not run"
  return _spread(*cell.mean_std) if len(cell.ours) > 1 else f"{cell.ours[0]:.2f}"


def _paper(cell: ComparedCell) -> str:
  if cell.paper is None:
    return "unknown"
  return _spread(*cell.published) if cell.published else "not comparable"


def _spread(mean: float, std: float) -> str:
  return f"{mean:.2f} ± {std:.2f}"


def _change(change: Difference | Paired | None) -> str:
  if change is None:
    return ""
  return f"{change.mean:+.2f}" + (" [{:+.2f}, {:+.2f}]".format(*change.interval) if change.interval else "")


def _p(p: float | None) -> str:
  if p is None:
    return ""
  return f"{p:.3f}" if p >= 0.001 else "< 0.001"


def _cells(count: int) -> str:
  return f"{count} cell" if count == 1 else f"{count} cells"


def _were(count: int) -> str:
  return "was" if count == 1 else "were"


def _have(count: int) -> str:
  return "has" if count == 1 else "have"
