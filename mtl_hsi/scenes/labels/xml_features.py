"""Features in KML and GML, without anything that leads to other files or hosts."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import xml_files

# Elements of KML that are no features, most of which can link to hosts.
_DROPPED = {
  *("NetworkLink", "NetworkLinkControl", "Style", "StyleMap", "styleUrl", "GroundOverlay", "PhotoOverlay"),
  *("ScreenOverlay", "Model", "Region", "Tour", "LookAt", "Camera"),
}
# Elements of GML that give the extent of features, which GDAL takes for columns.
_EXTENT = "boundedBy"
# Attributes that refer to schemas and elements, on hosts or in other files.
_REFERENCES = {"schemaLocation", "noNamespaceSchemaLocation", "href"}
# Deeper trees are not features, and would end the interpreter's recursion.
_DEEPEST = 200


@contextlib.contextmanager
def cleaned(path: Path, where: str) -> Iterator[Path]:
  """Writes a copy of a file, without references, in which GDAL may also write its side files.

  Args:
    path: a .kml or .gml file.
    where: the file that the user named, for messages.

  Raises:
    RequestError: it is not XML of its format, might not fit into memory, or has a document type.
  """
  kind = path.suffix.lower().removeprefix(".")
  try:
    root = xml_files.read_xml(path)
  except (OSError, ValueError) as error:
    raise RequestError(f"{where} cannot be read as {kind.upper()} ({error}); download it again") from error
  if kind == "kml":
    root = _clean_kml(root, where)
  else:
    _clean_gml(root, where)
  with tempfile.TemporaryDirectory(prefix="mtl_hsi-") as folder:
    copy = Path(folder, f"features.{kind}")
    copy.write_bytes(ElementTree.tostring(root, "utf-8", xml_declaration=True))
    yield copy


def _clean_kml(root: ElementTree.Element, where: str) -> ElementTree.Element:
  """Removes namespaces, as GDAL knows KML by its first element, and whatever is no feature."""
  if _local(root.tag) != "kml":
    raise RequestError(f"{where} is not KML; its first element is {_local(root.tag)[:40]!r}")
  for depth, element in _walk(root):
    _check_depth(depth, where)
    element.tag = _local(element.tag)
    element.attrib = {key: value for key, value in element.attrib.items() if not key.startswith("{")}
    for child in [child for child in element if _local(child.tag) in _DROPPED]:
      element.remove(child)
  root.set("xmlns", "http://www.opengis.net/kml/2.2")
  return root


def _clean_gml(root: ElementTree.Element, where: str) -> None:
  spaces = [tag.partition("}")[0].removeprefix("{") for tag in {element.tag for element in root.iter()}]
  if _local(root.tag) != "FeatureCollection" or not any(map(_is_gml, spaces)):
    raise RequestError(f"{where} is not GML; expected a FeatureCollection")
  for space in filter(_is_gml, spaces):
    ElementTree.register_namespace("gml", space)
  for depth, element in _walk(root):
    _check_depth(depth, where)
    for key in [key for key in element.attrib if _local(key) in _REFERENCES]:
      del element.attrib[key]
    for child in [child for child in element if _local(child.tag) == _EXTENT]:
      element.remove(child)


def _is_gml(space: str) -> bool:
  return space in (
    "http://www.opengis.net/gml",
    "http://www.opengis.net/gml/3.2",
    "http://www.opengis.net/gml/3.3",
  )


def _walk(root: ElementTree.Element) -> Iterator[tuple[int, ElementTree.Element]]:
  """Yields depth and element, an element before its children."""
  waiting = [(0, root)]
  while waiting:
    depth, element = waiting.pop()
    yield depth, element
    waiting += [(depth + 1, child) for child in element]


def _check_depth(depth: int, where: str) -> None:
  if depth > _DEEPEST:
    raise RequestError(f"{where} nests its elements more than {_DEEPEST} deep; save it again")


def _local(name: str) -> str:
  """Returns the name of an element or attribute without its namespace."""
  return name.rpartition("}")[2]
