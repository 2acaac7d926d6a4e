"""Our speed beside the letter author's design in Keras and in PyTorch, in one run.

  make bench
  python -m benchmarks.run --out=results/benchmark.json --plot=results/benchmark.png

benchmarks/README.md says what is compared and why that is fair.
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

from benchmarks import rows as make
from benchmarks import same_job, whole_processes
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
  print("\nEverything timed in turns; the first call compiles and does not count")
  print(make.table(results["variants"]))
  print("\nThe best of every side")
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
  parser.add_argument("--only", default="", help="rows whose name starts so, such as train/ccnn")
  parser.add_argument(
    "--who", default=",".join(make.SIDES), help=f"sides, ours among them (default: {','.join(make.SIDES)})"
  )
  parser.add_argument("--out", type=Path, help="JSON file for the results")
  parser.add_argument("--plot", type=Path, help="PNG file for the plot")
  arguments = parser.parse_args()
  arguments.who = tuple(arguments.who.split(","))
  if "ours" not in arguments.who or not set(arguments.who) <= set(make.SIDES):
    parser.error(f"--who is {','.join(arguments.who)}; expected ours and any of {', '.join(make.PEERS)}")
  if min(arguments.repeats, arguments.runs) < 1:
    parser.error("--repeats and --runs are at least 1")
  return arguments


def measure(arguments: argparse.Namespace) -> Iterator[dict]:
  """Measures what is asked for.

  Yields:
    {"machine", "rows", "variants"} so far, after every part: what comes late may fail after an hour.

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
      *_whole_processes(workers, Path(name, "job-hresnet-1.npz"), arguments),
    ]
    for names, part in parts:
      if any(own.startswith(arguments.only) for own in names):
        measured, own = part()
        variants += [make.of_contender(contender) for contender in measured]
        rows = _once([*rows, *(row for row in own if row["what"].startswith(arguments.only))])
        yield {"machine": machine, "rows": rows, "variants": variants}
  if not rows:
    raise RequestError(f"--only={arguments.only} is the beginning of no row; benchmarks/README.md has them")


def _in_turns(workers, arguments):
  """Rows and function of every job that the sides' processes do in turns."""
  for scenes, network in itertools.product(_SCENES, NETWORKS):
    works = [Work("train", network, scenes, replicas) for replicas in (1, MANY)]
    with_product = (MATMUL.what, f"train/{network}/share") if scenes == 1 else ()
    names = [*(work.what for work in works), *with_product]
    yield names, functools.partial(_training, workers, works, arguments.repeats)
  for network in NETWORKS:
    works = [Work("classify", network, replicas=replicas) for replicas in (1, MANY)]
    yield [work.what for work in works], functools.partial(_classification, workers, works, arguments.repeats)


def _whole_processes(workers, job, arguments):
  """Rows and function of what takes a process of its own; those of the sides end before."""

  def starts():
    prepare()
    return [], whole_processes.starts(arguments.who, job, arguments.repeats)

  def end_to_end():
    prepare()
    return [], whole_processes.end_to_end(arguments.who, job, arguments.runs, arguments.quick)

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
  """An epoch of one network and of ten, in turns with a product where there is one scene."""
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
  """Every pixel by one network and by ten, whose labels have to agree with those of the peers."""
  one, many = works
  workers.get("ours").ask("prepare", one.network, 1)
  workers.get("ours").ask("learn", one.network)
  contenders = []
  for work in works:
    for who in workers.sides:
      contenders += workers.get(who, work.replicas if who == "ours" else 1).contenders(work)
  interleave(contenders, repeats, many.what)
  (ours,) = (own.result() for own in contenders if own.who == "ours" and own.what == one.what)
  for own in contenders:
    if own.who in make.PEERS:
      print(same_job.check_labels(ours[0], own.result(), own.who), flush=True)
  workers.forget()
  rivals = contenders + _one_after_another(contenders, one, many)
  return contenders, [row for work in works for row in make.comparison(rivals, work.what)]


def _one_after_another(contenders, one, many):
  """How the peers may do for ten networks what they do for one."""
  return [
    dataclasses.replace(own, what=many.what, variant=f"{own.variant}, one after another")
    for own in contenders
    if own.what == one.what and own.who in make.PEERS
  ]


def _once(rows):
  """The first of the rows with equal names; the product is timed beside every network."""
  seen = {}
  for own in rows:
    seen.setdefault((own["what"], own["who"]), own)
  return list(seen.values())


def _versions():
  for name in _PACKAGES:
    try:
      yield name, importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
      continue


if __name__ == "__main__":
  main()
