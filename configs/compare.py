"""Compares finished runs: accuracies with paired differences, maps, config keys that differ.

  python launch.py --config=configs/compare.py --config.runs=runs/a --config.runs=runs/b \\
    --config.output=runs/comparison

The first run is the reference of all differences. The directory `output` then has

  comparison.html   one page with accuracies, maps side by side and differing config keys
  accuracies.csv    the accuracies of every scene and run, and their differences from the first run
  configs.csv       the config keys that differ

Runs with other scenes or test pixels are listed without a difference.
docs/research.md explains how runs are paired.
"""

from ml_collections import config_dict


def get_config() -> config_dict.ConfigDict:
  """Returns the keys of a comparison."""
  config = config_dict.ConfigDict()
  # Work directories of two or more finished runs, the reference first.
  config.runs = ()
  # Directory to write to; the files of an earlier comparison are replaced.
  config.output = ""
  return config
