"""Compares our speed with that of the author's design in Keras and in PyTorch, in one run.

  make bench
  python -m benchmarks.run --out=results/benchmark.json --plot=results/benchmark.png

benchmarks/README.md explains the comparison, and why it is fair.
"""

import argparse
import dataclasses
import functools
import importlib.metadata
import itertools
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import default_rows, same_job, whole_processes
from benchmarks import rows as make
from benchmarks.job import MANY, MATMUL, MATMUL_SIZE, NETWORKS, Work, usable_cores
from benchmarks.timing import Contender, interleave
from benchmarks.workers import Workers
from mtl_hsi.errors import RequestError
from mtl_hsi.storage import atomic_files

_SCENES = 1, 4
_PACKAGES = "torch", "tensorflow", "tensorflow-cpu", "keras"


def main() -> None:
  arguments = _arguments()
  try:
    for results in measure(arguments):
      if arguments.out:
        atomic_files.write_bytes(arguments.out, (json.dumps(results, indent=2) + "\n").encode())
  except RequestError as error:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(2)
  print("\nAll calls timed in turns; the first one compiles and does not count")
  print(make.table(results["variants"]))
  print("\nBest variant of every side")
  print(make.table(results["rows"]))
  if arguments.plot:
    from benchmarks import plot

    arguments.plot.parent.mkdir(parents=True, exist_ok=True)
    plot.draw(results, arguments.plot)


def _arguments():
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument("--repeats", type=int, default=7, help="timed rounds (default: 7)")
  parser.add_argument("--runs", type=int, default=1, help="rounds of end_to_end, minutes each (default: 1)")
  parser.add_argument("--quick", action="store_true", help="estimate end_to_end from short runs")
  parser.add_argument("--only", default="", help="measures rows that start with this, such as train/ccnn")
  parser.add_argument(
    "--who", default=",".join(make.SIDES), help=f"sides, including ours (default: {','.join(make.SIDES)})"
  )
  parser.add_argument("--out", type=Path, help="JSON file for the results")
  parser.add_argument("--plot", type=Path, help="PNG file for the plot")
  arguments = parser.parse_args()
  arguments.who = tuple(arguments.who.split(","))
  if "ours" not in arguments.who or not set(arguments.who) <= set(make.SIDES):
    parser.error(f"--who is {','.join(arguments.who)}; expected ours and any of {', '.join(make.PEERS)}")
  if min(arguments.repeats, arguments.runs) < 1:
    parser.error("--repeats and --runs must be at least 1")
  return arguments


def measure(arguments: argparse.Namespace) -> Iterator[dict]:
  """Measures the requested rows.

  Yields:
    {"machine", "rows", "variants"} so far, after every part, because a later part may fail after an hour.

  Raises:
    RequestError: a side fails, or does not do the same job.
  """
  rows, variants = [], []
  load = os.getloadavg()[0]
  with tempfile.TemporaryDirectory() as name, Workers(Path(name), arguments.who, usable_cores()) as workers:
    machine = _machine(workers, load)
    workers.device = machine["backend"]
    parts = [
      *_in_turns(workers, arguments),
      *default_rows.in_turns(workers, arguments.repeats),
      *_whole_processes(workers, Path(name, "job-hresnet-1.npz"), arguments),
      *default_rows.whole_processes(workers, arguments.who, arguments.repeats, arguments.runs),
    ]
    for names, part in parts:
      if any(what.startswith(arguments.only) for what in names):
        measured, found = part()
        variants += [make.of_contender(contender) for contender in measured]
        rows = _once([*rows, *(row for row in found if row["what"].startswith(arguments.only))])
        yield {"machine": machine, "rows": rows, "variants": variants}
  if not rows:
    raise RequestError(f"no row starts with --only={arguments.only}; benchmarks/README.md lists the rows")


