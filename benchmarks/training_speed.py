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
from benchmarks.our_side import OurTraining, flop_per_epoch, mirrored_patches
from benchmarks.same_job import check_labels, check_network_and_step
from benchmarks.timing import Contender, best, interleave, row
from configs import mtl
from mtl_hsi import devices, patches, problem, settings


def main() -> None:
  arguments = _arguments()
  machine = _machine(datetime.datetime.now().astimezone())
  torch.set_num_threads(machine["cores"])
  print(f"{machine['cpu']}, {machine['cores']} cores, load average {machine['load_average']:.1f}", flush=True)
  measured, rows = _measure(arguments.repeats, machine["cores"], arguments.classify)
  _print(rows)
  if arguments.out:
    results = {"machine": machine, "rows": rows, "variants": [_row_of(own) for own in measured]}
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
  devices.configure(Path(".compile_cache"))
  command = ["python", "-m", "benchmarks.training_speed", *sys.argv[1:]]
  return {**devices.environment(command, started), "torch": torch.__version__, "load_average": load}


def _measure(repeats, cores, classify):
  """All contenders, timed, and the rows that sum them up."""
  config = mtl.get_config("in")
  options = settings.read(config)
  given = problem.prepare(options)
  network = given.network
  pixels, (padded,) = patches.lay_out(problem.layers(given), network.patch)
  sets = [mirrored_patches(given, pixels, replica) for replica in range(options.replicas)]
  rate, constants = config.phases.phase1.learning_rate, config.optimizer
  adadelta = {"lr": rate, "rho": constants.rho, "eps": constants.eps}
  check_network_and_step(
    network, options.make_optimizer, *(part[:: len(part) // options.batch_size] for part in sets[0]), adadelta
  )
  ours = {
    contenders.ONE: OurTraining(options, given, pixels, 1),
    contenders.MANY: OurTraining(options, given, pixels, options.replicas),
  }
  measured = contenders.products() + contenders.training(
    ours, sets, batch_size=options.batch_size, optimizer=adadelta, cores=cores
  )
  interleave(measured, repeats)
  params, _ = ours[contenders.ONE].weights()
  rows = _training_rows(measured, flop_per_epoch(params, network.patch, len(sets[0][1])))
  if classify:
    rivals = contenders.classification(ours[contenders.ONE], padded, network.patch, options.tile_pixels)
    check_labels(*(np.squeeze(own.run()) for own in rivals))
    interleave(rivals, repeats)
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
  """The rows; of times, the excluded first call as well."""
  print(f"{'':32} {'':8} {'median':>8} {'min':>8} {'max':>8} {'first':>8}")
  for own in rows:
    keys = "median", "min", "max", "first_call"
    numbers = [f"{own[key]:8.3f}" if key in own else " " * 8 for key in keys]
    print(f"{own['what']:32} {own['who']:8} {' '.join(numbers)} {own['unit']:10} {own['variant']}")


if __name__ == "__main__":
  main()
