"""launch.py in a process that notes what it does to its work directory, or dies while it does it.

  python -m faults.launcher '{"watched": "runs/x", "die": ["checkpoints", 7, 0.01]}' --workdir=runs/x ...

Python tells of every file that is opened, renamed or removed. The product is not changed for it, but that
Indian Pines may come from another host than its own, and that it may die some time into classification.
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
  orders, sys.argv = json.loads(sys.argv[1]), ["launch.py", *sys.argv[2:]]
  _watch(os.path.abspath(orders["watched"]), orders.get("record"), orders.get("die"))
  if "die_classifying" in orders:
    _die_classifying(orders["die_classifying"])
  if "host" in orders:
    _fetch_from(orders["host"])
  runpy.run_path(str(_ROOT / "launch.py"), run_name="__main__")


def part_of(path: str, watched: str) -> str | None:
  """What a path in a work directory belongs to: "checkpoints", "results", or None."""
  inner = path.removeprefix(watched + os.sep)
  if inner == path:
    return None
  return "checkpoints" if inner.startswith("checkpoints") else "results"


def _watch(watched, record, die):
  """Notes `[seconds, part, path]` of all that is touched, for a file; dies at the n-th of a part."""
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
  """Dies so many seconds after the networks have begun to vote."""
  from mtl_hsi.classification.classify import Classifier

  vote = Classifier.vote

  def deadly(*arguments):
    _die(seconds)
    return vote(*arguments)

  Classifier.vote = deadly


def _fetch_from(files):
  """Has Indian Pines fetched, not found in a package: `files` gives (address, SHA-256) by file name."""
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
