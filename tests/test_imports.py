"""The order of the packages, the imports of the JAX core, and the size of files and functions.

The order of `_ORDER` is also stated in docs/architecture.md. Lazy imports, inside functions, count as well.
"""

import ast
import graphlib
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests import import_guard

_ROOT = Path(__file__).resolve().parent.parent

# A package imports only from lines above its own.
_ORDER = (
  "__init__",
  "errors, plurals",
  "storage, runtime, models",
  "scenes",
  "channels, splits, evaluation",
  "paper",
  "training, classification",
  "settings, report",
  "runs, commandline",
  "experiment, prediction, assessment, comparison",
  "reproduction, sharing",
  "configs",
  "commands",
  "library, launch, __main__",
  "estimator",
)
_RANKS = {name: rank for rank, line in enumerate(_ORDER) for name in line.split(", ")}

_CORE = ("models", "channels", "training", "classification", "runtime")
_CORE_MAY_IMPORT = ("numpy", "scipy", "jax", "flax", "optax", "orbax-checkpoint", "absl-py", "psutil")

_LONGEST_FILE, _LONGEST_FUNCTION, _MOST_FILES_AT_TOP = 300, 60, 6

# Files and functions (path:name) over the limit, each with the reason.
_EXCEPTIONS: dict[str, str] = {
  "configs/predict.py:get_config": "a list of keys with their comments, from which docs/configs.md is made",
  "configs/common.py:get_config": "a list of keys with their comments, from which docs/configs.md is made",
}


def _tracked(*patterns: str) -> list[Path]:
  listing = subprocess.run(["git", "ls-files", "--", *patterns], cwd=_ROOT, capture_output=True, text=True)
  if listing.returncode:
    pytest.skip("not a git checkout")
  return [Path(line) for line in listing.stdout.splitlines() if (_ROOT / line).is_file()]


def _module(path: Path) -> str:
  """Name of a module below mtl_hsi/ without that prefix: "scenes.scene", "configs.own", "launch"."""
  parts = path.with_suffix("").parts
  return ".".join(parts[1:] if parts[0] == "mtl_hsi" else parts)


def _imported(path: Path, modules: set[str]) -> set[str]:
  """Modules out of `modules` that a file imports at any place."""
  names = set()
  for node in ast.walk(ast.parse((_ROOT / path).read_text())):
    if isinstance(node, ast.Import):
      names |= {alias.name for alias in node.names}
    elif isinstance(node, ast.ImportFrom):
      assert node.level == 0, f"{path}: relative import"
      names |= {f"{node.module}.{alias.name}" for alias in node.names}
  found = set()
  for name in names:
    if name.split(".")[0] not in ("mtl_hsi", "configs", "launch"):
      continue
    name = name.removeprefix("mtl_hsi.")
    found.add(next((n for n in (name, name.rpartition(".")[0]) if n in modules), "__init__"))
  return found


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
  """The modules that each module of the program imports."""
  paths = {_module(path): path for path in _tracked("mtl_hsi/*.py", "configs/*.py", "launch.py")}
  return {name: _imported(path, set(paths)) for name, path in paths.items()}


def test_packages_import_only_from_packages_before_them_in_the_order(graph):
  wrong = []
  for module, imported in graph.items():
    package = module.split(".")[0]
    for other in imported:
      other_package = other.split(".")[0]
      if other_package != package and _RANKS[other_package] >= _RANKS[package]:
        wrong.append(f"{module} imports {other}")
  assert not wrong


def test_the_architecture_page_states_the_order():
  text = (_ROOT / "docs" / "architecture.md").read_text()
  ranks = {}
  for rank, names in re.findall(r"^\| (\d+) \| (`.*?) \|", text, re.MULTILINE):
    for name in re.findall(r"`(\w+)(?:/|\.py)`", names):
      ranks[name] = int(rank)
  assert ranks == {name: rank for name, rank in _RANKS.items() if name != "__init__"}


def test_no_files_or_packages_import_each_other_in_a_circle(graph):
  """Looks at every directory in turn: its files and packages, as wholes, must have no circle."""
  siblings = {}
  for module, imported in graph.items():
    for other in imported:
      parts, others = module.split("."), other.split(".")
      same = next((i for i, (a, b) in enumerate(zip(parts, others)) if a != b), min(len(parts), len(others)))
      if same < min(len(parts), len(others)):
        edges = siblings.setdefault(".".join(parts[:same]), {})
        edges.setdefault(parts[same], set()).add(others[same])
  for directory, edges in siblings.items():
    try:
      graphlib.TopologicalSorter(edges).prepare()
    except graphlib.CycleError as error:
      pytest.fail(f"circle in mtl_hsi/{directory}: {' -> '.join(reversed(error.args[1]))}")


def test_the_core_imports_with_its_own_dependencies_alone(graph):
  modules = [f"mtl_hsi.{name}" for name in graph if name.split(".")[0] in _CORE]
  code = f"import importlib\nfor name in {sorted(modules)}: importlib.import_module(name)"
  run = import_guard.run(code, allowed=_CORE_MAY_IMPORT)
  assert run.returncode == 0, run.stderr


