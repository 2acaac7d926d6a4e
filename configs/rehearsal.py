"""The paper's grid on small simulated scenes: everything of configs/paper.py but its figures.

  python launch.py --config=configs/rehearsal.py:table1

For whoever wants to see a grid work before the public scenes are there, or
tries out a cluster: every column of every table, Table V and Figure 2, each
scene stood in for by a simulated one of its sensor, one replica, few epochs, a
minute or two a table and row. What it finds says nothing about the scenes of
the paper.
"""

from ml_collections import config_dict

from configs import paper

_SCENES = {
  "indian_pines": ("AVIRIS", ("ploughed soil", "stubble", "green crop", "trees")),
  "salinas": ("AVIRIS", ("fallow", "vineyard", "sparse crop", "bare soil")),
  "pavia_university": ("ROSIS", ("asphalt road", "clay tile roof", "grass", "trees")),
  "pavia_centre": ("ROSIS", ("concrete road", "metal roof", "grass", "bare soil")),
}


def get_config(what: str = "") -> config_dict.ConfigDict:
  """The config of a grid as configs/paper.py has it, one row of a table, on simulated scenes."""
  config = paper.get_config(what)
  for seed, (name, (sensor, classes)) in enumerate(_SCENES.items()):
    stand_in = f"simulated_{name}"
    config.stand_ins[name] = stand_in
    config.simulate[stand_in] = {
      "height": 64,
      "width": 64,
      "sensor": sensor,
      "centres": (),
      "widths": (),
      "classes": classes,
      "seed": seed,
      "labelled_fraction": 0.5,
    }
  # A table's first row; Table V and Figure 2 have but one.
  config.samples_per_class = config.samples_per_class[:1]
  config.replicas = 1
  config.phases.phase1.epochs = 4
  config.phases.phase2.epochs = 2
  config.snapshots = (0, 1, 2)
  return config
