"""What pyproject.toml asks for, what locks/ pins, and what the table of licences lists."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import mtl_hsi
from tests import launching
from third_party import licences

ROOT = Path(__file__).resolve().parent.parent
_PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
_PROJECT, _GROUPS = _PYPROJECT["project"], _PYPROJECT["dependency-groups"]
_EXTRAS = ("datasets", "parquet", "svm")
_LOCKED = _PROJECT["dependencies"] + [
  one for extra in _EXTRAS for one in _PROJECT["optional-dependencies"][extra]
]
_ON_LINUX = {"sys_platform": "linux", "platform_system": "Linux"}
# Endings of the files beside the code that it reads.
_DATA = {".csv", ".css", ".html", ".js", ".typed"}
_OFFLINE = ("--quiet", "--no-index", "--no-deps")
_OSI_BSD = "License :: OSI Approved :: BSD License"


def locked(lock: str) -> dict[str, Requirement]:
  return {canonicalize_name(pin.name): pin for pin in map(Requirement, licences.pins(lock))}


@pytest.mark.parametrize(
  ("lock", "asked"),
  [
    ("cpu", _LOCKED),
    ("cuda12", _LOCKED + _PROJECT["optional-dependencies"]["cuda12"]),
    ("test", _GROUPS["test"]),
    ("build", _GROUPS["build"]),
  ],
)
def test_a_lock_pins_what_is_asked_for(lock, asked):
  pins = locked(lock)
  for requirement in map(Requirement, asked):
    (version,) = pins[canonicalize_name(requirement.name)].specifier
    assert version.operator == "=="
    assert requirement.specifier.contains(version.version), requirement


def test_locks_agree_on_every_version():
  pins = [locked(lock) for lock in ("cpu", "cuda12", "test")]
  for lock in pins:
    for other in pins:
      assert all(lock[name].specifier == other[name].specifier for name in lock.keys() & other.keys())
  assert pins[0].keys() < pins[1].keys()
  assert "jax-cuda12-plugin" in pins[1]


@pytest.mark.parametrize("lock", licences.LOCKS)
def test_every_pin_has_hashes_and_none_an_address(lock):
  text = (ROOT / "locks" / f"{lock}.txt").read_text()
  hashed = re.findall(r"^([^\s#].*) \\\n    --hash=sha256:[0-9a-f]{64}\b", text, re.MULTILINE)
  assert hashed == licences.pins(lock)
  assert "://" not in text


def test_the_licence_of_every_pin_is_listed():
  rows = licences.TABLE.read_text().partition("|---|\n")[2]
  listed = re.findall(r"^\| ([\w.-]+) \| (\S+) \| \S.* \| ([\w, ]+) \|$", rows, re.MULTILINE)
  wanted = {}
  for lock in licences.LOCKS:
    for name, pin in locked(lock).items():
      if pin.marker is None or pin.marker.evaluate(_ON_LINUX):
        wanted.setdefault((name, str(pin.specifier)[2:]), []).append(lock)
  assert {(name, version): locks.split(", ") for name, version, locks in listed} == wanted


@pytest.mark.parametrize(
  "file", ["fuzz/requirements.txt", "benchmarks/requirements-cpu.txt", "benchmarks/requirements-cuda12.txt"]
)
def test_the_licence_of_what_is_not_locked_is_listed(file):
  readme = (ROOT / "third_party" / "README.md").read_text()
  lines = (ROOT / file).read_text().splitlines()
  for requirement in (Requirement(line) for line in lines if line and not line.startswith("#")):
    (version,) = requirement.specifier
    package = rf"\b{re.escape(f'{requirement.name} {version.version}')}\b"
    listed = rf"^\| .*{package}.* \| `{re.escape(file.partition('-')[0])}.*` \| \S.* \|$"
    assert re.search(listed, readme, re.MULTILINE), requirement


@pytest.mark.parametrize(
  ("metadata", "licence"),
  [
    ({"license_expression": "MIT", "license": "see LICENSE"}, "MIT"),
    ({"license": "MPL-2.0 AND MIT", "classifier": [_OSI_BSD]}, "MPL-2.0 AND MIT"),
    ({"license": "Terms\nand so on", "classifier": [_OSI_BSD]}, "BSD License"),
    ({"license": "MIT License\n\nCopyright"}, "MIT License"),
    ({"classifier": ["Topic :: Scientific/Engineering"]}, "not stated"),
  ],
)
def test_a_licence_is_read_from_whatever_states_it(metadata, licence):
  assert licences.licence(metadata) == licence


def test_the_package_has_the_projects_version():
  assert mtl_hsi.__version__ == _PROJECT["version"]


def test_the_defaults_are_installed_too():
  assert _PYPROJECT["tool"]["setuptools"]["packages"]["find"]["include"] == ["configs*", "mtl_hsi*"]


# Run beside an unpacked wheel: what the package reads of its own data.
_USE = """
import pathlib, mtl_hsi.library, mtl_hsi.paper
from mtl_hsi.report import page, script
from mtl_hsi.scenes.public import sensors
assert page._ENVIRONMENT.get_template("page.html")
assert script.page_script()
assert len(sensors.indian_pines_bands()[0]) == 200
print(pathlib.Path(mtl_hsi.library.__file__).parent.parent)
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
  """A directory in which the wheel is installed, without the packages that it needs."""
  pytest.importorskip("setuptools", reason="the packages of locks/build.txt are not installed")
  place = tmp_path_factory.mktemp("wheel")
  pip("install", *_OFFLINE, "--target", str(place / "installed"), str(build(place)))
  return place / "installed"


