"""How messages name the keys of a config: as flags of launch.py, or as options of the command mtl-hsi.

Messages name them as flags of launch.py, `--config.<key>=<value>`, `--config=<file>.py:<scenes>` and
`--workdir`, or as "config key <key>", and config files as `configs/<file>.py`. The command passes all that it
prints through `spelled`, and so does the report of a run that it started. No other code has to know which
of the two started it.
"""

import re
from collections.abc import Mapping
from typing import Any, TextIO

PROGRAM = "mtl-hsi"

_PART = r"(?:\w+|<\w+>)"
_KEY = re.compile(rf"--(?:no)?config\.({_PART}(?:\.{_PART})*)(=[^\s;,)]*)?")
_NAMED_KEY = re.compile(rf"\bconfig key ({_PART}(?:\.{_PART})*)")
# The subcommands of config files, and those that are usual recipes.
_SUBCOMMANDS = {
  "predict": "predict",
  "adapt": "adapt",
  "report": "report",
  "compare": "compare",
  "export": "export",
  "assess_draw": "assess draw",
  "assess_estimate": "assess estimate",
  "paper": "paper",
}
_RECIPES = ("own", "best", "fields", "letter", "quickstart")
_FILE = re.compile(rf"(?<![\w/=.])configs/({'|'.join((*_SUBCOMMANDS, *_RECIPES))})\.py")
_SCENES = re.compile(r"--config=[^\s;,]*?\.py:")
_WORKDIR = re.compile(r"--workdir\b")
_LAUNCH = "launch.py --"


def spelled(text: str, options: Mapping[str, str]) -> str:
  """Returns a text with the options of a subcommand in place of the flags of launch.py.

  Args:
    text: a message, or a page of them.
    options: the option of the subcommand for some keys, such as {"output": "--output"}; a name without dashes
      is that of an argument, which replaces the value as well. "files.*.labels" stands for every scene. Any
      other key becomes `--set <key>=<value>`.
  """
  # What follows is the recorded command of a run.
  text, launch, command = text.partition(_LAUNCH)
  text = _KEY.sub(lambda found: _option(found[1], found[2] or "", options), text)
  text = _NAMED_KEY.sub(lambda found: _named(found[1], options), text)
  text = _FILE.sub(lambda found: _command(found[1]), text)
  return _WORKDIR.sub("--output", _SCENES.sub("--scenes=", text)) + launch + command


def _command(file: str) -> str:
  return f"{PROGRAM} {_SUBCOMMANDS[file]}" if file in _SUBCOMMANDS else f"--recipe {file}"


def _named(key: str, options: Mapping[str, str]) -> str:
  known = _known(key, options) or ""
  # Some keys have no option but a subcommand or a file, such as "mtl-hsi check".
  return known if known.startswith("--") or known.isupper() else f"key {key}"


def _known(key: str, options: Mapping[str, str]) -> str | None:
  return options.get(key) or options.get(re.sub(r"^files\.[^.]+\.", "files.*.", key))


def _option(key: str, value: str, options: Mapping[str, str]) -> str:
  known = _known(key, options)
  if known is None:
    return f"--set {key}{value or '=...'}"
  return f"{known}{value}" if known.startswith("-") else known


class Spelled:
  """A text stream that spells options as a subcommand does; otherwise it is the stream that it writes to."""

  def __init__(self, stream: TextIO, options: Mapping[str, str]):
    self._stream, self._options = stream, options

  def write(self, text: str) -> int:
    """Writes a text; an option must not be divided between two texts."""
    self._stream.write(spelled(text, self._options))
    return len(text)

  def __getattr__(self, name: str) -> Any:
    return getattr(self._stream, name)
