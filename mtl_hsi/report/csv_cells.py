"""Tables as CSV that a spreadsheet takes for what they are."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

# What a spreadsheet takes for the start of one, the wide signs of East Asian text among them.
_FORMULA = (*"=+-@", *"\t\r\n", *"\uff1d\uff0b\uff0d\uff20")


def text(rows: Iterable[Sequence]) -> str:
  """Returns rows of cells as CSV."""
  written = io.StringIO()
  csv.writer(written, lineterminator="\n").writerows(rows)
  return written.getvalue()


def guarded(text: str) -> str:
  """Returns a text on one line, with an apostrophe where a spreadsheet would take it for a formula.

  That is at its start, and behind what separates cells in countries with a decimal comma, in both places also
  behind blanks, which some spreadsheets leave out.
  """
  safe = f"'{text}" if text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA) else text
  safe = re.sub(rf"(?<!^')([;\t])(?=\s*?[{re.escape(''.join(_FORMULA))}])", r"\1'", safe)
  # Before Python 3.13 the csv module leaves a carriage return unquoted, which ends the line for a reader.
  return re.sub(r"[\r\n]+", " ", safe)
