"""The letter's tables, whole: every cell, or those chosen, beside the paper's figures.

  python launch.py --config=configs/paper.py:table3 --config.dry_run=True     what would be run, and how long
  python launch.py --config=configs/paper.py:table3                           Table III, Indian Pines
  python launch.py --config=configs/paper.py:table5                           Table V, times; without shards
  python launch.py --config=configs/paper.py:figure2                          Figure 2, six maps
  python launch.py --config=configs/paper.py:tables                           Tables I to IV, 288 cells

  --config.samples_per_class=5 --config.samples_per_class=10     rows 5 and 10
  --config.cells=svm --config.cells='hresnet/*'                  columns; '*' stands for any text
  --config.cells='IN:*'                                          those of one target
  --shard=2/8                                                    the second of eight equal parts

Table I is about Pavia University, II Pavia Centre, III Indian Pines, IV
Salinas. Columns: svm, hresnet/single, hresnet/with/<partner>,
hresnet/without/<partner>, ccnn/single, ccnn/with/<partner>; partners IN, SA,
PU, PC, ALL, INVERSE-<partner>. Everything lies in runs/paper: a work directory
for every training, which serves all cells that need it, in whichever table;
table3.md, table3.csv, table3_details.csv and report.html; table5.md;
figure2.png.

Cells that are done are not done again, so the same command goes on after
whatever interrupted it. All other keys are those of configs/common.py, but for
what a cell decides: scenes, target, bands, reversed, model.name and
spectral_knowledge.
"""

from ml_collections import config_dict

from configs import common
from mtl_hsi.errors import RequestError
from mtl_hsi.paper import published
from mtl_hsi.reproduction import figure2

# Tables, columns and rows.
_ALL = tuple(published.TABLES)
_CHOICES = {
  **{f"table{place}": ((name,), (), published.SAMPLES_PER_CLASS) for place, name in enumerate(_ALL, start=1)},
  "table5": (_ALL, ("*:hresnet/single", "PU:hresnet/with/PC", "IN:hresnet/with/SA"), (10,)),
  "figure2": (("I",), figure2.COLUMNS, (10,)),
  "tables": (_ALL, (), published.SAMPLES_PER_CLASS),
}


def get_config(what: str = "") -> config_dict.ConfigDict:
  """The config of a grid: "table1" to "table5", "figure2", or "tables"."""
  if what not in _CHOICES:
    raise RequestError(
      f"configs/paper.py has no {what!r}; expected one of {', '.join(_CHOICES)}, "
      "such as configs/paper.py:table3"
    )
  config = common.get_config()
  # Which tables; which of their columns (all where there is none) and rows.
  del config.samples_per_class
  config.tables, config.cells, config.samples_per_class = _CHOICES[what]
  # Only say what would be done.
  config.dry_run = False
  # Scenes of `files` or `simulate` that stand in for public ones, by the public scene's name.
  config.stand_ins = config_dict.ConfigDict()
  for key in ("scenes", "target", "bands", "reversed", "spectral_knowledge"):
    del config[key]
  del config.model.name
  return config
