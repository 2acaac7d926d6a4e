"""From times to the rows of the results: pure functions."""

from collections.abc import Sequence

import numpy as np

from benchmarks.timing import Contender

PEERS = ("keras", "pytorch")
SIDES = ("ours", *PEERS)


def row(what: str, who: str, variant: str, values: Sequence[float], unit: str, **more) -> dict:
  """A measured quantity, summed up over the repeats, and what else is to be said."""
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


def of_contender(own: Contender) -> dict:
  """Its seconds, the first call's apart."""
  return row(own.what, own.who, own.variant, own.seconds, "s", first_call=own.first)


def best(contenders: Sequence[Contender], what: str, who: str | None = None) -> Contender | None:
  """The fastest at a job by its median, of one side or of all; None if nobody did it."""
  able = [own for own in contenders if own.what == what and who in (None, own.who)]
  return min(able, key=lambda own: np.median(own.seconds), default=None)


def comparison(contenders: Sequence[Contender], what: str) -> list[dict]:
  """The best of every side at a job, and every peer's time over ours, round by round."""
  winners = {who: best(contenders, what, who) for who in SIDES}
  rows = [of_contender(own) for own in winners.values() if own]
  ours = winners["ours"]
  for who in PEERS if ours else ():
    if winners[who]:
      ratio = winners[who].seconds / ours.seconds
      rows.append(row(f"{what}/ratio", who, winners[who].variant, ratio, "x ours"))
  return rows


def product_speed(contenders: Sequence[Contender], size: int) -> dict:
  """Speed of the fastest library at a product of two square matrices."""
  own = best(contenders, "matmul")
  return row("matmul", "machine", own.who, 2 * size**3 / own.seconds / 1e9, "GFLOP/s")


def shares(contenders: Sequence[Contender], what: str, name: str, flop: int, size: int) -> list[dict]:
  """Every side's speed at a job as a share of the fastest product's, round by round.

  Args:
    contenders: at the job and at "matmul".
    what: the job.
    name: of the row.
    flop: floating-point operations of the job.
    size: side of the product's matrices.
  """
  product = 2 * size**3 / best(contenders, "matmul").seconds
  winners = [best(contenders, what, who) for who in SIDES]
  return [
    row(name, own.who, own.variant, flop / own.seconds / product, "of matmul") for own in winners if own
  ]


def table(rows: Sequence[dict]) -> str:
  """The rows as text."""
  lines = [f"{'':42} {'':8} {'median':>9} {'min':>9} {'max':>9} {'first':>9}"]
  for own in rows:
    keys = "median", "min", "max", "first_call"
    numbers = [f"{own[key]:9.3f}" if key in own else " " * 9 for key in keys]
    remark = f"{own['variant']} (estimated)" if own.get("estimated") else own["variant"]
    lines.append(f"{own['what']:42} {own['who']:8} {' '.join(numbers)} {own['unit']:9} {remark}")
  return "\n".join(lines)
