"""Our speed beside the paper author's design in Keras and in PyTorch, in one run.

  make bench
  python -m benchmarks.run --out=results/benchmark.json --plot=results/benchmark.png

benchmarks/README.md says what is compared and why that is fair.
"""

import argparse
import dataclasses
import importlib.metadata
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import rows as make
from benchmarks import same_job, whole_processes
from benchmarks.job import MANY, MATMUL, MATMUL_SIZE, NETWORKS, Work, usable_cores
from benchmarks.timing import Contender, interleave
from benchmarks.workers import Workers
from mtl_hsi.errors import RequestError

_SCENES = 1, 4
_PACKAGES = "torch", "tensorflow", "tensorflow-cpu", "keras"
_STARTS = "start/cold", "start/warm"
_WHOLE = "end_to_end", "memory"


def main() -> None:
  arguments = _arguments()
  try:
    results = measure(arguments)
  except RequestError as error:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(2)
  print("\nEverything timed; the first call compiles and does not count")
  print(make.table(results["variants"]))
  print("\nThe best of every side")
  print(make.table(results["rows"]))
  if arguments.out:
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(results, indent=2) + "\n")
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


def measure(arguments: argparse.Namespace) -> dict:
  """Everything asked for: {"machine", "rows", "variants"}.

  Raises:
    RequestError: a side fails, or does not do the same job.
  """

  def wanted(*names):
    return any(name.startswith(arguments.only) for name in names)

  load = os.getloadavg()[0]
  cores = usable_cores()
  rows, variants = [], []
  with tempfile.TemporaryDirectory() as name:
    with Workers(Path(name), arguments.who, cores) as workers:
      command = ["python", "-m", "benchmarks.run", *sys.argv[1:]]
      machine = {**workers.get("ours").ask("machine", command), "load_average": load}
      machine["packages"] |= dict(_versions())
      workers.device = machine["backend"]
      print(f"{machine['cpu']}, {cores} cores, {machine['backend']}, load average {load:.1f}", flush=True)
      for network, scenes in [(network, scenes) for scenes in _SCENES for network in NETWORKS]:
        works = [Work("train", network, scenes, replicas) for replicas in (1, MANY)]
        with_product = (MATMUL.what, f"train/{network}/share") if scenes == 1 else ()
        if wanted(*(work.what for work in works), *with_product):
          measured, own = _training(workers, works, arguments.repeats)
          variants, rows = variants + measured, rows + own
      for network in NETWORKS:
        work = Work("classify", network)
        if wanted(work.what):
          measured, own = _classification(workers, work, arguments.repeats)
          variants, rows = variants + measured, rows + own
      job = Path(name, "whole.npz")
      if wanted(*_STARTS, *_WHOLE):
        workers.get("ours").ask("prepare", "hresnet", 1)
        Path(name, "job-hresnet-1.npz").rename(job)
    if wanted(*_STARTS):
      rows += whole_processes.starts(arguments.who, job, arguments.repeats)
    if wanted(*_WHOLE):
      rows += whole_processes.end_to_end(arguments.who, job, arguments.runs, arguments.quick)
  rows = [own for own in _once(rows) if own["what"].startswith(arguments.only)]
  return {"machine": machine, "rows": rows, "variants": [make.of_contender(own) for own in variants]}


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
  # The peers may train their ten networks one after another, too.
  reused = [
    dataclasses.replace(own, what=many.what, variant=f"{own.variant}, one after another")
    for own in contenders
    if own.what == one.what and own.who in make.PEERS
  ]
  rivals = contenders + reused
  rows = [row for work in works for row in make.comparison(rivals, work.what)]
  if one.scenes == 1:
    share = make.shares(rivals, many.what, f"train/{one.network}/share", flop, MATMUL_SIZE)
    rows = [make.product_speed(rivals, MATMUL_SIZE), *rows, *share]
  return contenders, rows


def _classification(workers: Workers, work: Work, repeats: int) -> tuple[list[Contender], list[dict]]:
  """Every pixel by equal networks, whose labels have to agree."""
  workers.get("ours").ask("prepare", work.network, 1)
  workers.get("ours").ask("learn", work.network)
  contenders = workers.get("ours", MANY).contenders(work)
  numbered = [(who, own) for who in workers.sides for own in workers.get(who).contenders(work)]
  contenders += [own for _, own in numbered]
  interleave(contenders, repeats, work.what)
  labels = {}
  for who, own in numbered:
    labels.setdefault(who, []).append(own.result())
  for who in workers.sides:
    for own in labels[who] if who in make.PEERS else ():
      print(same_job.check_labels(labels["ours"][0][0], own, who), flush=True)
  workers.forget()
  return contenders, make.comparison(contenders, work.what)


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
