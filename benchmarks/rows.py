"""Pure functions from times to the rows of the results."""

from collections.abc import Sequence

import numpy as np

from benchmarks.timing import Contender

# Keras and PyTorch run the jobs of the letter. SciPy and scikit-learn run one job of the default recipe each.
PEERS = ("keras", "pytorch", "scipy", "scikit-learn")
SIDES = ("ours", *PEERS)
LETTER_SIDES = SIDES[:3]


def row(what: str, who: str, variant: str, values: Sequence[float], unit: str, **more) -> dict:
  """Returns the row of a quantity, with median and range over the repeats, and further entries `more`."""
  return {
    "what": what,
    "who": who,
    "variant": variant,
    "median": float(np.median(values)),
    "min": float(np.min(values)),
    "max": float(np.max(values)),
    "unit": unit,
    "repeats": len(values),
    **more,
  }


def of_contender(contender: Contender) -> dict:
  """Returns the row of a contender: its seconds, and separately those of its first call."""
  what, who, variant = contender.what, contender.who, contender.variant
  return row(what, who, variant, contender.seconds, "s", first_call=contender.first)


def best(contenders: Sequence[Contender], what: str, who: str | None = None) -> Contender | None:
  """Returns the contender of one side, or of all, with the smallest median at a job; None without any."""
  able = [one for one in contenders if one.what == what and who in (None, one.who)]
  return min(able, key=lambda contender: np.median(contender.seconds), default=None)


def comparison(contenders: Sequence[Contender], what: str) -> list[dict]:
  """Returns the best row of every side at a job, and the ratios of the peers' times to ours by round."""
  winners = {who: best(contenders, what, who) for who in SIDES}
  rows = [of_contender(winner) for winner in winners.values() if winner]
  ours = winners["ours"]
  for who in PEERS if ours else ():
    if winners[who]:
      ratio = winners[who].seconds / ours.seconds
      rows.append(row(f"{what}/ratio", who, winners[who].variant, ratio, "x ours"))
  return rows


def product_speed(contenders: Sequence[Contender], size: int) -> dict:
  """Returns the speed of the fastest library at a product of two square matrices."""
  fastest = best(contenders, "matmul")
  return row("matmul", "machine", fastest.who, 2 * size**3 / fastest.seconds / 1e9, "GFLOP/s")


def shares(contenders: Sequence[Contender], what: str, name: str, flop: int, size: int) -> list[dict]:
  """Returns the speed of every side at a job as a share of the fastest product's, by round.

  Args:
    contenders: those of the job and of "matmul".
    what: the job.
    name: name of the row.
    flop: floating-point operations of the job.
    size: rows and columns of the matrices of the product.
  """
  product = 2 * size**3 / best(contenders, "matmul").seconds
  winners = filter(None, (best(contenders, what, who) for who in SIDES))
  return [
    row(name, winner.who, winner.variant, flop / winner.seconds / product, "of matmul") for winner in winners
  ]


def table(rows: Sequence[dict]) -> str:
  """Returns the rows as a text table."""
  lines = [f"{'':42} {'':8} {'median':>9} {'min':>9} {'max':>9} {'first':>9}"]
  for one in rows:
    keys = "median", "min", "max", "first_call"
    numbers = [f"{one[key]:9.3f}" if key in one else " " * 9 for key in keys]
    remark = f"{one['variant']} (estimated)" if one.get("estimated") else one["variant"]
    lines.append(f"{one['what']:42} {one['who']:8} {' '.join(numbers)} {one['unit']:9} {remark}")
  return "\n".join(lines)
