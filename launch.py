"""Trains, adapts and applies networks: python launch.py --config=configs/mtl.py:pu_all.

The configs are configs/quickstart.py, own.py, best.py, fields.py, letter.py, predict.py, adapt.py,
assess_draw.py, assess_estimate.py, report.py, export.py, compare.py, mtl.py, paper.py and rehearsal.py. Some
have an argument after a colon. --config=<file> --help describes a config and lists its keys,
--config.<key>=<value> changes a key, and docs/configs.md explains all keys. The command mtl-hsi does the same
with shorter options.
"""

import sys

from mtl_hsi.commands import launching

_FLAGS = launching.define_flags()

if __name__ == "__main__":
  launching.main(_FLAGS, sys.argv)
