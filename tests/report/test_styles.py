"""Styles of rasters, as text and in QGIS."""

import subprocess
from xml.etree import ElementTree

import numpy as np
import pytest

from mtl_hsi.report import rasters, styles
from mtl_hsi.scenes.scene import Georeference

_LEGEND = rasters.Legend("flight", {1: "Maïs & <blé>", 300: "rye"}, {1: (1, 2, 3), 300: (250, 9, 0)})
_ENTRIES = [("1", "#010203", "Maïs & <blé>"), ("300", "#fa0900", "rye")]
_PLACE = Georeference("EPSG:32632", (10.0, 0.0, 500000.0, 0.0, -10.0, 5600000.0))
# Prints what QGIS shows of rasters: the kind of renderer, and label and colour of the legend.
_QGIS = """
import sys
from qgis.core import QgsApplication, QgsRasterLayer
application = QgsApplication([], False)
application.initQgis()
for path in sys.argv[1:]:
  layer = QgsRasterLayer(path)
  assert layer.isValid()
  for load in (lambda: None, lambda: layer.loadSldStyle(path.replace(".tif", ".sld"))):
    load()
    print(layer.renderer().type(), layer.renderer().usesBands())
    print([(label, colour.name()) for label, colour in layer.legendSymbologyItems()])
"""


def _elements(content, tag, *names):
  found = ElementTree.fromstring(content).iter(tag)
  return [tuple(element.get(name) for name in names) for element in found]


def test_styles_of_class_maps_have_the_colour_and_name_of_every_class():
  style = styles.of_classes(_LEGEND)
  assert _elements(style[".qml"], "paletteEntry", "value", "color", "label") == _ENTRIES
  entry = "{http://www.opengis.net/sld}ColorMapEntry"
  assert _elements(style[".sld"], entry, "quantity", "color", "label") == _ENTRIES


def test_styles_of_confidence_show_the_probability_from_0_to_1():
  style = styles.of_confidence("flight")
  values = [float(value) for (value,) in _elements(style[".qml"], "item", "value")]
  assert values == sorted(values)
  assert (values[0], values[-1]) == (0, 1)
  assert _elements(style[".qml"], "rasterrenderer", "band") == [("2",)]
  assert b"<SourceChannelName>2</SourceChannelName>" in style[".sld"]


@pytest.mark.slow
def test_qgis_applies_the_styles(tmp_path):
  python = "/usr/bin/python3"
  if subprocess.run([python, "-c", "import qgis.core"], capture_output=True, check=False).returncode:
    pytest.skip("QGIS is not installed")
  with rasters.create_class_map(tmp_path / "map.tif", _LEGEND, 4, 5, _PLACE) as raster:
    raster.write(np.full((4, 5), 300, np.uint16), 1)
  with rasters.create_confidence(tmp_path / "sure.tif", "flight", 4, 5, _PLACE) as raster:
    rasters.write_confidence(raster, *np.ones((3, 4, 5)))
  for stem, style in {"map": styles.of_classes(_LEGEND), "sure": styles.of_confidence("flight")}.items():
    for ending, content in style.items():
      (tmp_path / f"{stem}{ending}").write_bytes(content)
  (tmp_path / "show.py").write_text(_QGIS)
  environment = {"QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path), "LANG": "C.UTF-8"}
  command = [python, "show.py", "map.tif", "sure.tif"]
  shown = subprocess.run(
    command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120
  )
  lines = shown.stdout.splitlines()
  names = str([(label, colour) for _, colour, label in _ENTRIES])
  # First the style in QML, then that in SLD.
  assert lines[:4] == ["paletted [1]", names] * 2, shown.stderr
  assert lines[4::2] == ["singlebandpseudocolor [2]"] * 2
