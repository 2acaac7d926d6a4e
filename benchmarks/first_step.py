"""Prints the time at which the first training step ends: `python -m benchmarks.first_step ours job.npz`."""

import sys
from pathlib import Path

from benchmarks import job as jobs
from benchmarks.job import MANY

DONE = "trained"


def main(who: str, path: str) -> None:
  {"ours": _ours, "default": _default, "keras": _keras, "pytorch": _pytorch}[who](Path(path))
  print(DONE, flush=True)


def _ours(_):
  """Trains ten networks of `configs/mtl.py:in`; the program of an epoch here has a single step."""
  from benchmarks import our_side
  from mtl_hsi.runtime import devices

  devices.configure(Path(".compile_cache"), MANY)
  our_side.OurTraining(our_side.prepare(our_side.config("hresnet", 1)), MANY, steps=1).epochs(1)


def _default(_):
  """Trains ten context networks of the default recipe in the same way."""
  from benchmarks import our_default, our_side
  from mtl_hsi.runtime import devices

  devices.configure(Path(".compile_cache"), MANY)
  our_side.OurTraining(our_side.prepare(our_default.config()), MANY, steps=1).epochs(1)


def _keras(path):
  from benchmarks import keras_peer

  job = jobs.load(path)
  keras_peer.Training(keras_peer.Model(job, None), job.samples(0), job.batch_size).first_step()


def _pytorch(path):
  from benchmarks import pytorch_peer

  job = jobs.load(path)
  model = pytorch_peer.Model(job, None, pytorch_peer.LAYOUTS["channels last"])
  pytorch_peer.Training(model, job.samples(0), job.batch_size).first_step()


if __name__ == "__main__":
  main(*sys.argv[1:])