def build(place: Path) -> Path:
  """Builds the wheel from a copy of the tree, in which a build leaves files."""
  source = place / "source"
  for name in ("mtl_hsi", "configs"):
    shutil.copytree(
      ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"), copy_function=shutil.copyfile
    )
  for name in ("pyproject.toml", "README.md", "LICENSE"):
    shutil.copyfile(ROOT / name, source / name)
  pip("wheel", *_OFFLINE, "--no-build-isolation", "-w", str(place), str(source))
  (wheel,) = place.glob("mtl_hsi-*.whl")
  return wheel


def pip(*words: str) -> None:
  outcome = subprocess.run([sys.executable, "-m", "pip", *words], capture_output=True, text=True)
  assert outcome.returncode == 0, outcome.stderr


def outside(installed: Path, place: Path, *command: str) -> subprocess.CompletedProcess:
  """Runs a command in a directory without a checkout."""
  environment = {**os.environ, "PYTHONPATH": str(installed)}
  return subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)


@pytest.mark.slow
def test_a_wheel_has_everything_and_works_outside_of_the_tree(installed, tmp_path):
  data = [path.relative_to(ROOT) for path in (ROOT / "mtl_hsi").rglob("*") if path.suffix in _DATA]
  assert {path.suffix for path in data} == _DATA
  data += [Path("configs", "own_scenes.yaml")]
  assert [path for path in data if not (installed / path).is_file()] == []
  outcome = outside(installed, tmp_path, sys.executable, "-c", _USE)
  assert outcome.returncode == 0, outcome.stderr
  assert outcome.stdout == f"{installed}\n"


@pytest.mark.slow
def test_two_builds_of_one_commit_are_equal(tmp_path, monkeypatch):
  pytest.importorskip("setuptools", reason="the packages of locks/build.txt are not installed")
  monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
  first, second = build(tmp_path / "a"), build(tmp_path / "b")
  assert first.name == second.name
  assert first.read_bytes() == second.read_bytes()


@pytest.mark.slow
def test_the_command_of_a_wheel_works_in_any_directory(installed, tmp_path):
  launching.write_inputs(tmp_path)
  # A directory of the same name as a package of the wheel.
  (tmp_path / "configs").mkdir()
  (tmp_path / "configs" / "own.py").write_text("raise SystemExit('another own.py')")
  for command in ([str(installed / "bin" / "mtl-hsi")], [sys.executable, "-m", "mtl_hsi"]):
    outcome = outside(installed, tmp_path, *command, "check", "fields.npz")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert outcome.stdout.startswith("fields: 12 rows x 10 columns")
