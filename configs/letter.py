"""Scenes from files by the letter's recipe, to compare with that of configs/best.py.

  python launch.py --config=configs/letter.py:fields,town --config.files.fields.cube=fields.tif ...
  python launch.py --config=configs/letter.py --config.scenes_file=scenes.yaml

Scenes are named and given as for configs/own.py; all else is as in
configs/common.py.
"""

from ml_collections import config_dict

from configs import named


def get_config(names: str = "") -> config_dict.ConfigDict:
  """The config of the scenes named, separated by commas; of none, where `scenes_file` is to name them."""
  return named.get_config(names)
