"""The provider of the algorithms, and its setting: the path of the command."""

from processing.core.ProcessingConfig import ProcessingConfig, Setting
from qgis.core import QgsProcessingProvider

from . import command
from .assessment import DrawSample, EstimateAreas
from .training import AdaptRun, CheckLabels, MapImage, PredictImage

_ALGORITHMS = (CheckLabels, MapImage, PredictImage, AdaptRun, DrawSample, EstimateAreas)


class Provider(QgsProcessingProvider):
  """Makes the algorithms; QGIS calls its methods."""

  def id(self):
    """Name of the provider in scripts, such as `mtlhsi:map`."""
    return "mtlhsi"

  def name(self):
    """Name of the provider in the toolbox."""
    return "Hyperspectral land cover"

  def load(self):
    """Adds the setting and the algorithms."""
    text = "Path of the command mtl-hsi; empty: the one on the PATH"
    ProcessingConfig.settingIcons[self.name()] = self.icon()
    ProcessingConfig.addSetting(Setting(self.name(), command.SETTING, text, "", valuetype=Setting.FILE))
    ProcessingConfig.readSettings()
    self.refreshAlgorithms()
    return True

  def unload(self):
    """Removes the setting."""
    ProcessingConfig.removeSetting(command.SETTING)

  def loadAlgorithms(self):
    """Adds all algorithms."""
    for algorithm in _ALGORITHMS:
      self.addAlgorithm(algorithm())
