"""HResNet on Indian Pines on the CPU: our speed in training, and in classification, beside PyTorch's.

  .venv-bench/bin/python -m benchmarks.training_speed --classify --out=training_speed.json

benchmarks/README.md has the installation, and says what is compared and why that is fair.
"""

import argparse
import datetime
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np
import torch

from benchmarks import contenders
from benchmarks.job import flop_per_epoch, prepare
from benchmarks.our_side import OurTraining
from benchmarks.same_job import check_labels, check_network_and_step
from benchmarks.timing import Contender, best, interleave, row
from mtl_hsi import devices


def main() -> None:
  arguments = _arguments()
  machine = _machine(datetime.datetime.now().astimezone())
  print(f"{machine['cpu']}, {machine['cores']} cores, load average {machine['load_average']:.1f}", flush=True)
  measured, rows = _measure(arguments.repeats, machine["cores"], arguments.classify)
  variants = [_row_of(own) for own in measured]
  print("Everything measured; the first call compiles and does not count")
  _print(variants)
  print("The best of each, compared round by round")
  _print(rows)
  if arguments.out:
    results = {"machine": machine, "rows": rows, "variants": variants}
    arguments.out.write_text(json.dumps(results, indent=2) + "\n")


def _arguments():
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument("--repeats", type=int, default=7, help="timed calls of every contender (default: 7)")
  parser.add_argument("--classify", action="store_true", help="also classify the whole scene")
  parser.add_argument("--out", type=Path, help="JSON file for the results")
  return parser.parse_args()


def _machine(started):
  load = os.getloadavg()[0]
  jax.config.update("jax_platforms", "cpu")
  devices.configure(Path(".compile_cache"), networks=1)
  command = ["python", "-m", "benchmarks.training_speed", *sys.argv[1:]]
  return {**devices.environment(command, started), "torch": torch.__version__, "load_average": load}


def _measure(repeats, cores, classify):
  """All contenders, timed, and the rows that sum them up."""
  job = prepare()
  check_network_and_step(job)
  ours = {contenders.ONE: OurTraining(job, 1), contenders.MANY: OurTraining(job, job.options.replicas)}
  measured = contenders.products(cores) + contenders.training(ours, job, cores)
  interleave(measured, repeats)
  one = ours[contenders.ONE]
  rows = _training_rows(measured, flop_per_epoch(job))
  if classify:
    rivals = contenders.classification(one, job, cores)
    interleave(rivals, repeats)
    check_labels(*(np.squeeze(own.run()) for own in rivals))
    measured, rows = measured + rivals, rows + _rows_of_job(contenders.CLASSIFY, rivals)
  return measured, rows


def _training_rows(measured: Sequence[Contender], flop: int) -> list[dict]:
  """Speed of a large product, seconds and ratios of training, and the share of that speed."""
  product = best(measured, "machine")
  speed = 2 * contenders.MATMUL_SIZE**3 / product.seconds / 1e9
  alone, many = ([own for own in measured if own.what == what] for what in (contenders.ONE, contenders.MANY))
  # PyTorch may train its ten networks one after another, too.
  many += [own for own in alone if own.who == "pytorch"]
  shares = [
    row("train/hresnet/share", own.who, own.variant, flop / 1e9 / own.seconds / speed, "of matmul")
    for own in (best(many, "ours"), best(many, "pytorch"))
  ]
  return [
    row(contenders.MATMUL, "machine", product.variant, speed, "GFLOP/s"),
    *_rows_of_job(contenders.ONE, alone),
    *_rows_of_job(contenders.MANY, many),
    *shares,
  ]


def _rows_of_job(what, rivals):
  ours, peer = best(rivals, "ours"), best(rivals, "pytorch")
  ratio = row(f"{what}/ratio", "ours", ours.variant, peer.seconds / ours.seconds, "x PyTorch")
  return [{**_row_of(own), "what": what} for own in (ours, peer)] + [ratio]


def _row_of(own):
  return {**row(own.what, own.who, own.variant, own.seconds, "s"), "first_call": own.first}


def _print(rows):
  print(f"{'':32} {'':8} {'median':>8} {'min':>8} {'max':>8} {'first':>8}")
  for own in rows:
    keys = "median", "min", "max", "first_call"
    numbers = [f"{own[key]:8.3f}" if key in own else " " * 8 for key in keys]
    print(f"{own['what']:32} {own['who']:8} {' '.join(numbers)} {own['unit']:10} {own['variant']}")


if __name__ == "__main__":
  main()
