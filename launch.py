"""Runs an experiment: python launch.py --config=configs/mtl.py:pu_all [--config.<key>=<value> ...]."""

import sys
from pathlib import Path

from absl import flags

from mtl_hsi import commandline

_CONFIG = commandline.define_config("config", "Config file, with its argument behind a colon.")
_WORKDIR = flags.DEFINE_string(
  "workdir", None, "Where results go; by default under runs/, named after the config."
)
_COMPILE_CACHE = flags.DEFINE_string(
  "compile_cache", None, "Compiled programs; by default beside the work directory."
)


def main(_):
  config = commandline.resolve(_CONFIG)
  workdir = Path(_WORKDIR.value) if _WORKDIR.value else commandline.default_workdir(_CONFIG)
  # JAX is imported only when the request has proved readable.
  from mtl_hsi import devices

  cache = Path(_COMPILE_CACHE.value or workdir.absolute().parent / ".compile_cache")
  devices.configure(cache, config.replicas)
  from mtl_hsi import experiment

  experiment.run(config, workdir, sys.argv)


if __name__ == "__main__":
  commandline.main(main)
