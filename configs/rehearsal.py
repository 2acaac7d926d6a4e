"""The grids of configs/paper.py on small simulated scenes.

  python launch.py --config=configs/rehearsal.py:table1

Use it to try a grid without the public scenes, or to test a cluster. It covers every
column of every table, Table V and Figure 2. A simulated scene of the same sensor
replaces each public scene; there is one replica and few epochs, so one row of a table
takes a minute or two. The figures say nothing about the scenes of the letter.
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
  """Returns the config of a grid of configs/paper.py: one row of a table, on simulated scenes."""
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
  # The first row of the table. Table V and Figure 2 have one row.
  config.samples_per_class = config.samples_per_class[:1]
  config.replicas = 1
  config.phases.phase1.epochs = 4
  config.phases.phase2.epochs = 2
  config.snapshots = (0, 1, 2)
  return config
