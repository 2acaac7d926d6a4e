"""The documentation site, as `make docs` builds it: no warning, every page, and nothing from the network."""

import html.parser
import subprocess
import sys
from pathlib import Path

import pytest

from tests.launching import ROOT

# Attributes by which a browser loads further files.
_LOADING = {"img": "src", "script": "src", "link": "href", "source": "src", "iframe": "src"}
_FAILED = "make docs fails:\n"


class _Loaded(html.parser.HTMLParser):
  """Collects the addresses of what a page loads."""

  def __init__(self):
    super().__init__()
    self.addresses = []

  def handle_starttag(self, tag, attrs):
    self.addresses += [value for name, value in attrs if name == _LOADING.get(tag) and value]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
  pytest.importorskip("furo", reason="what makes the site is not installed (locks/test.txt)")
  place = tmp_path_factory.mktemp("site")
  words = ["-q", "-W", "--keep-going", "-c", "docs", ".", str(place)]
  outcome = subprocess.run([sys.executable, "-m", "sphinx", *words], cwd=ROOT, capture_output=True, text=True)
  assert (outcome.returncode, outcome.stdout + outcome.stderr) == (0, ""), _FAILED + outcome.stderr
  return place


@pytest.mark.slow
def test_every_page_is_on_the_site(site):
  pages = [*(ROOT / "docs").rglob("*.md"), *(ROOT / "results").glob("*.md"), ROOT / "CHANGELOG.md"]
  missing = [page for page in pages if not (site / page.relative_to(ROOT)).with_suffix(".html").is_file()]
  assert missing == []
  assert 'url=docs/index.html"' in (site / "index.html").read_text("utf-8")


@pytest.mark.slow
def test_a_page_loads_only_files_of_the_site(site):
  wrong = []
  for page in site.rglob("*.html"):
    loaded = _Loaded()
    loaded.feed(page.read_text("utf-8"))
    for address in loaded.addresses:
      path = address.partition("?")[0].partition("#")[0]
      if path and not (page.parent / path).is_file():
        wrong.append((page.relative_to(site), address))
  assert wrong == []


@pytest.mark.slow
def test_the_reference_has_subcommands_functions_and_keys(site):
  options = (site / "docs" / "reference" / "command_line.html").read_text("utf-8")
  functions = (site / "docs" / "reference" / "python.html").read_text("utf-8")
  assert 'id="mtl-hsi-predict"' in options
  assert 'id="mtl_hsi.library.train"' in functions
  # Words of the search by their stems.
  assert '"polygon":' in (site / "searchindex.js").read_text("utf-8")