def _in_turns(workers, arguments):
  """Yields the rows and the function of every job that the processes of the sides do in turns."""
  for scenes, network in itertools.product(_SCENES, NETWORKS):
    works = [Work("train", network, scenes, replicas) for replicas in (1, MANY)]
    with_product = (MATMUL.what, f"train/{network}/share") if scenes == 1 else ()
    names = [*(work.what for work in works), *with_product]
    yield names, functools.partial(_training, workers, works, arguments.repeats)
  for network in NETWORKS:
    works = [Work("classify", network, replicas=replicas) for replicas in (1, MANY)]
    yield [work.what for work in works], functools.partial(_classification, workers, works, arguments.repeats)


def _whole_processes(workers, job, arguments):
  """Yields the rows and the function of measurements of new processes; those of the sides end before."""
  sides = [who for who in arguments.who if who in make.LETTER_SIDES]

  def starts():
    prepare()
    return [], whole_processes.starts(sides, job, arguments.repeats)

  def end_to_end():
    prepare()
    return [], whole_processes.end_to_end(sides, job, arguments.runs, arguments.quick)

  def prepare():
    workers.get("ours").ask("prepare", "hresnet", 1)
    workers.stop()

  yield ("start/cold", "start/warm"), starts
  yield ("end_to_end", "memory"), end_to_end


def _machine(workers, load):
  command = ["python", "-m", "benchmarks.run", *sys.argv[1:]]
  machine = {**workers.get("ours").ask("machine", command), "load_average": load}
  machine["packages"] |= dict(_versions())
  print(
    f"{machine['cpu']}, {machine['cores']} cores, {machine['backend']}, load average {load:.1f}", flush=True
  )
  return machine


def _training(workers: Workers, works: Sequence[Work], repeats: int) -> tuple[list[Contender], list[dict]]:
  """Times an epoch of one network and of ten and, with one scene, in turns with them a matrix product."""
  one, many = works
  flop = workers.get("ours").ask("prepare", one.network, one.scenes)
  contenders = []
  for work in (*([MATMUL] if one.scenes == 1 else []), *works):
    for who in workers.sides:
      contenders += workers.get(who, work.replicas if who == "ours" else 1).contenders(work)
  interleave(contenders, repeats, one.what.rpartition("/")[0])
  workers.forget()
  rivals = contenders + _one_after_another(contenders, one, many)
  rows = [row for work in works for row in make.comparison(rivals, work.what)]
  if one.scenes == 1:
    share = make.shares(rivals, many.what, f"train/{one.network}/share", flop, MATMUL_SIZE)
    rows = [make.product_speed(rivals, MATMUL_SIZE), *rows, *share]
  return contenders, rows


def _classification(
  workers: Workers, works: Sequence[Work], repeats: int
) -> tuple[list[Contender], list[dict]]:
  """Times the classification of all pixels by one network and by ten; the labels must match the peers'."""
  one, many = works
  workers.get("ours").ask("prepare", one.network, 1)
  workers.get("ours").ask("learn", one.network)
  contenders = []
  for work in works:
    for who in workers.sides:
      contenders += workers.get(who, work.replicas if who == "ours" else 1).contenders(work)
  interleave(contenders, repeats, many.what)
  (ours,) = (c.result() for c in contenders if c.who == "ours" and c.what == one.what)
  for contender in contenders:
    if contender.who in make.PEERS:
      print(same_job.check_labels(ours[0], contender.result(), contender.who), flush=True)
  workers.forget()
  rivals = contenders + _one_after_another(contenders, one, many)
  return contenders, [row for work in works for row in make.comparison(rivals, work.what)]


def _one_after_another(contenders, one, many):
  """Returns contenders for ten networks from the peers' results for one: ten times the same work."""
  return [
    dataclasses.replace(contender, what=many.what, variant=f"{contender.variant}, one after another")
    for contender in contenders
    if contender.what == one.what and contender.who in make.PEERS
  ]


def _once(rows):
  """Returns the first of rows with equal names; the product is timed beside every network."""
  seen = {}
  for one in rows:
    seen.setdefault((one["what"], one["who"]), one)
  return list(seen.values())


def _versions():
  for name in _PACKAGES:
    try:
      yield name, importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
      continue


if __name__ == "__main__":
  main()
