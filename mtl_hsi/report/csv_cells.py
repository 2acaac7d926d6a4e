"""CSV tables whose cells a spreadsheet does not run as formulas."""

import csv
import io
import re
from collections.abc import Iterable, Sequence

# Characters that start a formula in a spreadsheet, including the full-width signs of East Asian text.
_FORMULA = (*"=+-@", *"\t\r\n", *"\uff1d\uff0b\uff0d\uff20")


def csv_text(rows: Iterable[Sequence]) -> str:
  """Returns rows of cells as CSV."""
  written = io.StringIO()
  csv.writer(written, lineterminator="\n").writerows(rows)
  return written.getvalue()


def escape_formula(text: str) -> str:
  """Returns a text on one line, with an apostrophe wherever a spreadsheet would start a formula.

  That is at the start of the text and after `;` or a tab, which separate cells in countries with a decimal
  comma. Blanks in between do not matter, since some spreadsheets strip them.
  """
  escaped = f"'{text}" if text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA) else text
  escaped = re.sub(rf"(?<!^')([;\t])(?=\s*?[{re.escape(''.join(_FORMULA))}])", r"\1'", escaped)
  # Before Python 3.13 the csv module does not quote a carriage return, which ends the line for a reader.
  return re.sub(r"[\r\n]+", " ", escaped)
