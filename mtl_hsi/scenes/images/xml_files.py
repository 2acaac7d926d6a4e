"""XML files that come with images."""

from pathlib import Path
from xml.etree import ElementTree

from mtl_hsi.storage import memory

# Bytes that a byte of XML, an element with one attribute at worst, can become.
RATIO = 64


def read(path: Path) -> ElementTree.Element:
  """Reads the root element of a file without a document type.

  Raises:
    RequestError: it might not fit into memory.
    OSError: it cannot be read.
    ValueError: it is no XML, or has a document type.
  """
  memory.check_file(path, RATIO)
  try:
    return ElementTree.parse(path, ElementTree.XMLParser(target=_Builder())).getroot()
  # An encoding that is none is a LookupError.
  except (ElementTree.ParseError, LookupError) as error:
    raise ValueError(str(error)) from error


class _Builder(ElementTree.TreeBuilder):
  def doctype(self, name: str, public: str | None, system: str | None) -> None:
    # Its entities, put into one another, would make any length out of a few bytes.
    raise ValueError(f"a document type ({name}), expected none")
