"""Disturbs one experiment in every way, again and again, and compares what it ends with.

  make faults
  .venv/bin/python -m faults.campaign --times=1 --only=kill,full-disk
  .venv/bin/python -m faults.campaign --directory=runs/mine -- --config=configs/own.py:fields ...

A trial starts the experiment in a work directory of its own, inflicts the fault at a moment drawn by --seed,
and starts it again. Behind `--` stand the arguments of launch.py for another experiment. Trials that are done
are not done again. Use a machine that does little else: moments are drawn within the time that the run takes
when nobody disturbs it.
"""

import argparse
import json
import os
import random
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from faults import damage, downloads, kills, places
from faults.experiment import ROOT, Experiment
from faults.trial import IDENTICAL, LOST, MISSED, REFUSED, Fault, Missed, Trial, Verdict
from mtl_hsi.errors import RequestError
from mtl_hsi.storage import atomic_files

FAULTS = {
  "kill": Fault(kills.at_any_moment),
  "sigterm": Fault(kills.terminated),
  "kill-in-checkpoint": Fault(kills.in_a_checkpoint),
  "kill-in-results": Fault(kills.in_the_results),
  "kill-in-classification": Fault(kills.in_classification),
  "kill-in-download": Fault(downloads.in_a_download),
  "full-disk": Fault(places.full_disk),
  "checkpoint-truncated": Fault(damage.of_a_checkpoint(damage.truncate), damages=True),
  "checkpoint-flipped": Fault(damage.of_a_checkpoint(damage.flip), damages=True),
  "checkpoint-file-removed": Fault(damage.of_a_checkpoint(damage.remove), damages=True),
  "checkpoint-emptied": Fault(damage.emptied_checkpoint, damages=True),
  "result-damaged": Fault(damage.of_a_result, damages=True),
  "read-only": Fault(places.read_only),
  "second-process": Fault(places.second_process),
}

# Times that the moment is drawn anew for a run that was over before it.
_DRAWS = 3

# Keys of environment.json that tell nothing of the machine.
_OF_A_START = ("command", "directory", "started", "starts")


def main() -> None:
  arguments = _arguments()
  try:
    rows = run(arguments)
  except RequestError as error:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(2)
  sys.exit(any(row[LOST] or row[MISSED] for row in rows))


def run(arguments: argparse.Namespace) -> list[dict]:
  """Does what is left of a campaign, and writes and prints what has come out.

  Returns:
    For every fault `fault`, `times`, and how many trials ended `identical`, `refused`, `lost` and `missed`.

  Raises:
    RequestError: the experiment fails undisturbed, or the directory has another one's campaign.
  """
  experiment = Experiment(arguments.experiment or _default(arguments), arguments.directory)
  print(f"undisturbed: {experiment.seconds:.0f} s", flush=True)
  arguments.only = [name for name in arguments.only if _possible(name)]
  file = experiment.directory / "trials.jsonl"
  for fault, number in _left(_read(file), arguments):
    done = _try(experiment, fault, number, arguments.seed)
    with file.open("a") as lines:
      lines.write(json.dumps(done) + "\n")
    print(f"{fault} {number}: {done['outcome']}; {done['moment']}; {done['remark']}", flush=True)
  trials = [trial for trial in _read(file) if trial["fault"] in arguments.only]
  rows = _rows(arguments.only, trials)
  if arguments.out:
    atomic_files.write_json(arguments.out, rows)
    details = arguments.out.with_name(f"{arguments.out.stem}_trials.json")
    atomic_files.write_json(details, _details(experiment, trials))
  print(f"\n{table(rows)}")
  return rows


def table(rows: Sequence[dict]) -> str:
  """The rows as Markdown."""
  head = ("fault", "times", "survived, identical", "refused clearly", "lost", "never struck")
  lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
  keys = ("fault", "times", IDENTICAL, REFUSED, LOST, MISSED)
  return "\n".join([*lines, *(f"| {' | '.join(str(row[key]) for key in keys)} |" for row in rows)])


