"""Estimates the time of Tables I-IV on the machine of the benchmark, and on a GPU that was not measured.

  python -m benchmarks.paper_estimate results/benchmark.json

`mtl_hsi.reproduction.cost` counts the floating-point operations of the runs. Their speed is that of ten
networks in the benchmark. The estimate for the GPU assumes that they reach the same share of its peak float32
speed, or a third of that share, because small products use a GPU less well. Every run takes another minute
for loading, compilation and the report.
"""

import argparse
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from benchmarks.job import MANY, NETWORKS, Work
from benchmarks.our_side import config, prepare
from configs import paper
from mtl_hsi.experiment import problem
from mtl_hsi.reproduction import cost, paper_grid

# Peak float32 speed without tensor cores, from the data sheet.
GPU, GPU_SPEED = "NVIDIA H100 SXM", 67e12
RUN_SECONDS = 60


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument("benchmark", type=Path, help="JSON file of benchmarks.run")
  results = json.loads(parser.parse_args().benchmark.read_text())
  plan = paper_grid.make_plan(paper.get_config("tables"))
  medians = {row["what"]: row["median"] for row in results["rows"] if row["who"] in ("ours", "machine")}
  here = {network: epoch_flop(network) / medians[training(network)] for network in NETWORKS}
  share = {network: speed / (1e9 * medians["matmul"]) for network, speed in here.items()}
  flop = by_model(plan.flop)
  machine = results["machine"]
  print(f"{len(plan.flop)} runs, {sum(flop.values()) / 1e15:.1f} PFLOP in networks; estimated:")
  for where, speeds in {
    f"{machine['cpu']}, {machine['cores']} cores": here,
    f"{GPU}, the same share of {GPU_SPEED / 1e12:.0f} TFLOP/s": {
      n: GPU_SPEED * fraction for n, fraction in share.items()
    },
    f"{GPU}, a third of that share": {n: GPU_SPEED * fraction / 3 for n, fraction in share.items()},
  }.items():
    print(f"{hours(flop, speeds, len(plan.flop)):8.1f} h  {where}")


def training(network: str) -> str:
  """Returns the name of the benchmark's row for training ten networks."""
  return Work("train", network, replicas=MANY).what


def by_model(flop: Mapping[str, float]) -> Counter:
  """Sums the operations of the runs, by name, to operations by network; SVMs are negligible."""
  totals = Counter()
  for run, count in flop.items():
    totals[run.partition("-")[0]] += count
  return Counter({network: totals[network] for network in NETWORKS})


def epoch_flop(network: str) -> float:
  """Returns the operations that `cost` counts for an epoch of one network in the benchmark."""
  prepared = prepare(config(network, 1))
  counts = problem.training_set(prepared.given).counts[0]
  return cost.training(
    prepared.given.network,
    counts.tolist(),
    batch_size=prepared.settings.training.batch_size,
    mixed=prepared.settings.training.mixed,
    drop_last=prepared.settings.training.drop_last,
    epochs=1,
  )


def hours(flop: Mapping[str, float], speeds: Mapping[str, float], runs: int) -> float:
  """Returns the hours of all runs.

  Args:
    flop: floating-point operations by network.
    speeds: operations per second by network.
    runs: number of runs.
  """
  return (sum(count / speeds[network] for network, count in flop.items()) + RUN_SECONDS * runs) / 3600


if __name__ == "__main__":
  main()
