"""Config files: loading them, the kinds of requests that they make, and their keys."""

import importlib.util
import inspect
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ml_collections import config_dict

from mtl_hsi.errors import RequestError
from mtl_hsi.settings import config_keys

# Keys that distinguish the kinds of configs, or that are read before a config is checked as a whole.
_NEEDED = {
  "draw": {"map", "allocation"},
  "prediction": {"run", "image"},
  "estimate": {"map", "sample"},
  "adaptation": {"run", "stem", "optimizer.name", "replicas"},
  "report": {"report_of"},
  "export": {"export_of"},
  "comparison": {"runs", "output"},
  "grid": {"tables", "optimizer.name", "replicas"},
  "experiment": {"optimizer.name", "replicas"},
}


def kind(config: config_dict.ConfigDict) -> str:
  """Returns what a config requests: a "grid" of experiments (configs/paper.py), a "prediction"
  (configs/predict.py), the "draw" of a sample or an "estimate" from it (configs/assess_*.py), an "adaptation"
  (configs/adapt.py), a "report" (configs/report.py), an "export" (configs/export.py), a "comparison"
  (configs/compare.py) or an "experiment"; "" for any other ConfigDict.
  """
  keys = config_keys.kinds(config).keys()
  return next((name for name, needed in _NEEDED.items() if keys >= needed), "")


def file(argument: str) -> Path:
  """Returns the path of a config file that is given with its argument, `<file>.py[:<argument>]`.

  Raises:
    RequestError: there is no such file.
  """
  path = Path(config_keys.split_argument(argument)[0]).absolute()
  if path.suffix != ".py" or not path.is_file():
    raise RequestError(f"no config file {path}; expected a Python file, such as configs/mtl.py")
  return path


def load(argument: str) -> config_dict.ConfigDict:
  """Returns the config of a file and its argument, `<file>.py[:<argument>]`.

  Raises:
    RequestError: the file is missing or no config, or fails.
  """
  _, colon, cell = config_keys.split_argument(argument)
  path = file(argument)
  try:
    config = _call(path, [cell] if colon else [])
  except RequestError:
    raise
  # The file is a program and can raise anything.
  except Exception as error:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    place = f" at line {lines[-1]}" if lines else ""
    raise RequestError(f"config {path} failed{place}: {type(error).__name__}: {error}") from error
  if not isinstance(config, config_dict.ConfigDict) or not kind(config):
    raise RequestError(
      f"config {path}: get_config must return a ConfigDict that is derived from the one in configs/common.py"
    )
  return config


def _call(path: Path, arguments: Sequence[str]) -> Any:
  spec = importlib.util.spec_from_file_location("config", path)
  module = importlib.util.module_from_spec(spec)
  spec.loader.exec_module(module)
  if not hasattr(module, "get_config"):
    raise RequestError(f"config {path} has no function get_config")
  try:
    inspect.signature(module.get_config).bind(*arguments)
  except TypeError as error:
    verb = "takes no" if arguments else "needs an"
    raise RequestError(f"config {path} {verb} argument after a colon") from error
  return module.get_config(*arguments)


def list_keys(argument: str) -> list[str]:
  """Returns the keys of a config with their values, such as "seed = 0".

  Args:
    argument: the config as given on the command line, `<file>.py[:<argument>]`.

  Raises:
    RequestError: the file is no config.
  """
  return [f"{path} = {value!r}" for path, _, value in config_keys.leaves(load(argument))]


def keys_like(option: str, argument: str | None, exactly: bool = False) -> list[str]:
  """Returns the keys of a config that somebody may mean by an option such as "batch-size".

  Args:
    option: name of the option, without leading dashes.
    argument: the config as given on the command line; None or no config has no keys.
    exactly: whether similar names do not count.
  """
  try:
    known = config_keys.kinds(load(argument)) if argument else ()
  except RequestError:
    return []
  return config_keys.meant_by_last_part(option.replace("-", "_"), list(known), 1.0 if exactly else 0.7)