def _arguments():
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument("--times", type=int, default=5, help="trials of every fault (default: 5)")
  parser.add_argument("--only", default=",".join(FAULTS), help=f"some of {','.join(FAULTS)}")
  parser.add_argument("--seed", type=int, default=0, help="of the moments (default: 0)")
  parser.add_argument("--epochs", type=int, default=12, help="of all phases together (default: 12)")
  parser.add_argument(
    "--salinas_a", type=Path, help="file of a second real scene; without it the quickstart's simulated one"
  )
  parser.add_argument(
    "--directory", type=Path, default=Path("runs/faults"), help="for runs and trials (default: runs/faults)"
  )
  parser.add_argument("--out", type=Path, help="JSON file for the table; <out>_trials.json gets the trials")
  parser.add_argument("experiment", nargs="*", help="behind --: launch.py's arguments for another experiment")
  arguments = parser.parse_args()
  arguments.only = arguments.only.split(",")
  unknown = [name for name in arguments.only if name not in FAULTS]
  if unknown:
    parser.error(f"--only has {unknown[0]}; expected some of {', '.join(FAULTS)}")
  return arguments


def _possible(fault):
  """Whether a fault can be inflicted here; says so where it cannot."""
  if FAULTS[fault].inflict is places.read_only and not places.can_forbid_writing():
    print(f"{fault}: left out; root may write anywhere here, and nothing can be mounted")
    return False
  return True


def _default(arguments):
  """Two scenes, two networks, a state saved after every epoch."""
  common = [
    "--config.samples_per_class=5",
    "--config.replicas=2",
    "--config.checkpoint_seconds=0.0",
    "--config.snapshots=(0, 2)",
  ]
  if arguments.salinas_a is None:
    short = ["--config.steps_per_epoch=10", f"--config.phases.phase1.epochs={arguments.epochs}"]
    return ["--config=configs/quickstart.py", *common, *short]
  first = 2 * arguments.epochs // 3
  common += [
    f"--config.phases.phase1.epochs={first}",
    f"--config.phases.phase2.epochs={arguments.epochs - first}",
  ]
  file = os.path.relpath(arguments.salinas_a, ROOT)
  scene = [f"--config.files.salinas_a.cube={file}", "--config.files.salinas_a.sensor=AVIRIS"]
  return ["--config=configs/letter.py:indian_pines,salinas_a", "--config.bands=160", *scene, *common]


def _left(trials: Sequence[dict], arguments: argparse.Namespace) -> Iterator[tuple[str, int]]:
  """Fault and number of every trial that is not done; the faults in turns, so that early ones tell of all."""
  done = {(trial["fault"], trial["trial"], trial["seed"]) for trial in trials}
  for number in range(1, arguments.times + 1):
    for fault in arguments.only:
      if (fault, number, arguments.seed) not in done:
        yield fault, number


def _try(experiment: Experiment, fault: str, number: int, seed: int) -> dict:
  """One trial; its directory stays only where something was lost."""
  directory = experiment.directory / f"{fault}-{number}"
  shutil.rmtree(directory, ignore_errors=True)
  directory.mkdir()
  start = time.monotonic()
  chance = random.Random(f"{seed}/{fault}/{number}")
  verdict = _verdict(f"{fault} {number}", FAULTS[fault], Trial(experiment, directory / "run", chance))
  if verdict.outcome != LOST:
    shutil.rmtree(directory)
  return {
    "fault": fault,
    "trial": number,
    "seed": seed,
    "seconds": time.monotonic() - start,
    # Without where the repository lies on the machine.
    **{key: text.replace(f"{ROOT}/", "") for key, text in verdict._asdict().items()},
  }


def _verdict(name: str, fault: Fault, trial: Trial) -> Verdict:
  """What becomes of a trial; where the fault misses it, that is told and further moments are drawn."""
  for _ in range(_DRAWS):
    try:
      return fault.strike(trial)
    except Missed as error:
      remark = str(error)
      print(f"{name}: {remark}", flush=True)
  return Verdict(
    MISSED,
    "",
    f"{remark}; if the machine was busy when the undisturbed run was made, name another --directory",
  )


def _read(file: Path) -> list[dict]:
  return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def _rows(faults, trials):
  rows = []
  for fault in faults:
    outcomes = [trial["outcome"] for trial in trials if trial["fault"] == fault]
    counts = {outcome: outcomes.count(outcome) for outcome in (IDENTICAL, REFUSED, LOST, MISSED)}
    rows.append({"fault": fault, "times": len(outcomes), **counts})
  return rows


def _details(experiment, trials):
  """Where and on what the campaign ran, and every trial of it."""
  config, environment = (
    json.loads((experiment.undisturbed / name).read_bytes()) for name in ("config.json", "environment.json")
  )
  return {
    "machine": {key: value for key, value in environment.items() if key not in _OF_A_START},
    "command": ["python", "-m", "faults.campaign", *sys.argv[1:]],
    "config": config,
    "undisturbed_seconds": experiment.seconds,
    "trials": trials,
  }


if __name__ == "__main__":
  main()
