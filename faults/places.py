"""Work directories that cannot be written, or that two processes use."""

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from faults import kills
from faults.trial import IDENTICAL, LOST, REFUSED, Trial, Verdict, start_again, until_struck

# Smallest limit on the size of files, in bytes, which leaves room for standard error.
_LEAST = 2**16


def full_disk(trial: Trial) -> Verdict:
  """Lets the disk fill up, and makes room before the run is started again.

  The disk is a small file system in memory if one can be mounted, and else a limit on the size of files.
  """
  size = sum(path.stat().st_size for path in trial.experiment.undisturbed.rglob("*") if path.is_file())
  share = trial.chance.uniform(0.05, 0.95)
  trial.run.mkdir()
  if not _mount("-t", "tmpfs", "-o", f"size={int(share * size)}", "tmpfs", trial.run):
    return _large_files_refused(trial)
  try:
    moment = f"a disk of {share * size / 2**20:.2f} MiB"
    ending = trial.experiment.run_to_end(trial.run)
    if not (ending.refused and "no space left" in ending.last_line):
      return Verdict(LOST, moment, f"status {ending.status} on a full disk: {ending.err.strip()[-2000:]}")
    _mount("-o", "remount,size=1g", trial.run)
    return start_again(trial, f"{moment}: {ending.last_line}")
  finally:
    subprocess.run(["umount", trial.run], check=True)


def _large_files_refused(trial):
  sizes = sorted(path.stat().st_size for path in trial.experiment.undisturbed.rglob("*") if path.is_file())

  def refuse(_):
    limit = trial.chance.randrange(_LEAST, sizes[-1])
    ending = trial.experiment.run_to_end(trial.run, largest_file=limit)
    if ending.status == 0:
      return None
    return f"no file above {limit} bytes, status {ending.status}: {ending.last_line}"

  moment = until_struck(trial, refuse)
  clear = "status 2: error: " in moment and "file too large" in moment
  return start_again(trial, moment) if clear else Verdict(LOST, moment, "no clear error")


def read_only(trial: Trial) -> Verdict:
  """Kills a run and starts it again in a read-only directory, and then in a writable one."""
  part = trial.chance.choice(["checkpoints", "results"])

  def kill(_):
    moment = kills.die_within(trial, part)
    # A complete run has nothing left to write.
    return None if (trial.run / "metrics.json").exists() else moment

  moment = until_struck(trial, kill)
  with _unwritable(trial.run) as how:
    verdict = start_again(trial, f"{how}, killed {moment}")
  if verdict.outcome != REFUSED:
    return Verdict(
      LOST, verdict.moment, verdict.remark or "the run succeeded although nothing could be written"
    )
  return start_again(trial, f"{verdict.moment}: {verdict.remark}")


def can_forbid_writing() -> bool:
  """Whether a directory can be made unwritable for this process."""
  if os.geteuid() != 0:
    return True
  with tempfile.TemporaryDirectory() as name:
    if not _mount("--bind", name, name):
      return False
    subprocess.run(["umount", name], check=True)
  return True


def second_process(trial: Trial) -> Verdict:
  """Starts the same command twice at a time; one of the two must be refused."""
  experiment = trial.experiment
  held = experiment.seconds - experiment.events[0][0]

  def both(share):
    seconds = trial.chance.uniform(0, 0.7 * share * held)
    with experiment.start(trial.run) as first:
      time.sleep(seconds)
      second = experiment.run_to_end(trial.run)
      endings = [first.wait(), second]
    if [ending.status for ending in endings] == [0, 0]:
      return None
    refused = [ending for ending in endings if ending.refused and " is in use by " in ending.last_line]
    done = [ending for ending in endings if ending.status == 0]
    if len(refused) != 1 or len(done) != 1:
      problems.extend(ending.err.strip()[-2000:] for ending in endings)
    return f"started {seconds:.2f} s later"

  problems = []
  moment = until_struck(trial, both)
  if problems:
    return Verdict(LOST, moment, " / ".join(problems))
  difference = experiment.difference(trial.run)
  return Verdict(LOST, moment, difference) if difference else Verdict(IDENTICAL, moment, "")


def _mount(*arguments: object) -> bool:
  """Mounts something, and returns whether that was possible."""
  if shutil.which("mount") is None or os.geteuid() != 0:
    return False
  return subprocess.run(["mount", *arguments], capture_output=True).returncode == 0


@contextlib.contextmanager
def _unwritable(run: Path) -> Iterator[str]:
  """Makes a directory unwritable within the block; yields a description."""
  if _mount("--bind", run, run):
    try:
      subprocess.run(["mount", "-o", "remount,ro,bind", run], check=True)
      yield "on a file system mounted read-only"
    finally:
      subprocess.run(["umount", run], check=True)
    return
  paths = [run, *run.rglob("*")]
  modes = [path.stat().st_mode for path in paths]
  for path, mode in zip(paths, modes):
    path.chmod(mode & ~0o222)
  try:
    yield "without the permission to write"
  finally:
    for path, mode in zip(paths, modes):
      path.chmod(mode)
