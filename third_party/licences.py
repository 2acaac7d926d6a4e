"""Writes third_party/licences.md: the licence of every package in locks/, according to its metadata.

  make lock                        # also writes the locks
  python -m third_party.licences   # only the table; needs pip 26 or newer

The table lists the packages that pip would install on this machine, without those for other systems. For
wheels, pip downloads only the metadata (older versions of pip download the packages).
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

Written by `make lock` from the metadata of each package. The column "locks" lists the files in `locks/` that
contain the package.

| package | version | licence | locks |
|---|---|---|---|
"""


def pins(lock: str) -> list[str]:
  """Returns the requirements of a lock without hashes: `name==version`, with a marker if there is one."""
  text = (_ROOT / "locks" / f"{lock}.txt").read_text()
  return [line.rstrip(" \\") for line in re.findall(r"^[\w.-]+==.*", text, re.MULTILINE)]


def normal(name: str) -> str:
  """Returns the name of a package in the form in which package indexes compare names."""
  return re.sub(r"[-_.]+", "-", name).lower()


def licence(metadata: Mapping) -> str:
  """Returns the licence in the metadata: the SPDX expression, else a short free text, else classifiers."""
  text = (metadata.get("license") or "").strip()
  classified = [c.split(" :: ") for c in metadata.get("classifier", ())]
  classifiers = [parts[-1] for parts in classified if parts[0] == "License"]
  stated = text if text and "\n" not in text and len(text) <= _LONGEST else " / ".join(classifiers)
  return metadata.get("license_expression") or stated or text.partition("\n")[0] or "not stated"


def ask_pip(requirements: Iterable[str]) -> list[Mapping]:
  """Returns the metadata of the packages that pip would install on this machine."""
  with tempfile.TemporaryDirectory() as directory:
    wanted, report = Path(directory, "wanted.txt"), Path(directory, "report.json")
    wanted.write_text("\n".join(requirements))
    options = ["--dry-run", "--ignore-installed", "--no-deps", "-qq", f"--report={report}", f"-r{wanted}"]
    subprocess.run([sys.executable, "-m", "pip", "install", *options], check=True)
    return [package["metadata"] for package in json.loads(report.read_text())["install"]]


def table() -> str:
  """Returns the table in Markdown, with the packages in alphabetical order."""
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
