"""Writes docs/configs.md from the config files, which explain every key in a comment.

  .venv/bin/python -m docs.config_page

A comment in front of `config.<key> = ...` explains that key. A comment `# == Title ==` starts a table.
"""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ml_collections import config_dict

_ROOT = Path(__file__).resolve().parent.parent
_CONFIGS = _ROOT / "configs"
PAGE = _ROOT / "docs" / "configs.md"

# In the order of the page. The remaining files add no keys.
_PURPOSES = {
  "quickstart.py": "a first run",
  "own.py": "maps of your scenes",
  "predict.py": "a map of a new image",
  "adapt.py": "new scenes on a trained network",
  "assess_draw.py": "a sample to assess a map with",
  "assess_estimate.py": "accuracies and areas of a map, with intervals",
  "report.py": "the report of a finished run, made again",
  "export.py": "a finished run as one file",
  "compare.py": "finished runs compared",
  "best.py": "the recommended recipe",
  "fields.py": "that recipe without experts",
  "letter.py": "the letter's recipe on your own scenes",
  "mtl.py": "one experiment of the letter",
  "paper.py": "the letter's tables",
  "rehearsal.py": "the letter's tables on small simulated scenes",
}

# Configs without the keys of common.py.
_SEPARATE = ("common", "predict", "assess_draw", "assess_estimate", "report", "export", "compare")

_INTRODUCTION = """\
<!-- `python -m docs.config_page` writes this page from the comments in configs/. Do not edit it. -->

# Config files

A config file is a Python file in `configs/`. Name it on the command line, with its argument after a colon,
and override any key:

```
.venv/bin/python launch.py --config=configs/<file>.py:<argument> --config.<key>=<value>
```

Write several values as `'(2, 4, 6)'` or repeat the flag. An unknown key or a value of the wrong type is
rejected before any work starts. `launch.py --help` lists the general flags, and
`launch.py --config=<file> --help` describes a config and its keys. Defaults are defined only in the config
files.

| you want | config |
|---|---|
"""


class Key(NamedTuple):
  """A key of a config file, with its default as source text and its explanation."""

  name: str
  default: str
  explanation: str


def keys(path: Path) -> list[tuple[str, list[Key]]]:
  """Returns the explained keys of a config file in tables, each with its title ("" if it has none)."""
  source = path.read_text("utf-8")
  lines, tables = source.splitlines(), [("", [])]
  for statement in _assignments(ast.parse(source)):
    comment, title = _comment_before(lines, statement.lineno - 1)
    if title:
      tables.append((title, []))
    if comment:
      name = ast.unparse(statement.targets[0]).removeprefix("config.")
      tables[-1][1].append(Key(name, _default(statement.value), comment))
  return [(title, rows) for title, rows in tables if rows]


def changed(name: str) -> Iterator[tuple[str, object]]:
  """Yields the keys of a config file whose values differ from configs/common.py, with these values."""
  common, config = (importlib.import_module(f"configs.{module}").get_config() for module in ("common", name))
  defaults = dict(_flat(common))
  yield from ((key, value) for key, value in _flat(config) if key in defaults and defaults[key] != value)


def unexplained(name: str) -> Iterator[str]:
  """Yields the keys of a config file that no comment explains."""
  argument = ("table3",) if name == "paper" else ()
  inherited = () if name in _SEPARATE else (Path("common.py"), Path("named.py"))
  explained = {
    row.name for file in (*inherited, Path(f"{name}.py")) for _, rows in keys(_CONFIGS / file) for row in rows
  }
  for key, _ in _flat(importlib.import_module(f"configs.{name}").get_config(*argument)):
    # predict.py repeats keys of common.py.
    if key not in explained and not (name == "predict" and key.startswith("classify.")):
      yield key


def page() -> str:
  """Returns docs/configs.md."""
  parts = [_INTRODUCTION + "".join(_purpose(name) for name in _PURPOSES)]
  parts += [_section("common.py"), _section("named.py")]
  parts += [_section(name) for name in _PURPOSES]
  parts.append(_scene_options())
  return "\n".join(parts)


def main() -> None:
  PAGE.write_text(page(), "utf-8")
  print(PAGE.relative_to(_ROOT))


def _purpose(name):
  return f"| {_PURPOSES[name]} | [`{name}`](#configs{name.replace('.', '')}) |\n"


def _section(name):
  path = _CONFIGS / name
  text = f"## configs/{name}\n\n{_from_docstring(path)}"
  if name == "best.py":
    text += "\n| key | value, where it differs from common.py |\n|---|---|\n"
    return text + "".join(f"| `{key}` | `{value!r}` |\n" for key, value in changed("best"))
  for title, rows in keys(path):
    text += f"\n### {title}\n" if title else ""
    text += "\n| key | default | meaning |\n|---|---|---|\n"
    text += "".join(f"| `{row.name}` | {row.default} | {_cell(row.explanation)} |\n" for row in rows)
  return text


def _flat(config, prefix=""):
  for key, value in config.items():
    if isinstance(value, config_dict.ConfigDict) and key not in ("optimizer", "phases"):
      yield from _flat(value, f"{prefix}{key}.")
    else:
      yield prefix + key, value.to_dict() if isinstance(value, config_dict.ConfigDict) else value


def _from_docstring(path):
  """The module docstring, whose indented lines are commands."""
  text, indented = "", False
  for line in ast.get_docstring(ast.parse(path.read_text("utf-8"))).splitlines():
    if line.startswith("  ") != indented and line.strip():
      text, indented = text.rstrip("\n") + ("\n```\n\n" if indented else "\n\n```\n"), not indented
    text += (line[2:] if indented else line) + "\n"
  return text.rstrip("\n") + ("\n```\n" if indented else "\n")


def _scene_options():
  """The options of a scene, from the comments of the example."""
  text = "## configs/own_scenes.yaml\n\nOptions of a scene in the `scenes_file` of "
  text += "[`own.py`](#configsownpy), or as `--config.files.<scene>.<option>=...`:\n\n"
  text += "| option | example | meaning |\n|---|---|---|\n"
  comment = []
  for line in (_CONFIGS / "own_scenes.yaml").read_text("utf-8").splitlines():
    if line.startswith("  # "):
      comment.append(line[4:])
    elif option := re.fullmatch(r"  (\w+): (.*)", line):
      if comment:
        text += f"| `{option[1]}` | `{option[2]}` | {_cell(' '.join(comment))} |\n"
      comment = []
  return text


def _assignments(tree):
  """Assignments to keys of `config` in `get_config`, in order."""
  functions = (node for node in tree.body if isinstance(node, ast.FunctionDef))
  (get_config,) = (function for function in functions if function.name == "get_config")
  statements = (node for node in get_config.body if isinstance(node, ast.Assign))
  return [node for node in statements if ast.unparse(node.targets[0]).startswith("config.")]


def _default(value):
  """The value as text, empty where it depends on the argument of the config file."""
  if ast.unparse(value).startswith("config_dict.placeholder("):
    return "`None`"
  try:
    return f"`{ast.literal_eval(value)!r}`"
  except ValueError:
    return ""


def _comment_before(lines, index):
  """The comment that ends right before a line, and the title of the table that starts there."""
  comment, title = [], ""
  while index and (found := re.fullmatch(r"\s*# (.*)", lines[index - 1])):
    index -= 1
    if heading := re.fullmatch(r"== (.*) ==", found[1]):
      title = heading[1]
      break
    comment.insert(0, found[1])
  return " ".join(comment), title


def _cell(text):
  return text.replace("|", "\\|")


if __name__ == "__main__":
  main()
