"""Damage to files of a run: truncation, flipped bits, removal."""

import random
import shutil
from collections.abc import Callable
from pathlib import Path

from faults import kills
from faults.trial import Trial, Verdict, start_again, until_struck
from mtl_hsi.storage import checksums

Damage = Callable[[Path, random.Random], str]


def truncate(file: Path, chance: random.Random) -> str:
  """Truncates a file that is not empty; returns a description."""
  data = file.read_bytes()
  length = chance.randrange(len(data))
  file.write_bytes(data[:length])
  return f"cut from {len(data)} to {length} bytes"


def flip(file: Path, chance: random.Random) -> str:
  """Flips one bit of a file that is not empty; returns a description."""
  data = bytearray(file.read_bytes())
  place, bit = chance.randrange(len(data)), chance.randrange(8)
  data[place] ^= 1 << bit
  file.write_bytes(data)
  return f"bit {bit} of byte {place} flipped"


def remove(file: Path, _: random.Random) -> str:
  """Removes a file; returns a description."""
  file.unlink()
  return "removed"


def damage_checkpoint(damage: Damage) -> Callable[[Trial], Verdict]:
  """Returns a fault: a run is killed while it saves its later checkpoints, and a file of one is damaged."""

  def inflict(trial):
    checkpoints = _kill_with_checkpoints(trial)
    if not checkpoints:
      return None
    files = [path for path in sorted(trial.chance.choice(checkpoints).rglob("*")) if path.is_file()]
    file = trial.chance.choice([path for path in files if path.stat().st_size])
    return f"{_name(file, trial)} {damage(file, trial.chance)}"

  return lambda trial: start_again(trial, until_struck(trial, lambda _: inflict(trial)))


def empty_checkpoint(trial: Trial) -> Verdict:
  """Kills a run and removes all files of one checkpoint."""

  def empty(_):
    checkpoints = _kill_with_checkpoints(trial)
    if not checkpoints:
      return None
    chosen = trial.chance.choice(checkpoints)
    shutil.rmtree(chosen)
    chosen.mkdir()
    return f"{_name(chosen, trial)} emptied"

  return start_again(trial, until_struck(trial, empty))


def damage_result(trial: Trial) -> Verdict:
  """Damages a result of a complete run."""
  shutil.copytree(trial.experiment.undisturbed, trial.run)
  lines = (trial.run / checksums.NAME).read_text().splitlines()
  file = trial.run / trial.chance.choice([checksums.NAME, *(line.split("  ")[1] for line in lines)])
  damage = trial.chance.choice([truncate, flip, remove])
  return start_again(trial, f"{_name(file, trial)} {damage(file, trial.chance)}")


def _kill_with_checkpoints(trial):
  """Kills a run and returns its checkpoints; None if it ended before."""
  if kills.die_within(trial, "checkpoints", first=0.5) is None:
    return None
  networks = (trial.run / "checkpoints", trial.run / "checkpoints" / "local")
  return [
    path for place in networks for kind in ("state", "snapshots") for path in sorted(place.glob(f"{kind}/*"))
  ]


def _name(path, trial):
  return path.relative_to(trial.run)
