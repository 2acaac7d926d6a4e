"""A config of two scenes, for changes by key."""

from configs import common
from mtl_hsi.settings.scene_options import OPTIONS


def config(**changes):
  """A config of one public scene and one from files, with changes by dotted keys (dots written as __)."""
  made = common.get_config()
  made.scenes, made.target = ("salinas", "fields"), "fields"
  made.files.fields = {**dict.fromkeys(OPTIONS, ""), "cube": "f.npz"}
  made.update_from_flattened_dict({key.replace("__", "."): value for key, value in changes.items()})
  return made
