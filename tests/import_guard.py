"""Runs code in a process that can import only some of the installed packages."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent

_GUARD = """
import importlib.metadata as metadata, re, sys

def needed(name, extras=(), seen=None):
  seen = set() if seen is None else seen
  key = name.lower().replace("_", "-")
  if (key, extras) in seen:
    return seen
  seen.add((key, extras))
  try:
    requirements = metadata.requires(name) or ()
  except metadata.PackageNotFoundError:
    return seen
  for line in requirements:
    extra = re.search("extra == .([^'\\"]+)", line)
    if extra and extra[1] not in extras:
      continue
    found = re.match(r"([\\w.-]+)\\s*(?:\\[([^]]*)\\])?", line)
    needed(found[1], tuple(e.strip() for e in (found[2] or "").split(",") if e), seen)
  return seen

allowed = {name for package in ALLOWED for name, _ in needed(package)}
owners = metadata.packages_distributions()

class OnlyTheCore:
  @staticmethod
  def find_spec(name, path=None, target=None):
    of = owners.get(name.split(".")[0], ())
    if of and not allowed & {d.lower().replace("_", "-") for d in of}:
      raise ModuleNotFoundError(f"the core must not import {name}")

sys.meta_path.insert(0, OnlyTheCore)
"""


def run(code: str, allowed: Sequence[str]) -> subprocess.CompletedProcess:
  """Runs Python code that may import the repository, the given packages, and what these depend on.

  Args:
    code: the code.
    allowed: names of packages as on PyPI.
  """
  whole = _GUARD.replace("ALLOWED", repr(tuple(allowed))) + code
  return subprocess.run([sys.executable, "-c", whole], cwd=_ROOT, capture_output=True, text=True)
