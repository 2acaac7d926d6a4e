"""The whole run of a peer: `python -m benchmarks.whole_run keras job.npz out.json`.

Every replica is trained according to the schedule, and its snapshots vote on every pixel. `--short` does a
part of this, from which the time of the whole is estimated.
"""

import argparse
import contextlib
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks import job as jobs
from benchmarks.job import Job, usable_cores

# Rows of the scene in a batch: the fastest ones in classification (results/benchmark.json).
_KERAS_ROWS, _PYTORCH_ROWS = 2, 16
# Two snapshots, because the first epoch and classification include one-time costs.
_SHORT_EPOCHS, _SHORT_SNAPSHOTS = 1, 2


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__)
  parser.add_argument("who", choices=("keras", "pytorch"))
  parser.add_argument("job", type=Path)
  parser.add_argument("out", type=Path)
  parser.add_argument("--short", action="store_true")
  arguments = parser.parse_args()
  job = jobs.load(arguments.job)
  facts = {"keras": _keras, "pytorch": _pytorch}[arguments.who](job, arguments.short)
  arguments.out.write_text(json.dumps(facts))


def _keras(job, short):
  """Runs one network after another."""
  from benchmarks import keras_peer

  def network(replica):
    model = keras_peer.Model(job, None)
    training = keras_peer.Training(model, job.samples(replica), job.batch_size)
    width = job.padded[0].shape[1] - job.patch + 1
    return _network(job, training, lambda: model.classify(job.padded[0], _KERAS_ROWS * width), short)

  return _facts([network(replica) for replica in range(1 if short else job.replicas)], job, short, 1)


def _pytorch(job, short):
  """Runs a single-threaded network on each core at a time; on a GPU, one after another."""
  from benchmarks import pytorch_peer

  on_gpu = pytorch_peer.DEVICE.type == "cuda"
  layout = pytorch_peer.LAYOUTS["channels last"]
  cores = 1 if on_gpu else usable_cores()

  def network(replica):
    model = pytorch_peer.Model(job, None, layout)
    training = pytorch_peer.Training(model, job.samples(replica), job.batch_size)
    return _network(job, training, lambda: model.classify(job.padded[0], _PYTORCH_ROWS), short)

  count = min(cores, job.replicas) if short else job.replicas
  runs = [lambda replica=replica: network(replica) for replica in range(count)]
  return _facts(pytorch_peer.side_by_side(runs, cores)(), job, short, cores)


def _network(job: Job, training, classify: Callable[[], np.ndarray], short: bool) -> dict[str, float]:
  """Trains and classifies; returns the seconds of a late epoch and of the last classification."""
  seconds, votes = {}, []
  for phase, epochs in enumerate(job.epochs):
    training.model.start_phase(phase)
    training.epochs(_SHORT_EPOCHS if short else epochs)
  for _ in range(_SHORT_SNAPSHOTS if short else job.snapshots):
    with _clock(seconds, "epoch"):
      training.epochs(job.snapshot_epochs)
    with _clock(seconds, "classify"):
      votes.append(classify())
  # Among tied classes, the smallest wins.
  np.argmax([np.sum(np.equal(votes, index), axis=0) for index in range(job.class_counts[0])], axis=0)
  return {**seconds, "epoch": seconds["epoch"] / job.snapshot_epochs}


@contextlib.contextmanager
def _clock(seconds, name):
  start = time.perf_counter()
  yield
  seconds[name] = time.perf_counter() - start


def _facts(networks, job, short, at_a_time):
  """Returns the estimated seconds of the work that was omitted."""
  if not short:
    return {"left_out": 0.0}
  done = len(networks)
  epoch, classify = (float(np.mean([times[name] for times in networks])) for name in ("epoch", "classify"))
  all_epochs = sum(job.epochs) + job.snapshots * job.snapshot_epochs
  done_epochs = len(job.epochs) * _SHORT_EPOCHS + _SHORT_SNAPSHOTS * job.snapshot_epochs
  epochs = job.replicas * all_epochs - done * done_epochs
  snapshots = job.replicas * job.snapshots - done * _SHORT_SNAPSHOTS
  return {"left_out": (epochs * epoch + snapshots * classify) / at_a_time}


if __name__ == "__main__":
  main()
