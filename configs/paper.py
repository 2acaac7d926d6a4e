"""The letter's tables: all cells or a selection, next to the published figures.

  python launch.py --config=configs/paper.py:table3 --config.dry_run=True     list the runs, estimate the time
  python launch.py --config=configs/paper.py:table3                           Table III, Indian Pines
  python launch.py --config=configs/paper.py:table5                           Table V, times; not with --shard
  python launch.py --config=configs/paper.py:figure2                          Figure 2, six maps
  python launch.py --config=configs/paper.py:tables                           Tables I to IV, 288 cells

  --config.samples_per_class=5 --config.samples_per_class=10     rows 5 and 10
  --config.cells=svm --config.cells='hresnet/*'                  columns; '*' matches any text
  --config.cells='IN:*'                                          the columns of one target
  --shard=2/8                                                    the second of eight equal parts

Table I is Pavia University, II Pavia Centre, III Indian Pines, IV Salinas. Columns:
svm, hresnet/single, hresnet/with/<partner>, hresnet/without/<partner>, ccnn/single,
ccnn/with/<partner>; partners IN, SA, PU, PC, ALL, INVERSE-<partner>. runs/paper
holds one work directory per training, shared by all cells that use it, and
table3.md, table3.csv, table3_details.csv, report.html, table5.md and figure2.png.

Finished cells are not run again, so the same command resumes after an interruption.
All other keys are those of configs/common.py, except for those that a cell sets:
scenes, target, bands, reversed, model.name and spectral_knowledge.
"""

from ml_collections import config_dict

from configs import common
from mtl_hsi.errors import RequestError
from mtl_hsi.paper import protocol
from mtl_hsi.reproduction import figure2

# Tables, columns and rows.
_ALL = tuple(protocol.TABLES)
_CHOICES = {
  **{f"table{place}": ((name,), (), protocol.SAMPLES_PER_CLASS) for place, name in enumerate(_ALL, start=1)},
  "table5": (_ALL, ("*:hresnet/single", "PU:hresnet/with/PC", "IN:hresnet/with/SA"), (10,)),
  "figure2": (("I",), figure2.COLUMNS, (10,)),
  "tables": (_ALL, (), protocol.SAMPLES_PER_CLASS),
}


def get_config(what: str = "") -> config_dict.ConfigDict:
  """Returns the config of a grid: "table1" to "table5", "figure2" or "tables"."""
  if what not in _CHOICES:
    raise RequestError(
      f"configs/paper.py has no {what!r}; expected one of {', '.join(_CHOICES)}, "
      "such as configs/paper.py:table3"
    )
  config = common.get_config()
  del config.samples_per_class
  tables, cells, samples_per_class = _CHOICES[what]
  # Tables of the letter, "I" to "IV".
  config.tables = tables
  # Columns of the tables; "*" matches any text. Empty: all columns.
  config.cells = cells
  # Rows of the tables.
  config.samples_per_class = samples_per_class
  # Only list the runs and estimate the time.
  config.dry_run = False
  # Scenes of `files` or `simulate` that replace public scenes, by the name of the public scene.
  config.stand_ins = config_dict.ConfigDict()
  for key in ("scenes", "target", "bands", "reversed", "spectral_knowledge"):
    del config[key]
  del config.model.name
  return config
