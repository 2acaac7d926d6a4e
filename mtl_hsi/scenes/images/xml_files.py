"""XML files that come with images."""

from pathlib import Path
from xml.etree import ElementTree

from mtl_hsi.storage import memory

# The most memory, in bytes, for a byte of XML: that of elements with one attribute.
MEMORY_RATIO = 64


def read_xml(path: Path) -> ElementTree.Element:
  """Reads the root element of a file without a document type.

  Raises:
    RequestError: the document might not fit into memory.
    OSError: the file cannot be read.
    ValueError: it is not XML, or it has a document type.
  """
  memory.check_file(path, MEMORY_RATIO)
  try:
    return ElementTree.parse(path, ElementTree.XMLParser(target=_Builder())).getroot()
  # An unknown encoding raises a LookupError.
  except (ElementTree.ParseError, LookupError) as error:
    raise ValueError(str(error)) from error


class _Builder(ElementTree.TreeBuilder):
  def doctype(self, name: str, public: str | None, system: str | None) -> None:
    # Nested entities expand a few bytes to any length.
    raise ValueError(f"the document type ({name}) is not allowed")
