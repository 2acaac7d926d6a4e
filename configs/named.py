"""Common start of configs/best.py and configs/letter.py: scenes listed after the colon. Not run itself."""

from ml_collections import config_dict

from configs import common
from mtl_hsi.errors import RequestError
from mtl_hsi.settings.scene_options import OPTIONS
from mtl_hsi.settings.scenes_file import is_name


def get_config(names: str = "") -> config_dict.ConfigDict:
  """Returns the config of the scenes in `names`, separated by commas. No names: `scenes_file` names them.

  Raises:
    RequestError: a name is not a valid scene name.
  """
  scenes = tuple(name.strip() for name in names.split(",") if name.strip())
  if not all(map(is_name, scenes)) or (names and not scenes):
    raise RequestError(
      f"invalid scene names {names!r} after the colon of the config file; expected lower-case letters, "
      "digits and _, such as configs/own.py:fields,town"
    )
  config = common.get_config()
  config.scenes = scenes
  config.target = scenes[0] if scenes else ""
  config.proposals = 20
  # YAML or TOML file that lists the scenes and their options.
  config.scenes_file = ""
  for name in scenes:
    config.files[name] = dict.fromkeys(OPTIONS, "")
  return config
