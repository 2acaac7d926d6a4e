"""How much memory may be taken: of the machine, and of the container or job that the process is in."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

# Files with limit and use of a control group, and its statistic of what is cached of files and can be
# dropped, in versions 2 and 1 (kernel.org, admin-guide/cgroup-v2 and cgroup-v1/memory).
_VERSION_2 = "memory.max", "memory.current", "inactive_file"
_VERSION_1 = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"


def available(root: Path = Path("/")) -> int:
  """Bytes of memory that may be taken without swapping; all of it where the system does not tell.

  Args:
    root: of the file system.
  """
  return min([_of_machine(root), *_of_groups(root)])


def _of_machine(root):
  try:
    found = re.search(r"^MemAvailable:\s+(\d+) kB$", (root / "proc/meminfo").read_text(), re.MULTILINE)
  except OSError:
    found = None
  return int(found[1]) << 10 if found else os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _of_groups(root) -> Iterator[int]:
  """What is left of the limit of every control group that holds this process."""
  try:
    lines = (root / "proc/self/cgroup").read_text().splitlines()
  except OSError:
    return
  for line in lines:
    _, controllers, path = line.split(":", 2)
    if not controllers:
      top, names = root / "sys/fs/cgroup", _VERSION_2
    elif "memory" in controllers.split(","):
      top, names = root / "sys/fs/cgroup/memory", _VERSION_1
    else:
      continue
    own = top / path.lstrip("/")
    # A container may see its own group as the top one, whatever the path says.
    for group in (own, *own.parents):
      if group.is_relative_to(top):
        yield from _left(group, *names)


def _left(group, limit, use, cached) -> Iterator[int]:
  """Nothing where the group does not exist or has no limit."""
  try:
    allowed, used = ((group / name).read_text().strip() for name in (limit, use))
    statistics = (group / "memory.stat").read_text()
  except OSError:
    return
  if allowed != "max":
    droppable = re.search(rf"^{cached} (\d+)$", statistics, re.MULTILINE)
    yield max(0, int(allowed) - int(used) + (int(droppable[1]) if droppable else 0))
