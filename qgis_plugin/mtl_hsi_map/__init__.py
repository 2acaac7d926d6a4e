"""QGIS plugin: the command mtl-hsi as algorithms of the Processing toolbox."""


def classFactory(iface):
  """Returns the plugin; QGIS calls this."""
  from .plugin import Plugin

  return Plugin()
