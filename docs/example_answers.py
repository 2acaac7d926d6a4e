"""Fills in a sample of the simulated scene `fields`, in place of a person who looks at every unit.

  .venv/bin/python -m docs.example_answers runs/fields/assessment/fields_sample.csv

The classes are those with which docs/example_scenes.py simulated the scene. Pixels without a label get ?.
"""

import csv
import sys
from pathlib import Path

from docs import example_scenes


def fill_in(table: Path) -> None:
  """Writes the class of every unit, a pixel, into its row of the table."""
  scene = example_scenes.simulated_fields()
  with table.open(newline="") as file:
    rows = list(csv.DictReader(file))
  for row in rows:
    row["class"] = scene.class_names.get(int(scene.labels[int(row["row"]), int(row["column"])]), "?")
  with table.open("w", newline="") as file:
    writer = csv.DictWriter(file, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)


if __name__ == "__main__":
  fill_in(Path(sys.argv[1]))
