"""One experiment of the letter, named by its scenes.

  python launch.py --config=configs/mtl.py:pu                 Pavia University alone
  python launch.py --config=configs/mtl.py:pu_pc              with Pavia Centre
  python launch.py --config=configs/mtl.py:pu_pc_sa           with Pavia Centre and Salinas
  python launch.py --config=configs/mtl.py:pu_all             with all three other scenes
  python launch.py --config=configs/mtl.py:pu_inverse_pc      with Pavia Centre, its bands reversed

Scenes: in (Indian Pines), sa (Salinas), pu (Pavia University), pc (Pavia Centre). The
first scene is the target. Its sensor decides on the bands: 103 for the ROSIS scenes pu
and pc, 160 for the AVIRIS scenes in and sa (sections III-C and III-D). Columns of the
tables:

  --config.samples_per_class=5          rows 5, 10, ... 30
  --config.spectral_knowledge=False     a separate first layer for each scene
  --config.model.name=ccnn              CCNN

The letter reports 39.17 +- 3.06% overall accuracy for in alone with HResNet and 5
samples per class (Table III).
"""

from ml_collections import config_dict

from configs import common
from mtl_hsi.errors import RequestError
from mtl_hsi.paper import protocol

# Scenes by their short names in lower case.
_SCENES = {short.lower(): name for name, short in protocol.SHORT_NAMES.items()}


def get_config(cell: str = "") -> config_dict.ConfigDict:
  """Returns the config of one cell, such as "pu", "pu_pc", "pu_all" or "pu_inverse_pc"."""
  target, *partners = cell.split("_")
  inverse = partners[:1] == ["inverse"]
  if inverse:
    partners = partners[1:]
  elif partners == ["all"]:
    partners = [scene for scene in _SCENES if scene != target]
  names = [target, *partners]
  known = set(names) <= _SCENES.keys() and len(set(names)) == len(names)
  if not known or (inverse and len(partners) != 1):
    raise RequestError(
      f"configs/mtl.py has no cell {cell!r}; expected <target>, <target>_<partner>[_<partner>], <target>_all "
      f"or <target>_inverse_<partner> with scenes {', '.join(_SCENES)}, such as configs/mtl.py:pu_all"
    )
  config = common.get_config()
  config.scenes = tuple(_SCENES[name] for name in names)
  config.target = _SCENES[target]
  config.bands = protocol.bands_of(target.upper())
  config.reversed = config.scenes[1:] if inverse else ()
  return config
