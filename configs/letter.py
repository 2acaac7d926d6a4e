"""Your own scenes, trained as in the letter, for comparison with configs/best.py.

  python launch.py --config=configs/letter.py:fields,town --config.files.fields.cube=fields.tif ...
  python launch.py --config=configs/letter.py --config.scenes_file=scenes.yaml

Scenes are named and given as in configs/own.py. All other keys have the defaults of
configs/common.py.
"""

from ml_collections import config_dict

from configs import named


def get_config(names: str = "") -> config_dict.ConfigDict:
  """Returns the config of the scenes in `names`, separated by commas. No names: `scenes_file` names them."""
  return named.get_config(names)
