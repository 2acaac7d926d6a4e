"""The templates of the pages, strict and escaped."""

from pathlib import Path

import jinja2


def environment() -> jinja2.Environment:
  """A new environment of this directory's templates: text is escaped, an unknown name is an error."""
  return jinja2.Environment(
    loader=jinja2.FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
  )
