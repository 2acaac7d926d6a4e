r"""Your own scenes, from files.

  python launch.py --config=configs/own.py:fields,town \
    --config.files.fields.cube=fields.tif --config.files.fields.labels=fields.gpkg \
    --config.files.town.cube=town.mat --config.files.town.labels=town_gt.mat

  python launch.py --config=configs/own.py --config.scenes_file=scenes.yaml

List the scenes after the colon, the target first, or in a YAML or TOML file with
their options; configs/own_scenes.yaml is an example that explains every option.
If you give both, the list selects scenes from the file, and options on the command
line override those of the file. --config.check_only=True reads and checks
everything, prints a summary and stops.

The scenes need equal numbers of bands, possibly after `bands` selects a range. If
they differ, resample them with --config.alignment=wavelength or use separate first
layers with --config.spectral_knowledge=False. Public scenes (indian_pines, salinas,
pavia_university, pavia_centre) can be listed without files.

The recipe is that of configs/best.py with all labels. The labels are cut into five
folds of whole polygons (or lines, points, connected regions). Five networks train
without one fold each, and give the accuracy; three more train on all labels, and vote
on the map. Test labels that a file marks (`test`, `split_column`) are kept out of
both, and give the accuracy instead.

  --config.samples_per_class=10                         a few random pixels per class, the others test
  --config.fold_units=blocks --config.block_size=16     folds of square blocks
  --config.fold_buffer=9                                no training label within 9 pixels of a left-out label

configs/letter.py follows the letter.
"""

from ml_collections import config_dict

from configs import best


def get_config(names: str = "") -> config_dict.ConfigDict:
  """Returns the config of the scenes in `names`, separated by commas. No names: `scenes_file` names them."""
  config = best.get_config(names)
  config.split = "folds"
  config.folds = 5
  config.samples_per_class = 0
  config.replicas = 3
  return config
