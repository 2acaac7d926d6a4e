"""Disturbs an experiment with every kind of fault, restarts it, and compares its results.

  make faults
  .venv/bin/python -m faults.campaign --times=1 --only=kill,full-disk
  .venv/bin/python -m faults.campaign --directory=runs/mine -- --config=configs/own.py:fields ...

A trial starts the experiment in a new work directory, inflicts the fault at a random moment (see --seed) and
starts the experiment again. To use another experiment, add the arguments of launch.py after `--`. Complete
trials are skipped. Use a machine with little other load: the moments are drawn within the duration of the
undisturbed run.
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
  "kill": Fault(kills.kill_at_any_moment),
  "sigterm": Fault(kills.terminate),
  "kill-in-checkpoint": Fault(kills.kill_in_checkpoint),
  "kill-in-results": Fault(kills.kill_in_results),
  "kill-in-classification": Fault(kills.kill_in_classification),
  "kill-in-download": Fault(downloads.kill_in_download),
  "full-disk": Fault(places.full_disk),
  "checkpoint-truncated": Fault(damage.damage_checkpoint(damage.truncate), damages=True),
  "checkpoint-flipped": Fault(damage.damage_checkpoint(damage.flip), damages=True),
  "checkpoint-file-removed": Fault(damage.damage_checkpoint(damage.remove), damages=True),
  "checkpoint-emptied": Fault(damage.empty_checkpoint, damages=True),
  "result-damaged": Fault(damage.damage_result, damages=True),
  "read-only": Fault(places.read_only),
  "second-process": Fault(places.second_process),
}

# Number of moments that are drawn if a run always ends before the fault strikes.
_DRAWS = 3

# Keys of environment.json that do not describe the machine.
_START_KEYS = ("command", "directory", "started", "starts")


def main() -> None:
  """Runs the campaign; exits with status 1 if a trial lost something or was missed."""
  arguments = _arguments()
  try:
    rows = run(arguments)
  except RequestError as error:
    print(f"error: {error}", file=sys.stderr)
    sys.exit(2)
  sys.exit(any(row[LOST] or row[MISSED] for row in rows))


def run(arguments: argparse.Namespace) -> list[dict]:
  """Runs the remaining trials of a campaign, and writes and prints the results of all.

  Returns:
    One entry for every fault: `fault`, the number of trials `times`, and the numbers of trials that ended
    `identical`, `refused`, `lost` and `missed`.

  Raises:
    RequestError: the undisturbed run fails, or the directory has the campaign of another experiment.
  """
  experiment = Experiment(arguments.experiment or _default_experiment(arguments), arguments.directory)
  print(f"undisturbed: {experiment.seconds:.0f} s", flush=True)
  arguments.only = [name for name in arguments.only if _possible(name)]
  file = experiment.directory / "trials.jsonl"
  for fault, number in _remaining(_read_trials(file), arguments):
    done = _run_trial(experiment, fault, number, arguments.seed)
    with file.open("a") as lines:
      lines.write(json.dumps(done) + "\n")
    print(f"{fault} {number}: {done['outcome']}; {done['moment']}; {done['remark']}", flush=True)
  trials = [trial for trial in _read_trials(file) if trial["fault"] in arguments.only]
  rows = _rows(arguments.only, trials)
  if arguments.out:
    atomic_files.write_json(arguments.out, rows)
    details = arguments.out.with_name(f"{arguments.out.stem}_trials.json")
    atomic_files.write_json(details, _details(experiment, trials))
  print(f"\n{table(rows)}")
  return rows


def table(rows: Sequence[dict]) -> str:
  """Returns the rows as a Markdown table."""
  head = ("fault", "times", "survived, identical", "refused clearly", "lost", "never struck")
  lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
  keys = ("fault", "times", IDENTICAL, REFUSED, LOST, MISSED)
  return "\n".join([*lines, *(f"| {' | '.join(str(row[key]) for key in keys)} |" for row in rows)])


def _arguments():
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument("--times", type=int, default=5, help="number of trials of every fault (default: 5)")
  parser.add_argument(
    "--only", default=",".join(FAULTS), help=f"comma-separated faults (default: {','.join(FAULTS)})"
  )
  parser.add_argument("--seed", type=int, default=0, help="seed of the moments (default: 0)")
  parser.add_argument("--epochs", type=int, default=12, help="epochs of all phases together (default: 12)")
  parser.add_argument(
    "--salinas_a",
    type=Path,
    help="file of a second real scene (default: the simulated scene of quickstart.py)",
  )
  parser.add_argument(
    "--directory",
    type=Path,
    default=Path("runs/faults"),
    help="directory for runs and trials (default: runs/faults)",
  )
  parser.add_argument(
    "--out", type=Path, help="JSON file for the table; the trials are written to <out>_trials.json"
  )
  parser.add_argument("experiment", nargs="*", help="after --: arguments of launch.py for another experiment")
  arguments = parser.parse_args()
  arguments.only = arguments.only.split(",")
  unknown = [name for name in arguments.only if name not in FAULTS]
  if unknown:
    parser.error(f"--only={unknown[0]}: unknown fault; expected some of {', '.join(FAULTS)}")
  return arguments


def _possible(fault):
  """Whether a fault can be inflicted on this machine; prints a note if not."""
  if FAULTS[fault].inflict is places.read_only and not places.can_forbid_writing():
    print(f"{fault}: skipped; this process runs as root and cannot mount a read-only file system")
    return False
  return True


def _default_experiment(arguments):
  """Returns the arguments of an experiment of two scenes and two replicas that saves every epoch."""
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


def _remaining(trials: Sequence[dict], arguments: argparse.Namespace) -> Iterator[tuple[str, int]]:
  """Yields fault and number of the remaining trials, alternating between the faults."""
  done = {(trial["fault"], trial["trial"], trial["seed"]) for trial in trials}
  for number in range(1, arguments.times + 1):
    for fault in arguments.only:
      if (fault, number, arguments.seed) not in done:
        yield fault, number


def _run_trial(experiment: Experiment, fault: str, number: int, seed: int) -> dict:
  """Runs a trial and returns its entry; its directory is kept only if something was lost."""
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
    # Paths are made relative to the repository.
    **{key: text.replace(f"{ROOT}/", "") for key, text in verdict._asdict().items()},
  }


def _verdict(name: str, fault: Fault, trial: Trial) -> Verdict:
  """Returns the verdict on a trial; draws further moments if the fault comes too late."""
  for _ in range(_DRAWS):
    try:
      return fault.strike(trial)
    except Missed as error:
      remark = str(error)
      print(f"{name}: {remark}", flush=True)
  return Verdict(
    MISSED,
    "",
    f"{remark}; if the machine was busy during the undisturbed run, choose another --directory",
  )


def _read_trials(file: Path) -> list[dict]:
  return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def _rows(faults, trials):
  rows = []
  for fault in faults:
    outcomes = [trial["outcome"] for trial in trials if trial["fault"] == fault]
    counts = {outcome: outcomes.count(outcome) for outcome in (IDENTICAL, REFUSED, LOST, MISSED)}
    rows.append({"fault": fault, "times": len(outcomes), **counts})
  return rows


def _details(experiment, trials):
  """Returns the machine and the config of a campaign, and all its trials."""
  config, environment = (
    json.loads((experiment.undisturbed / name).read_bytes()) for name in ("config.json", "environment.json")
  )
  return {
    "machine": {key: value for key, value in environment.items() if key not in _START_KEYS},
    "command": ["python", "-m", "faults.campaign", *sys.argv[1:]],
    "config": config,
    "undisturbed_seconds": experiment.seconds,
    "trials": trials,
  }


if __name__ == "__main__":
  main()
