"""The published figures, as data: overall accuracies of Tables I-IV.

Liu & Shi, "Multitask Deep Learning With Spectral Knowledge for Hyperspectral
Image Classification", IEEE Geoscience and Remote Sensing Letters, 2020. The source is
the preprint, which ends within Table IV.
"""

import csv
import functools
import importlib.resources
from collections.abc import Sequence
from typing import NamedTuple

from mtl_hsi.paper.protocol import SHORT_NAMES

# Columns of Table IV after the end of the preprint, by the pattern of Table III [inferred].
INFERRED_COLUMNS = {
  "SA": (
    "hresnet/without/IN",
    "hresnet/without/PC",
    "hresnet/without/PU",
    "hresnet/without/INVERSE-IN",
    "ccnn/single",
    "ccnn/with/IN",
  )
}


class Column(NamedTuple):
  """The training behind a column of the tables.

  Attributes:
    model: "svm", "hresnet" or "ccnn".
    partners: short names of the scenes trained with the target.
    spectral_knowledge: whether all scenes share the first layer.
    inverse: whether the partner's bands are reversed.
  """

  model: str
  partners: tuple[str, ...]
  spectral_knowledge: bool
  inverse: bool


class PaperFigure(NamedTuple):
  """Overall accuracy in %, mean and standard deviation over Monte Carlo runs."""

  mean: float
  std: float


def figure(target: str, column: str, samples_per_class: int) -> PaperFigure | None:
  """Returns one cell of Tables I-IV, or None if it was not published.

  Args:
    target: the table's scene, "IN", "SA", "PU" or "PC".
    column: such as "svm", "hresnet/single" or "ccnn/with/SA"; see `column_of`.
    samples_per_class: the row; 5, 10, ... 30 in the letter.
  """
  return _figures().get((target, column, samples_per_class))


def columns_of(target: str) -> tuple[str, ...]:
  """Returns the names of all twelve columns of a target's table, in order.

  Args:
    target: "IN", "SA", "PU" or "PC".
  """
  read = dict.fromkeys(column for scene, column, _ in _figures() if scene == target)
  return (*read, *INFERRED_COLUMNS.get(target, ()))


def parse_column(target: str, column: str) -> Column:
  """Returns the training behind a column of the target's table.

  Args:
    target: "IN", "SA", "PU" or "PC".
    column: one of `columns_of(target)`.
  """
  model, _, rest = column.partition("/")
  kind, _, together = rest.partition("/")
  inverse = together.startswith("INVERSE-")
  if together == "ALL":
    partners = tuple(name for name in SHORT_NAMES.values() if name != target)
  else:
    partners = (together.removeprefix("INVERSE-"),) if together else ()
  return Column(model, partners, kind != "without" or inverse, inverse)


def column_of(
  target: str, partners: Sequence[str], model: str, spectral_knowledge: bool, inverse: Sequence[str]
) -> str | None:
  """Returns the column of the target's table that an experiment belongs to.

  The tables list partner X with its bands reversed ("Inverse-X") among the
  columns without spectral knowledge. We read it as a shared first layer, for which
  the reversal removes the knowledge.

  Args:
    target: name of the scene whose accuracy is compared.
    partners: names of the scenes trained with it.
    model: "svm", "hresnet" or "ccnn".
    spectral_knowledge: whether the scenes share the first layer; ignored without
      partners.
    inverse: names of the scenes whose bands are reversed.

  Returns:
    The column's name, or None if there is no such column.
  """
  if not {target, *partners} <= SHORT_NAMES.keys():
    return None
  column = _column([SHORT_NAMES[name] for name in partners], model, spectral_knowledge)
  if inverse:
    alone = spectral_knowledge and len(partners) == 1 and list(inverse) == list(partners)
    column = f"{model}/without/INVERSE-{SHORT_NAMES[partners[0]]}" if alone else None
  exists = any((t, c) == (SHORT_NAMES[target], column) for t, c, _ in _figures())
  return column if exists else None


def _column(partners: list[str], model: str, spectral_knowledge: bool) -> str:
  if not partners:
    return model if model == "svm" else f"{model}/single"
  together = "ALL" if len(partners) == len(SHORT_NAMES) - 1 else "+".join(partners)
  return f"{model}/{'with' if spectral_knowledge else 'without'}/{together}"


@functools.cache
def _figures() -> dict[tuple[str, str, int], PaperFigure]:
  text = importlib.resources.files("mtl_hsi.paper").joinpath("published.csv").read_text()
  return {
    (row["target"], row["column"], int(row["samples_per_class"])): PaperFigure(
      float(row["oa_mean"]), float(row["oa_std"])
    )
    for row in csv.DictReader(text.splitlines())
  }
