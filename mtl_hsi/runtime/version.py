"""Which state of this project is running."""

import subprocess
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_SECONDS = 10
# "dirty" is git's word for files that differ from the commit; tags have no say.
_DESCRIBE = ("describe", "--always", "--abbrev=40", "--dirty", "--exclude=*")


def commit(root: Path = _ROOT) -> str | None:
  """Commit of a checkout, with "-dirty" behind it where files were changed.

  None where there is none, as of an installed package, or git cannot tell.
  """
  # git would take that of any directory above.
  if not (root / ".git").exists():
    return None
  try:
    told = subprocess.run(
      ["git", "-C", str(root), *_DESCRIBE], capture_output=True, text=True, timeout=_SECONDS, check=True
    )
  except (OSError, subprocess.SubprocessError):
    return None
  return told.stdout.strip()
