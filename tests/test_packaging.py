"""pip install . brings what the requirements name, and the defaults in configs/."""

import re
import tomllib
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_PYPROJECT = tomllib.loads((_ROOT / "pyproject.toml").read_text())


def required(name: str) -> set[str]:
  """Packages that a requirements file names, without versions."""
  return set(re.findall(r"^([\w-]+(?:\[\w+\])?)==", (_ROOT / name).read_text(), re.MULTILINE))


def test_dependencies_are_those_of_the_requirements():
  project = _PYPROJECT["project"]
  assert set(project["dependencies"]) == required("requirements-cpu.txt")
  assert set(project["optional-dependencies"]["cuda"]) == required("requirements.txt")


def test_the_defaults_are_installed_too():
  assert _PYPROJECT["tool"]["setuptools"]["packages"]["find"]["include"] == ["configs*", "mtl_hsi*"]
