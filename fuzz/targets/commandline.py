"""Command lines: flags, overrides of config keys, and the resulting settings."""

import sys
from pathlib import Path

from absl import flags

from mtl_hsi import commandline
from mtl_hsi.settings import config_files, experiment_settings

_FLAG = commandline.define_config("config", "Config file.")
_OWN = [
  *("--config=configs/own.py:fields", "--config.files.fields.cube=a.tif", "--config.files.fields.bands=1:3"),
  *("--config.alignment=wavelength", "--config.grid=400:800:10", "--config.snapshots=1,2"),
]
_PAPER = [
  *("--config=configs/mtl.py:pu_pc", "--config.optimizer.name=adamw"),
  *("--config.optimizer.weight_decay=0.1", "--config.replicas=3"),
]
# Config files are programs: only those of the project may run.
_CONFIGS = ("configs/own.py", "configs/mtl.py", "configs/paper.py", "configs/common.py")
# absl exits on these, or reads further flags from a file.
_EXCLUDED = ("help", "helpfull", "helpshort", "helpxml", "h", "?", "flagfile", "version")


def seeds(folder: Path) -> list[bytes]:
  return ["\n".join(line).encode() for line in (_OWN, _PAPER, ["--config=configs/paper.py:table3"])]


def feed(data: bytes, folder: Path) -> None:
  words = [word for word in data.decode(errors="surrogateescape").split("\n") if _is_harmless(word)]
  for name in [name for name in flags.FLAGS if name.startswith("config.")]:
    delattr(flags.FLAGS, name)
  flags.FLAGS.unparse_flags()
  flags.FLAGS["config"].value = None
  sys.argv = ["launch.py", *words]
  commandline._parse("config", sys.argv)
  config = commandline.resolve(_FLAG)
  commandline.default_workdir(_FLAG)
  if config_files.kind(config) == "experiment":
    experiment_settings.read(config)


def _is_harmless(word: str) -> bool:
  name, _, value = word.lstrip("-").partition("=")
  if name == "config":
    return value.partition(":")[0] in _CONFIGS
  return name not in _EXCLUDED
