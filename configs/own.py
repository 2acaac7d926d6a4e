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

Training follows the recommended recipe, configs/best.py. configs/letter.py follows
the letter.
"""

from ml_collections import config_dict

from configs import best


def get_config(names: str = "") -> config_dict.ConfigDict:
  """Returns the config of the scenes in `names`, separated by commas. No names: `scenes_file` names them."""
  return best.get_config(names)
