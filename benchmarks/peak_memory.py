"""The peak of the resident memory of this process, which Linux can reset."""

import contextlib
import re
from pathlib import Path

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")
# From proc(5): resets VmHWM.
_RESET_PEAK = "5"


def reset() -> None:
  """Resets the peak to the memory in use. Does nothing on other systems than Linux."""
  with contextlib.suppress(OSError):
    _CLEAR.write_text(_RESET_PEAK)


def peak() -> int | None:
  """Returns the peak since the last reset in bytes; None where it is unknown."""
  with contextlib.suppress(OSError):
    found = re.search(r"^VmHWM:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
    return int(found[1]) << 10 if found else None
  return None
