"""The pages in docs/ leave out no config file and no key, and link to what is there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from ml_collections import config_dict

from configs import adapt, common, own, paper, predict
from mtl_hsi.scenes.images import rasters
from mtl_hsi.settings.scenes_file import OPTIONS

_ROOT = Path(__file__).resolve().parent.parent
_DOCS = _ROOT / "docs"
_CONFIGS = (_DOCS / "configs.md").read_text()


def section(name: str) -> str:
  """What configs.md says of a file."""
  return _CONFIGS.split(f"\n## configs/{name}\n")[1].split("\n## ")[0]


def keys(config: config_dict.ConfigDict, prefix: str = "") -> Iterator[str]:
  """Every key, with the phases as groups and the optimiser's arguments by themselves."""
  for key, value in config.items():
    if isinstance(value, config_dict.ConfigDict) and key in ("model", "classify", "smoothing", "phases"):
      yield from keys(value, f"{prefix}{key}.")
    else:
      yield prefix + key


@pytest.mark.parametrize("path", sorted((_ROOT / "configs").glob("*.[py]*")), ids=lambda path: path.name)
def test_every_config_file_has_a_section(path):
  assert section(path.name).strip()


@pytest.mark.parametrize("key", [*keys(common.get_config())])
def test_every_key_of_training_is_explained(key):
  assert f"`{key}`" in section("common.py")


def test_the_formats_of_rasters_are_listed():
  listed = section("own.py").split("in these formats, by GDAL's names for them:")[1].split(":")[0]
  assert set(rasters.FORMATS) == set(
    re.findall(r"[\w]+", re.sub(r"\(.*?\)|\band\b", "", listed, flags=re.S))
  )


@pytest.mark.parametrize("key", sorted(common.get_config().phases.phase1))
def test_every_key_of_a_phase_is_explained(key):
  assert f"`{key}`" in section("common.py")


@pytest.mark.parametrize(
  ("name", "config"),
  [
    ("own.py", own.get_config()),
    ("adapt.py", adapt.get_config()),
    ("paper.py", paper.get_config("table3")),
    ("predict.py", predict.get_config()),
  ],
)
def test_every_key_that_a_file_adds_is_explained(name, config):
  known = set() if name == "predict.py" else {*keys(common.get_config()), *keys(own.get_config())}
  if name == "own.py":
    known = set(keys(common.get_config()))
  for key in set(keys(config)) - known:
    assert f"`{key}`" in section(name), key


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_of_a_scene_is_named(option):
  assert f"`{option}`" in section("own.py")


@pytest.mark.parametrize("page", sorted(_DOCS.glob("*.md")), ids=lambda page: page.name)
def test_links_lead_somewhere(page):
  for target in re.findall(r"\]\(([^)#]*)(?:#[^)]*)?\)", page.read_text()):
    assert not target or (_DOCS / target).is_file(), target


def test_the_readme_links_to_every_page():
  readme = (_ROOT / "README.md").read_text()
  for page in _DOCS.glob("*.md"):
    assert f"(docs/{page.name})" in readme


@pytest.mark.parametrize("page", ["README.md", "docs/recipe.md"])
def test_accuracies_with_a_spread_are_those_of_the_results(page):
  known = " ".join(path.read_text() for path in (_ROOT / "results").glob("*.md"))
  figures = set(re.findall(r"\d+\.\d+ ± \d+\.\d+", (_ROOT / page).read_text()))
  assert figures
  assert sorted(figure for figure in figures if figure not in known) == []
