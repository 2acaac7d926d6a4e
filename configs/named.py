"""Scenes named behind the colon of a config file, by the defaults of configs/common.py for all else."""

from ml_collections import config_dict

from configs import common
from mtl_hsi.errors import RequestError
from mtl_hsi.settings.scenes_file import OPTIONS, is_name


def get_config(names: str = "") -> config_dict.ConfigDict:
  """The config of the scenes named, separated by commas; of none, where `scenes_file` is to name them.

  Raises:
    RequestError: a name cannot be one of a scene.
  """
  scenes = tuple(name.strip() for name in names.split(",") if name.strip())
  if not all(map(is_name, scenes)) or (names and not scenes):
    raise RequestError(
      f"the config file has {names!r} behind its colon; expected names for the scenes, of lower-case "
      "letters, digits and _, such as configs/own.py:fields,town"
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
