"""Configuration of Sphinx for the documentation site, which `make docs` builds.

The source directory is the whole checkout, so that links between pages work here as they do in a checkout.
"""

import tomllib
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent
_PROJECT = tomllib.loads((_ROOT / "pyproject.toml").read_text("utf-8"))["project"]

# Tables of results/ have no headings.
_RESULTS = {
  "suite": "Accuracy on every real scene",
  "best": "The recommended recipe and its parts",
  "alignment": "Bands by index and by wavelength",
  "calibration": "Choices where the letter is silent",
  "multitask_crops": "Real scenes trained together",
  "table3": "The letter's tables",
  "determinism": "Reproducibility",
}

project = _PROJECT["name"]
version = release = _PROJECT["version"]
author = copyright = "The mtl_hsi developers"

root_doc = "docs/index"
include_patterns = [
  "docs/**.md",
  "notebooks/*.ipynb",
  *(f"results/{name}.md" for name in _RESULTS),
  "*/README.md",
  "third_party/licences.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
]
# Sphinx would follow the links in these.
exclude_patterns = [".*", "runs", "data", "build", "example", "maps"]

extensions = [
  "myst_nb",
  "sphinx.ext.autodoc",
  "sphinx.ext.napoleon",
  "sphinx_click",
  "sphinx_copybutton",
]

# Anchors as on GitHub.
myst_heading_anchors = 4
# The outputs of the notebooks are stored in them; tests/test_notebooks.py executes them.
nb_execution_mode = "off"

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_preserve_defaults = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
# Docstrings write code in single backticks.
default_role = "code"
# Options begin with two hyphens.
smartquotes = False
nitpicky = True
# Types of other libraries: their inventories would have to be downloaded.
nitpick_ignore_regex = [("py:.*", r"(?!mtl_hsi\.).*")]

highlight_language = "none"
copybutton_selector = "div:not(.highlight-console):not(.highlight-text) > div.highlight > pre"

html_theme = "furo"
html_title = f"mtl_hsi {version}"
html_extra_path = ["static/index.html"]
html_copy_source = False
# Summaries need other pages, which browsers do not fetch from disk.
html_show_search_summary = False
html_show_sphinx = False


def _add_title(app, docname, source):
  folder, _, name = docname.rpartition("/")
  if folder == "results":
    source[0] = f"# {_RESULTS[name]}\n\n{source[0]}"


def _mark_examples(app, ctx, lines):
  """Marks the preformatted blocks of a help text, each after a line of text, as literal blocks."""
  marked, inside = [], False
  for line in lines:
    bare = line.removeprefix("| ")
    starts = bare != line and not inside
    inside = bare != line
    marked += [bare.rstrip() + ":", ""] if starts else [bare]
  lines[:] = marked


def setup(app):
  app.connect("source-read", _add_title)
  app.connect("sphinx-click-process-description", _mark_examples)
