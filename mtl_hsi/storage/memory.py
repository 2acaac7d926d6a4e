"""Free memory, and checks that a file fits into it before the file is read."""

import re
import stat
from collections.abc import Iterator
from pathlib import Path

from mtl_hsi.errors import RequestError

# Bytes of memory per byte of JSON. The worst case is a list of empty objects; the factor includes as much
# again for what is made of them.
JSON_RATIO = 64
# Deflate, which .npz, .mat and HDF5 use, expands data at most 1032 times (zlib's technical details).
_LARGEST_DEFLATE_RATIO = 1032
# Allowance for headers and empty blocks, to which the ratio does not apply.
_SLACK = 1 << 16
# Reading copies the data once: to the machine's byte order, to pixels first, or to another type.
_COPIES = 2

# Files of a control group with its limit and use, and the entry of its statistics that counts droppable file
# cache, in versions 2 and 1 (kernel.org, admin-guide/cgroup-v2 and cgroup-v1/memory).
_CGROUP_2 = "memory.max", "memory.current", "inactive_file"
_CGROUP_1 = "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"


def available(root: Path = Path("/")) -> int:
  """Returns the bytes of memory that can be allocated without swapping.

  The limits of the control groups of a container or job count.

  Args:
    root: root of the file system.
  """
  return min([_free_on_machine(root), *_free_in_cgroups(root)])


def check_fits(size: int, where: str) -> None:
  """Checks that data fit into free memory, including the copy that is made while they are read.

  Args:
    size: declared size in bytes.
    where: source of the data, for messages.

  Raises:
    RequestError: the data do not fit.
  """
  needed = _COPIES * size
  _check_free(needed, f"{where} declares {_megabytes(size)} and needs {_megabytes(needed)} to read")


def check_file(path: Path, ratio: int) -> None:
  """Checks that a file which is read as a whole fits into free memory once it is decoded.

  Args:
    path: the file.
    ratio: largest number of bytes of memory per byte of the file.

  Raises:
    RequestError: the file might not fit, or is not a regular file.
    OSError: the file does not exist.
  """
  status = path.stat()
  if not stat.S_ISREG(status.st_mode):
    raise RequestError(f"{path.absolute()} is a directory, a pipe or a device; expected a file")
  check_decoded(status.st_size, ratio, str(path.absolute()))


def check_decoded(size: int, ratio: int, where: str) -> None:
  """Checks that data which are read as a whole fit into free memory once they are decoded.

  Args:
    size: their number of bytes.
    ratio: largest number of bytes of memory per byte of the data.
    where: source of the data, for messages.

  Raises:
    RequestError: the data might not fit.
  """
  needed = ratio * size
  _check_free(needed, f"{where} has {_megabytes(size)} and may need {_megabytes(needed)} to read")


def check_ratio(declared: int, stored: int, where: str) -> None:
  """Checks that deflate can have compressed data as far as a file declares.

  Args:
    declared: bytes that the file declares.
    stored: bytes that the file contains, compressed or not.
    where: source of the data, for messages.

  Raises:
    RequestError: the declared size exceeds the largest possible ratio.
  """
  if declared > largest_inflated(stored):
    raise RequestError(
      f"{where} declares {declared} bytes and stores {stored}, which expand at most "
      f"{_LARGEST_DEFLATE_RATIO} times; the file is damaged or malicious: get it again"
    )


def largest_inflated(stored: int) -> int:
  """Returns the largest number of bytes to which compressed ones can expand."""
  return _LARGEST_DEFLATE_RATIO * stored + _SLACK


def _check_free(size: int, what: str) -> None:
  free = available()
  if size > free:
    raise RequestError(
      f"{what}, but only {_megabytes(free)} of memory are free; cut the file or use more memory"
    )


def _megabytes(size: int) -> str:
  return f"{size / 1e6:,.6g} MB"


def _free_on_machine(root: Path) -> int:
  try:
    found = re.search(r"^MemAvailable:\s+(\d+) kB$", (root / "proc/meminfo").read_text(), re.MULTILINE)
  except OSError:
    found = None
  if found:
    return int(found[1]) << 10
  import psutil

  return psutil.virtual_memory().available


def _free_in_cgroups(root: Path) -> Iterator[int]:
  """Yields what is left of the limit of each control group that contains this process."""
  try:
    lines = (root / "proc/self/cgroup").read_text().splitlines()
  except OSError:
    return
  for line in lines:
    _, controllers, path = line.split(":", 2)
    if not controllers:
      top, names = root / "sys/fs/cgroup", _CGROUP_2
    elif "memory" in controllers.split(","):
      top, names = root / "sys/fs/cgroup/memory", _CGROUP_1
    else:
      continue
    innermost = top / path.lstrip("/")
    # A container may see its group as the top one, whatever the path.
    for group in (innermost, *innermost.parents):
      if group.is_relative_to(top):
        yield from _free_in_cgroup(group, *names)


def _free_in_cgroup(group: Path, limit: str, use: str, cached: str) -> Iterator[int]:
  """Yields nothing if the group does not exist or has no limit."""
  try:
    allowed, used = ((group / name).read_text().strip() for name in (limit, use))
    statistics = (group / "memory.stat").read_text()
  except OSError:
    return
  if allowed != "max":
    droppable = re.search(rf"^{cached} (\d+)$", statistics, re.MULTILINE)
    yield max(0, int(allowed) - int(used) + (int(droppable[1]) if droppable else 0))
