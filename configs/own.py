r"""Scenes from files, trained together in one network.

  python launch.py --config=configs/own.py:fields,town \
    --config.files.fields.cube=fields.tif --config.files.fields.labels=fields.gpkg \
    --config.files.town.cube=town.mat --config.files.town.labels=town_gt.mat

  python launch.py --config=configs/own.py --config.scenes_file=scenes.yaml

Scenes are named behind the colon, the target first, or in a YAML or TOML file
that has their options; configs/own_scenes.yaml is an example of such a file and
explains every option. With both, the names choose among the file's scenes, and
options on the command line win. --config.check_only=True reads and checks
everything, says what it found, and stops.

All scenes need equal numbers of bands, as they are or by their ranges; or
wavelengths with --config.alignment=wavelength; or a first convolution each with
--config.spectral_knowledge=False. Public scenes (indian_pines, salinas,
pavia_university, pavia_centre) can stand among them by name behind the colon,
with no file given.

Training is by the recommended recipe, configs/best.py; configs/letter.py has
the letter's.
"""

from ml_collections import config_dict

from configs import best


def get_config(names: str = "") -> config_dict.ConfigDict:
  """The config of the scenes named, separated by commas; of none, where `scenes_file` is to name them."""
  return best.get_config(names)
