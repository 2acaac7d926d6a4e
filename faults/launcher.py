"""Runs launch.py, records its accesses to the work directory, and can kill itself at one of them.

  python -m faults.launcher '{"watched": "runs/x", "die": ["checkpoints", 7, 0.01]}' --workdir=runs/x ...

Accesses are found by an audit hook of Python, for files that are opened, renamed or removed. The program is
patched only to download Indian Pines from another host, and to die during classification.
"""

import atexit
import dataclasses
import json
import os
import runpy
import signal
import sys
import threading
import time
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
  """Runs launch.py as ordered by the first argument, a JSON object."""
  orders, sys.argv = json.loads(sys.argv[1]), ["launch.py", *sys.argv[2:]]
  _watch(os.path.abspath(orders["watched"]), orders.get("record"), orders.get("die"))
  if "die_classifying" in orders:
    _die_classifying(orders["die_classifying"])
  if "host" in orders:
    _fetch_from(orders["host"])
  runpy.run_path(str(_ROOT / "launch.py"), run_name="__main__")


def part_of(path: str, watched: str) -> str | None:
  """Returns the part of a work directory that a path is in: "checkpoints", "results" or None (outside)."""
  inner = path.removeprefix(watched + os.sep)
  if inner == path:
    return None
  return "checkpoints" if inner.startswith("checkpoints") else "results"


def _watch(watched, record, die):
  """Records `[seconds, part, path]` of every access in a file; dies at the n-th access to a part."""
  start, events, seen = time.monotonic(), [], {}
  if record:
    atexit.register(lambda: Path(record).write_text(json.dumps(events)))

  def hook(event, arguments):
    if event != "open" and not event.startswith("os."):
      return
    for path in arguments:
      part = part_of(os.fspath(path), watched) if isinstance(path, (str, os.PathLike)) else None
      if part:
        events.append((time.monotonic() - start, part, os.fspath(path)))
        seen[part] = seen.get(part, 0) + 1
        if die and [part, seen[part]] == die[:2]:
          _die(die[2])
        return

  sys.addaudithook(hook)


def _die(seconds):
  if not seconds:
    os.kill(os.getpid(), signal.SIGKILL)
  threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGKILL)).start()


def _die_classifying(seconds):
  """Dies a number of seconds after the networks have begun to vote."""
  from mtl_hsi.classification.classify import Classifier

  vote = Classifier.vote

  def deadly(*arguments):
    _die(seconds)
    return vote(*arguments)

  Classifier.vote = deadly


def _fetch_from(files):
  """Makes Indian Pines be downloaded; `files` has its URLs and SHA-256 by file name."""
  from mtl_hsi.scenes.public import registry

  facts = registry.PUBLIC_SCENES["indian_pines"]
  changes = {}
  for key in ("cube", "labels"):
    file = getattr(facts, key)
    url, digest = files[file.filename]
    changes[key] = dataclasses.replace(file, urls=(url,), sha256=digest)
  registry.PUBLIC_SCENES["indian_pines"] = dataclasses.replace(facts, **changes)
  registry._tensorly_data = lambda: None


if __name__ == "__main__":
  main()
