"""The Makefile under stand-ins for Python, so that nothing is installed."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from third_party import licences

ROOT = Path(__file__).parent.parent

# Logs its arguments; `-m venv --clear DIR` makes an environment of its kind; `-c` runs as version 3.$MINOR.
PYTHON = """#!/bin/sh
minor={minor}
echo "3.$minor $*" >> "{log}"
case "$*" in
  *version_info*) [ $minor -ge 11 ] && case "$*" in *ensurepip*) {has_venv} ;; esac ;;
  --version) echo "Python 3.$minor" ;;
  *"-m venv"*) mkdir -p "$4/bin" && cp "$0" "$4/bin/python" ;;
esac
"""


class Machine:
  """A copy of the Makefile and a path on which only what a test puts there is found."""

  def __init__(self, directory: Path):
    self.tree = directory / "tree"
    self.log = directory / "log"
    self.path = directory / "bin"
    (self.tree / "benchmarks").mkdir(parents=True)
    self.path.mkdir()
    shutil.copy(ROOT / "Makefile", self.tree)
    shutil.copytree(ROOT / "locks", self.tree / "locks")
    for requirements in (ROOT / "benchmarks").glob("requirements*.txt"):
      shutil.copy(requirements, self.tree / "benchmarks")
    for name in ("make", "sh", "mkdir", "cp", "touch", "rm", "find", "sed"):
      (self.path / name).symlink_to(shutil.which(name))

  def add(self, name: str, script: str) -> None:
    (self.path / name).write_text(script)
    (self.path / name).chmod(0o755)

  def add_python(self, name: str, minor: int, has_venv: bool = True) -> None:
    self.add(name, PYTHON.format(minor=minor, log=self.log, has_venv=str(has_venv).lower()))

  def make(self, target: str) -> subprocess.CompletedProcess:
    variables = {**os.environ, "PATH": str(self.path)}
    for inherited in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
      variables.pop(inherited, None)
    return subprocess.run(["make", target], cwd=self.tree, env=variables, capture_output=True, text=True)

  def calls(self) -> list[str]:
    """What the stand-ins were asked to do, checks of their fitness left out."""
    lines = self.log.read_text().splitlines() if self.log.exists() else []
    self.log.unlink(missing_ok=True)
    return [line for line in lines if not re.search(r"version_info|--version$", line)]


@pytest.fixture
def machine(tmp_path) -> Machine:
  return Machine(tmp_path)


PIP = "-m pip --disable-pip-version-check --no-input install -qq"
LOCK = f"{PIP} --require-hashes --no-build-isolation -r"


def test_the_first_time_installs_and_the_second_only_runs(machine):
  machine.add_python("python3.11", 11)
  assert machine.make("test").returncode == 0
  assert machine.calls() == [
    "3.11 -m venv --clear .venv",
    f"3.11 {LOCK} locks/build.txt",
    f"3.11 {LOCK} locks/cpu.txt",
    f"3.11 {LOCK} locks/test.txt",
    "3.11 -m pytest -q -n 2 --dist worksteal",
  ]
  assert machine.make("test").returncode == 0
  assert machine.calls() == ["3.11 -m pytest -q -n 2 --dist worksteal"]


@pytest.mark.parametrize(
  ("goal", "launched"),
  [
    ("quickstart", "--config=configs/quickstart.py --workdir=runs/quickstart"),
    ("paper", "--config=configs/paper.py:tables --config.download=True"),
  ],
)
def test_what_is_launched_needs_no_test_packages(machine, goal, launched):
  machine.add_python("python3", 12)
  assert machine.make(goal).returncode == 0
  assert machine.calls()[1:] == [
    f"3.12 {LOCK} locks/build.txt",
    f"3.12 {LOCK} locks/cpu.txt",
    f"3.12 launch.py {launched}",
  ]


def test_the_benchmark_has_an_environment_of_its_own(machine):
  machine.add_python("python3", 11)
  assert machine.make("bench").returncode == 0
  assert machine.calls() == [
    "3.11 -m venv --clear .venv-bench",
    f"3.11 {LOCK} locks/build.txt",
    f"3.11 {LOCK} locks/cpu.txt",
    f"3.11 {PIP} -c .venv-bench/locked.txt -r benchmarks/requirements-cpu.txt",
    "3.11 -m benchmarks.run --out=results/benchmark.json --plot=results/benchmark.png",
  ]
  assert not (machine.tree / ".venv").exists()


def test_the_benchmark_leaves_the_locked_versions_alone(machine):
  machine.add_python("python3", 11)
  machine.make("bench")
  constraints = (machine.tree / ".venv-bench" / "locked.txt").read_text().splitlines()
  # TensorFlow wants an older h5py.
  pins = [pin.partition(" ")[0] for pin in licences.pins("cpu")]
  assert constraints == [pin for pin in pins if not pin.startswith("h5py==")]


def test_a_changed_lock_is_installed_into_the_same_environment(machine):
  machine.add_python("python3", 11)
  machine.make("quickstart")
  machine.calls()
  later = (machine.tree / ".venv" / "cpu.installed").stat().st_mtime + 10
  os.utime(machine.tree / "locks" / "cpu.txt", (later, later))
  assert machine.make("quickstart").returncode == 0
  assert machine.calls()[1] == f"3.11 {LOCK} locks/cpu.txt"


def test_an_nvidia_gpu_gets_the_cuda_build(machine):
  machine.add_python("python3", 11)
  machine.add("nvidia-smi", "#!/bin/sh\n")
  machine.make("quickstart")
  assert machine.calls()[2] == f"3.11 {LOCK} locks/cuda12.txt"


def test_the_newest_python_that_runs_is_used(machine):
  machine.add("python3.13", "#!/bin/sh\necho 'no such version' >&2\nexit 127\n")
  machine.add_python("python3.12", 12, has_venv=False)
  machine.add_python("python3.11", 11)
  machine.add_python("python3", 9)
  result = machine.make("quickstart")
  assert result.returncode == 0
  assert result.stderr == ""
  assert "3.11 -m venv --clear .venv" in machine.calls()


@pytest.mark.parametrize(("minor", "has_venv"), [(10, True), (11, False)])
def test_no_usable_python_is_one_clear_line(machine, minor, has_venv):
  machine.add_python("python3", minor, has_venv)
  result = machine.make("quickstart")
  assert result.returncode == 2
  assert result.stderr.splitlines()[0] == (
    "No Python 3.11 or newer with the venv module was found;"
    " on Debian or Ubuntu: apt install python3 python3-venv"
  )
  assert not (machine.tree / ".venv").exists()


def test_a_broken_environment_is_made_anew(machine):
  machine.add_python("python3", 11)
  machine.make("quickstart")
  machine.calls()
  (machine.tree / ".venv" / "cpu.installed").unlink()
  (machine.tree / ".venv" / "bin" / "python").write_text("#!/nowhere/python3.9\n")
  assert machine.make("quickstart").returncode == 0
  assert machine.calls()[0] == "3.11 -m venv --clear .venv"


def test_cleaning_keeps_what_runs_wrote(machine):
  machine.add_python("python3", 11)
  (machine.tree / "runs").mkdir()
  machine.make("test")
  machine.make("clean")
  assert not (machine.tree / ".venv").exists()
  assert (machine.tree / "runs").exists()
