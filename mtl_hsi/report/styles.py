"""Styles of rasters for QGIS (QML) and for other geographic information systems and map servers (SLD 1.0).

QGIS applies the QML file that lies beside a raster and has its name when the raster is opened.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from mtl_hsi.report import colours
from mtl_hsi.report.rasters import Legend

# From confidence to colour: shades of a colour map that also differ in lightness (viridis).
_RAMP = (
  (0.0, (68, 1, 84)),
  (0.25, (59, 82, 139)),
  (0.5, (33, 145, 140)),
  (0.75, (94, 201, 98)),
  (1.0, (253, 231, 37)),
)
# The band of a confidence raster that is shown: the mean probability.
_PROBABILITY_BAND = 2

_SLD = "http://www.opengis.net/sld"


class Entry(NamedTuple):
  """A value of a raster with its colour and label."""

  value: float
  colour: colours.RGB
  label: str


def of_classes(legend: Legend) -> dict[str, bytes]:
  """Returns the style of a class map, the colour and name of every class, by the ending of the file."""
  entries = [Entry(i, legend.colours[i], name) for i, name in legend.names.items()]
  return {".qml": _qml(_palette(entries)), ".sld": _sld(legend.title, 1, "values", entries)}


def of_confidence(title: str) -> dict[str, bytes]:
  """Returns the style of a confidence raster, the probability of the class from dark to light."""
  entries = [Entry(value, colour, f"{value:.0%}") for value, colour in _RAMP]
  return {".qml": _qml(_ramp(entries)), ".sld": _sld(title, _PROBABILITY_BAND, "ramp", entries)}


def _qml(renderer: Element) -> bytes:
  root = Element("qgis", version="3.22", styleCategories="Symbology")
  SubElement(root, "pipe").append(renderer)
  return _xml(root)


def _palette(entries: Iterable[Entry]) -> Element:
  renderer = _renderer("paletted", 1)
  palette = SubElement(renderer, "colorPalette")
  for value, colour, label in entries:
    SubElement(palette, "paletteEntry", value=f"{value:g}", color=_hex(colour), alpha="255", label=label)
  return renderer


def _ramp(entries: Sequence[Entry]) -> Element:
  lowest, highest = (f"{entries[place].value:g}" for place in (0, -1))
  renderer = _renderer("singlebandpseudocolor", _PROBABILITY_BAND)
  renderer.attrib |= {"classificationMin": lowest, "classificationMax": highest}
  shader = SubElement(SubElement(renderer, "rastershader"), "colorrampshader")
  shader.attrib |= {"colorRampType": "INTERPOLATED", "classificationMode": "1", "clip": "0"}
  shader.attrib |= {"minimumValue": lowest, "maximumValue": highest}
  for value, colour, label in entries:
    SubElement(shader, "item", value=f"{value:g}", color=_hex(colour), alpha="255", label=label)
  return renderer


def _renderer(kind: str, band: int) -> Element:
  return Element("rasterrenderer", type=kind, band=str(band), opacity="1", alphaBand="-1", nodataColor="")


def _sld(title: str, band: int, kind: str, entries: Iterable[Entry]) -> bytes:
  root = Element("StyledLayerDescriptor", version="1.0.0", xmlns=_SLD)
  layer = SubElement(root, "NamedLayer")
  SubElement(layer, "Name").text = title
  style = SubElement(layer, "UserStyle")
  rule = SubElement(SubElement(style, "FeatureTypeStyle"), "Rule")
  symbolizer = SubElement(rule, "RasterSymbolizer")
  channel = SubElement(SubElement(symbolizer, "ChannelSelection"), "GrayChannel")
  SubElement(channel, "SourceChannelName").text = str(band)
  table = SubElement(symbolizer, "ColorMap", type=kind)
  for value, colour, label in entries:
    SubElement(table, "ColorMapEntry", color=_hex(colour), quantity=f"{value:g}", label=label)
  return _xml(root)


def _hex(colour: colours.RGB) -> str:
  return "#{:02x}{:02x}{:02x}".format(*colour)


def _xml(root: Element) -> bytes:
  ElementTree.indent(root)
  return ElementTree.tostring(root) + b"\n"
