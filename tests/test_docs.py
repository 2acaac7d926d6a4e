"""The documentation is true: links lead somewhere, commands are accepted, figures are in results/."""

import contextlib
import re
import shlex
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from unittest import mock

import pytest

from docs import config_page
from mtl_hsi.commands import new
from mtl_hsi.scenes.images import rasters
from mtl_hsi.settings.scene_options import OPTIONS
from tests.launching import ROOT, launch, mtl_hsi

_PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *ROOT.glob("*/README.md")])
_PAGE = pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(ROOT)))
# What launch.py would start. Here it only has to accept the request.
_STARTED = (
  "mtl_hsi.experiment.adapt.run",
  "mtl_hsi.experiment.remake.run",
  "mtl_hsi.prediction.predict.run",
  "mtl_hsi.sharing.export.run",
  "mtl_hsi.assessment.draw.run",
  "mtl_hsi.assessment.estimate.run",
  "mtl_hsi.comparison.compare.run",
  "mtl_hsi.reproduction.paper_grid.run",
  "mtl_hsi.reproduction.sweep.run",
  # The last one: modules that are imported for the others must not keep the mock.
  "mtl_hsi.experiment.run.run_experiment",
)
_JOINING = ("--coordinator", "--processes", "--process")
_SCENES = "fields:\n  cube: fields.tif\n  labels: fields.gpkg\ntown:\n  cube: town.hdr\n  labels: town.csv\n"


def commands(page: Path) -> Iterator[str]:
  """Yields the commands in the fenced blocks of a page."""
  for block in re.findall(r"^```(?:sh)?\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE):
    for line in block.replace("\\\n", " ").splitlines():
      if re.match(r"(\S*python3?|make|pip|mtl-hsi|\.ci/run)\s", line):
        # Explanations follow after a # or after several spaces.
        yield re.sub(r" {2,}[#\w].*$", "", re.sub(r" +--", " --", line))


ALL_COMMANDS = sorted({command for page in _PAGES for command in commands(page) if "<" not in command})


@pytest.fixture
def checkout(tmp_path, monkeypatch) -> None:
  """A checkout with the scenes files that the commands name."""
  for name in ("configs", "Makefile", "locks", "benchmarks", "pyproject.toml"):
    (tmp_path / name).symlink_to(ROOT / name)
  for path in ("scenes.yaml", "example/scenes.yaml"):
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_text(_SCENES)
  monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("checkout")
@pytest.mark.parametrize("command", ALL_COMMANDS)
def test_a_command_is_accepted(command):
  program, *words = shlex.split(command, comments=True)
  if program == "make":
    subprocess.run([program, "-n", *words], check=True, capture_output=True)
  elif program == "mtl-hsi":
    accept_command(words)
  elif words[0] == "launch.py":
    accept([word for word in words[1:] if word != "..." and not word.startswith(_JOINING)])
  elif words[:2] == ["-m", "venv"] or program.endswith("pip"):
    assert all((ROOT / word).exists() for word in words if word.endswith(".txt"))
  else:
    assert (ROOT / words[1].replace(".", "/")).with_suffix(".py").is_file()


def accept(arguments: Iterable[str]) -> None:
  """Has launch.py read a request whose work would begin now."""
  with contextlib.ExitStack() as stack:
    stack.enter_context(mock.patch("mtl_hsi.experiment.remake.replicas", return_value=1))
    started = [stack.enter_context(mock.patch(name)) for name in _STARTED]
    outcome = launch(*(word.replace("$SLURM_ARRAY_TASK_ID", "1") for word in arguments))
  assert (outcome.status, outcome.err) == (0, "")
  assert sum(mocked.call_count for mocked in started) == 1


def accept_command(words: list[str]) -> None:
  """Has mtl-hsi read a request whose work would begin now; `new` has no config to read."""
  if words[0] == "new":
    assert new.new.make_context("new", words[1:]).params["files"]
    return
  with contextlib.ExitStack() as stack:
    started = [stack.enter_context(mock.patch(name, return_value=None)) for name in _STARTED]
    outcome = mtl_hsi(*words)
  assert (outcome.status, outcome.err) == (0, "")
  assert sum(mocked.call_count for mocked in started) == 1


@_PAGE
def test_links_lead_somewhere(page):
  for path, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", page.read_text("utf-8")):
    target = page.parent / path if path else page
    assert target.exists(), path
    if anchor:
      headings = re.findall(r"^#+ (.*)$", target.read_text("utf-8"), re.MULTILINE)
      assert anchor in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_is_short_and_leads_to_every_page():
  readme = (ROOT / "README.md").read_text("utf-8")
  assert len(readme.splitlines()) <= 150
  for page in (ROOT / "docs").glob("*.md"):
    assert f"(docs/{page.name})" in readme


def test_the_site_has_every_page():
  entries = (ROOT / "docs" / "index.md").read_text("utf-8").splitlines()
  assert [page.stem for page in (ROOT / "docs").glob("*.md") if page.stem not in ("index", *entries)] == []


def test_the_page_of_keys_is_fresh():
  assert config_page.PAGE.read_text("utf-8") == config_page.page(), "run python -m docs.config_page"


@pytest.mark.parametrize(
  "name", ["common", "own", "adapt", "predict", "assess_draw", "assess_estimate", "report", "export", "paper"]
)
def test_every_key_is_explained(name):
  assert list(config_page.unexplained(name)) == []


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_of_a_scene_is_explained(option):
  assert f"| `{option}` |" in config_page.page()


def test_the_formats_of_rasters_are_listed():
  text = (ROOT / "docs" / "scenes.md").read_text("utf-8")
  listed = text.split("by GDAL's names for them:")[1].split(":")[0]
  assert set(rasters.FORMATS) == set(re.findall(r"\w+", re.sub(r"\(.*?\)|\band\b", "", listed, flags=re.S)))


@_PAGE
def test_accuracies_with_a_spread_are_those_of_the_results(page):
  known = " ".join(path.read_text("utf-8") for path in (ROOT / "results").glob("*.md"))
  figures = set(re.findall(r"\d+\.\d+ ± \d+\.\d+", page.read_text("utf-8")))
  assert sorted(figure for figure in figures if figure not in known) == []


def test_python_examples_import():
  """The names that the pages import exist; tests/test_library.py runs the examples of docs/library.md."""
  imports = set()
  for page in _PAGES:
    for block in re.findall(r"^```python\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE):
      imports.update(re.findall(r"^(?:from|import) .*$", block, re.MULTILINE))
  subprocess.run([sys.executable, "-c", "\n".join(sorted(imports))], cwd=ROOT, check=True)
