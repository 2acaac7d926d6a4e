"""Scenes from files, trained together in one network.

  python launch.py --config=configs/own.py:fields,town \
    --config.files.fields.cube=fields.npz \
    --config.files.town.cube=town.mat --config.files.town.labels=town_gt.mat

Behind the colon stand names for the scenes, the target first. Per scene:

  cube, labels          .npz, .npy or .mat files; without labels they are in the cube's file
  cube_key, labels_key  names inside an .npz or .mat file, where they are not obvious
  test                  file of test labels; the pixels of labels are then for training only
  bands                 range of bands to use, "first:end", counted from 0, without the end
  nodata                value of pixels that hold no measurement, such as -9999 or nan
  sensor                "AVIRIS" or "ROSIS" lets --config.bands=103 or 160 align by the paper's rules

All scenes need equal numbers of bands, as they are or by their ranges; or
wavelengths with --config.alignment=wavelength; or a first convolution each with
--config.spectral_knowledge=False. Public scenes (indian_pines, salinas,
pavia_university, pavia_centre) can stand among them by name, with no file given.
"""

import keyword
import re

from ml_collections import config_dict

from configs import common
from mtl_hsi.errors import RequestError

_SOURCE_KEYS = ("cube", "labels", "cube_key", "labels_key", "bands", "nodata", "sensor", "test")


def get_config(names: str = "") -> config_dict.ConfigDict:
  """The config of the scenes named, separated by commas."""
  scenes = tuple(name.strip() for name in names.split(",") if name.strip())
  if not scenes or not all(map(_is_name, scenes)):
    raise RequestError(
      f"configs/own.py has {names!r} behind its colon; expected names for the scenes, of lower-case letters, "
      f"digits and _, such as configs/own.py:fields,town"
    )
  config = common.get_config()
  config.scenes = scenes
  config.target = scenes[0]
  for name in scenes:
    config.files[name] = dict.fromkeys(_SOURCE_KEYS, "")
  return config


def _is_name(name):
  """Fit for a scene and for a key of a config, whose own methods are no keys."""
  return (
    re.fullmatch("[a-z][a-z0-9_]*", name)
    and not keyword.iskeyword(name)
    and not hasattr(config_dict.ConfigDict, name)
  )
