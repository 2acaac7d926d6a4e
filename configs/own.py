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
"""

from ml_collections import config_dict

from configs import common
from mtl_hsi.errors import RequestError
from mtl_hsi.scenes_file import OPTIONS, is_name


def get_config(names: str = "") -> config_dict.ConfigDict:
  """The config of the scenes named, separated by commas; of none, where `scenes_file` is to name them."""
  scenes = tuple(name.strip() for name in names.split(",") if name.strip())
  if not all(map(is_name, scenes)) or (names and not scenes):
    raise RequestError(
      f"configs/own.py has {names!r} behind its colon; expected names for the scenes, of lower-case letters, "
      f"digits and _, such as configs/own.py:fields,town"
    )
  config = common.get_config()
  config.scenes = scenes
  config.target = scenes[0] if scenes else ""
  config.proposals = 20
  # YAML or TOML file of scenes and their options.
  config.scenes_file = ""
  for name in scenes:
    config.files[name] = dict.fromkeys(OPTIONS, "")
  return config
