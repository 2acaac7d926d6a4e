"""Nothing needs what only POSIX systems have; that the program works on Windows is not tested."""

import ast
import subprocess
import sys

import pytest

from tests.launching import ROOT

_MODULES = ("fcntl", "grp", "posix", "pty", "pwd", "readline", "resource", "syslog", "termios", "tty")
# Names of os and signal that Windows lacks.
_OS = (
  *("O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "chown", "fchmod", "fork", "geteuid", "getgid"),
  *("getpgid", "getuid", "killpg", "mkfifo", "nice", "pread", "pwrite", "sched_getaffinity", "setsid"),
  *("statvfs", "sysconf", "uname", "wait4", "waitpid"),
)
_SIGNAL = ("SIGALRM", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGUSR1", "SIGUSR2", "alarm", "pthread_sigmask")
# File and name that is used only where it exists.
_GUARDED = {("mtl_hsi/runtime/devices.py", "sched_getaffinity")}

# Imports all modules; the libraries that they use may import anything.
_IMPORT = f"""
import builtins, importlib, pkgutil, sys
sys.path.insert(0, ".")
whole = builtins.__import__

def guarded(name, globals=None, *rest, **named):
  importer = (globals or {{}}).get("__name__", "")
  if name.split(".")[0] in {_MODULES} and importer.split(".")[0] in ("mtl_hsi", "configs"):
    raise ModuleNotFoundError(f"{{importer}} imports {{name}}")
  return whole(name, globals, *rest, **named)

builtins.__import__ = guarded
import configs, mtl_hsi
for package in (mtl_hsi, configs):
  for module in pkgutil.walk_packages(package.__path__, f"{{package.__name__}}."):
    importlib.import_module(module.name)
importlib.import_module("launch")
print(len([name for name in sys.modules if name.startswith("mtl_hsi.")]))
"""


@pytest.fixture(scope="module")
def trees():
  """The syntax trees of all modules, by path."""
  paths = [ROOT / "launch.py", *(ROOT / "configs").glob("*.py"), *(ROOT / "mtl_hsi").rglob("*.py")]
  return {str(path.relative_to(ROOT)): ast.parse(path.read_text("utf-8")) for path in paths}


def test_everything_is_imported_without_the_modules_of_posix(trees):
  outcome = subprocess.run([sys.executable, "-c", _IMPORT], cwd=ROOT, capture_output=True, text=True)
  assert outcome.returncode == 0, outcome.stderr
  assert int(outcome.stdout) > 0.9 * len(trees)


def test_names_that_windows_lacks_are_not_used(trees):
  used = {
    (path, node.attr)
    for path, tree in trees.items()
    for node in ast.walk(tree)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    if node.attr in {"os": _OS, "signal": _SIGNAL}.get(node.value.id, ())
  }
  assert used == _GUARDED
