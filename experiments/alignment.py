"""Makes results/alignment.md: bands of two sensors aligned by index and by wavelength.

  .venv/bin/python experiments/alignment.py

Needs the runs of experiments/alignment.sh in results/alignment.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from experiments import tables

_ALONE = "indian_pines"
_SCENES = (_ALONE, "pavia_university_crop", "pavia_centre_crop")
_ALONE_ENTRY = (f"{_ALONE}, alone", _ALONE, "-alone")
_BETWEEN = (
  "| scene | n | by index | by wavelength | wavelength less index [95%] | up | Wilcoxon p |",
  "|---|---|---|---|---|---|---|",
)
_OVER_ALONE = (
  "| n | aligned | Indian Pines alone | with both crops | gain [95%] | up | Wilcoxon p |",
  "|---|---|---|---|---|---|---|",
)
_WAYS = ("index", "wavelength")
_NOTES = """
Overall accuracy in %, mean ± standard deviation over seeds 0-9. Differences are in percentage points,
paired by seed, with their 95% interval (Student's t); p by Wilcoxon's signed-rank test, not corrected for
the number of comparisons. Aligned by index, Indian Pines has other wavelengths (103 bands, 498 to 1502 nm)
than aligned by wavelength (43 bands, 439 to 851 nm), so compare the gains, not the accuracies.
"""


def main() -> None:
  """Writes both tables and prints them."""
  results = tables.results_directory(__doc__)

  def accuracies(way, kind, n, scene):
    return tables.accuracies(results / "alignment" / f"{way}{kind}-n{n}", scene)

  between, over_alone = list(_BETWEEN), list(_OVER_ALONE)
  for n in (5, 10):
    for title, scene, kind in [*((f"{scene}, together", scene, "") for scene in _SCENES), _ALONE_ENTRY]:
      between += _row([title, n], *(accuracies(way, kind, n, scene) for way in _WAYS))
    for way in _WAYS:
      over_alone += _row([n, f"by {way}"], *(accuracies(way, kind, n, _ALONE) for kind in ("-alone", "")))
  tables.write(results / "alignment.md", [*between, "", *over_alone, _NOTES])


def _row(head, before, after):
  """One row in a list; no row if one of the runs is missing."""
  if before is None or after is None:
    return []
  means = map(tables.mean_std, (before, after))
  return [tables.row(*head, *means, *tables.difference(after, before))]


if __name__ == "__main__":
  main()
