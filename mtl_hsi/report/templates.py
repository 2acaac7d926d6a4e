"""Jinja templates: strict and escaped."""

import os
import urllib.parse
from pathlib import Path

import jinja2

_HERE = Path(__file__).parent


def environment(*directories: Path) -> jinja2.Environment:
  """Returns an environment with the templates of this package and of further directories.

  Text is escaped, and an unknown name is an error. The filter `href` turns a path into a link.
  """
  environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader([_HERE, *directories]),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
  )
  # Names of files may contain bytes that are not valid text.
  environment.filters["href"] = lambda path: urllib.parse.quote(os.fsencode(path))
  return environment