def test_all_but_the_builders_of_data_sets_import_without_an_extra(graph):
  project = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]
  packages = [re.match(r"[\w.-]+", line)[0] for line in project["dependencies"]]
  modules = [name for name in graph if name.split(".")[0] not in ("configs", "launch", "__main__")]
  names = sorted(f"mtl_hsi.{name}" for name in modules if name != "scenes.public.builders")
  run = import_guard.run(f"import importlib\nfor name in {names}: importlib.import_module(name)", packages)
  assert run.returncode == 0, run.stderr


# What a command needs only later, or not at all.
_NOT_FOR_HELP = (
  "jax jaxlib flax optax orbax numpy scipy sklearn rasterio geopandas pandas pyproj matplotlib h5py yaml"
)
_NOT_FOR_CHECKS = (
  "orbax tensorstore tensorboardX scipy.ndimage scipy.optimize sklearn matplotlib geopandas pandas h5py"
)


def _loaded(names: str, *command: str) -> set[str]:
  """Returns those modules of a list that a command has imported when it ends."""
  code = (
    "import sys, runpy\n"
    f"sys.argv = {list(command)!r}\n"
    "module = sys.argv.pop(0) == '-m'\n"
    "run = runpy.run_module if module else runpy.run_path\n"
    "try: run(sys.argv[0], run_name='__main__')\n"
    "except SystemExit: pass\n"
    f"print(*(name for name in {names.split()!r} if name in sys.modules), file=sys.stderr)"
  )
  run = subprocess.run([sys.executable, "-c", code], cwd=_ROOT, capture_output=True, text=True)
  assert run.returncode == 0, run.stderr
  return set(run.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("command", [("--help",), ("check", "--help")])
def test_the_help_of_the_command_imports_no_heavy_package(command):
  assert _loaded(f"{_NOT_FOR_HELP} ml_collections", "-m", "mtl_hsi", *command) == set()


def test_the_help_of_a_config_imports_neither_jax_nor_the_readers_of_files():
  # ml_collections imports numpy, yaml describes the options of scenes.
  allowed = {"numpy", "yaml"}
  names = " ".join(set(_NOT_FOR_HELP.split()) - allowed)
  assert _loaded(names, "run", "launch.py", "--config=configs/quickstart.py", "--help") == set()


def test_a_check_of_scenes_imports_only_what_it_uses(inputs):
  cubes = (f"--config.files.{name}.cube={inputs / name}.npz" for name in ("fields", "town"))
  command = "launch.py", f"--config={inputs / 'tiny.py'}", *cubes, "--config.check_only=True"
  # The third scene is simulated with smoothed noise.
  assert _loaded(_NOT_FOR_CHECKS, "run", *command) == {"scipy.ndimage"}


def test_few_files_are_at_the_top():
  files = [path for path in _tracked("mtl_hsi/*.py") if len(path.parts) == 2]
  assert len(files) <= _MOST_FILES_AT_TOP


def _long_files() -> dict[str, int]:
  """Lines of every file over the limit, by path."""
  lengths = {
    str(path): len((_ROOT / path).read_text().splitlines())
    for path in _tracked("*.py", "*.js", "*.html", "*.css")
    if path.parts[0] != "results"
  }
  return {path: n for path, n in lengths.items() if n > _LONGEST_FILE}


def _long_functions() -> dict[str, int]:
  """Lines of every function over the limit, by "path:name"."""
  lengths = {}
  for path in _tracked("*.py"):
    for node in ast.walk(ast.parse((_ROOT / path).read_text())):
      if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        name = f"{path}:{node.name}"
        lengths[name] = max(lengths.get(name, 0), node.end_lineno - node.lineno + 1)
  return {name: n for name, n in lengths.items() if n > _LONGEST_FUNCTION}


def _wrong_init_files() -> set[str]:
  """Init files that hold anything except a docstring of at most three lines."""
  wrong = set()
  for path in _tracked("mtl_hsi/*/__init__.py"):
    tree = ast.parse((_ROOT / path).read_text())
    lines = (ast.get_docstring(tree) or "").splitlines()
    if len(tree.body) != 1 or not 1 <= len(lines) <= 3:
      wrong.add(str(path))
  return wrong


def test_files_are_short():
  assert {path: n for path, n in _long_files().items() if path not in _EXCEPTIONS} == {}


def test_functions_are_short():
  assert {name: n for name, n in _long_functions().items() if name not in _EXCEPTIONS} == {}


def test_an_init_file_holds_a_docstring_of_at_most_three_lines():
  assert _wrong_init_files() - _EXCEPTIONS.keys() == set()


def test_every_exception_is_needed():
  needed = _long_files().keys() | _long_functions().keys() | _wrong_init_files()
  assert _EXCEPTIONS.keys() - needed == set(), "remove these exceptions"
