"""Writes third_party/licences.md: the licence of every package in locks/, as its own metadata states it.

  make lock                        # with the locks themselves; or alone, with pip 26 or newer:
  python -m third_party.licences

Asks pip what it would install here, so that packages for other systems only are left out. Metadata alone is
fetched of a package that comes as a wheel (older versions of pip fetch the packages).
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("cpu", "cuda12", "test", "build")
TABLE = _ROOT / "third_party" / "licences.md"
_LONGEST = 60
_HEAD = """\
# Licences of the packages that are installed

Written by `make lock`. As each package's metadata state it; "locks" are the files in `locks/` that name it.

| package | version | licence | locks |
|---|---|---|---|
"""


def pins(lock: str) -> list[str]:
  """Requirements of a lock without their hashes, `name==version` with a marker where there is one."""
  text = (_ROOT / "locks" / f"{lock}.txt").read_text()
  return [line.rstrip(" \\") for line in re.findall(r"^[\w.-]+==.*", text, re.MULTILINE)]


def normal(name: str) -> str:
  """A package's name as package indexes compare it."""
  return re.sub(r"[-_.]+", "-", name).lower()


def licence(metadata: Mapping) -> str:
  """Licence from a package's metadata: SPDX expression, else short free text, else classifiers."""
  text = (metadata.get("license") or "").strip()
  classified = [c.split(" :: ") for c in metadata.get("classifier", ())]
  classifiers = [parts[-1] for parts in classified if parts[0] == "License"]
  stated = text if text and "\n" not in text and len(text) <= _LONGEST else " / ".join(classifiers)
  return metadata.get("license_expression") or stated or text.partition("\n")[0] or "not stated"


def ask_pip(requirements: Iterable[str]) -> list[Mapping]:
  """Metadata of the packages that pip would install here."""
  with tempfile.TemporaryDirectory() as directory:
    wanted, report = Path(directory, "wanted.txt"), Path(directory, "report.json")
    wanted.write_text("\n".join(requirements))
    options = ["--dry-run", "--ignore-installed", "--no-deps", "-qq", f"--report={report}", f"-r{wanted}"]
    subprocess.run([sys.executable, "-m", "pip", "install", *options], check=True)
    return [package["metadata"] for package in json.loads(report.read_text())["install"]]


def table() -> str:
  """The table in Markdown, packages in alphabetical order."""
  locks = {lock: pins(lock) for lock in LOCKS}
  names = {lock: {normal(pin.partition("==")[0]) for pin in locks[lock]} for lock in LOCKS}
  rows = []
  for metadata in ask_pip(sorted({pin for lock in LOCKS for pin in locks[lock]})):
    name = normal(metadata["name"])
    where = ", ".join(lock for lock in LOCKS if name in names[lock])
    rows.append(f"| {name} | {metadata['version']} | {licence(metadata)} | {where} |\n")
  return _HEAD + "".join(sorted(rows))


if __name__ == "__main__":
  TABLE.write_text(table())
