"""The plugin, which registers the provider of algorithms."""

from qgis.core import QgsApplication

from .provider import Provider


class Plugin:
  """The plugin; QGIS calls its methods."""

  def __init__(self):
    self._provider = None

  def initProcessing(self):
    """Adds the algorithms to Processing; qgis_process calls only this."""
    self._provider = Provider()
    QgsApplication.processingRegistry().addProvider(self._provider)

  def initGui(self):
    """Starts the plugin in QGIS."""
    self.initProcessing()

  def unload(self):
    """Removes the algorithms."""
    QgsApplication.processingRegistry().removeProvider(self._provider)
