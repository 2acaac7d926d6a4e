"""What all algorithms share: parameters, files of layers, and results that are loaded with their styles."""

import os

from qgis.core import (
  QgsProcessing,
  QgsProcessingAlgorithm,
  QgsProcessingContext,
  QgsProcessingException,
  QgsProcessingLayerPostProcessorInterface,
  QgsProcessingParameterFeatureSource,
  QgsProcessingParameterField,
  QgsProcessingParameterFile,
  QgsProcessingParameterRasterLayer,
  QgsProcessingParameterString,
)

_FORMATS = ["gpkg", "shp", "geojson", "fgb"]


class Algorithm(QgsProcessingAlgorithm):
  """An algorithm whose class attributes name it.

  Attributes:
    ID: name in scripts.
    TITLE: name in the toolbox.
    HELP: what it does.
  """

  ID = TITLE = HELP = ""

  def __init__(self):
    super().__init__()
    # QGIS keeps no reference to what styles the results.
    self._styled = []

  def name(self):
    """Name in scripts."""
    return self.ID

  def displayName(self):
    """Name in the toolbox."""
    return self.TITLE

  def shortHelpString(self):
    """Help beside the parameters."""
    return self.HELP

  def createInstance(self):
    """Returns a new algorithm of this kind."""
    return type(self)()

  def add_image(self, name="IMAGE", title="Image, or a product as delivered", optional=False):
    """Adds a raster; a file that QGIS cannot open may be named as well."""
    self.addParameter(QgsProcessingParameterRasterLayer(name, title, optional=optional))

  def add_scene(self):
    """Adds an image, its polygons or points, the field with the class, and the settings."""
    self.add_image()
    kinds = [QgsProcessing.TypeVectorPolygon, QgsProcessing.TypeVectorPoint, QgsProcessing.TypeVectorLine]
    self.addParameter(QgsProcessingParameterFeatureSource("LABELS", "Labels (polygons or points)", kinds))
    self.addParameter(
      QgsProcessingParameterField("COLUMN", "Field with the class", parentLayerParameterName="LABELS")
    )
    self.add_settings()

  def add_run(self, optional=False):
    """Adds the folder of a run."""
    title = "Folder of a finished run"
    kind = QgsProcessingParameterFile.Folder
    self.addParameter(QgsProcessingParameterFile("RUN", title, kind, optional=optional))

  def add_exported_run(self):
    """Adds the file of an exported run, which can be given instead of the folder."""
    title = "Exported run (.mtlhsi), instead of the folder"
    kind = QgsProcessingParameterFile.File
    self.addParameter(QgsProcessingParameterFile("EXPORTED", title, kind, extension="mtlhsi", optional=True))

  def run_of(self, parameters, context):
    """Returns the folder or the exported file of the run; exactly one must be given."""
    given = [self.parameterAsString(parameters, name, context) for name in ("RUN", "EXPORTED")]
    found = [path for path in given if path]
    if len(found) != 1:
      raise QgsProcessingException("Give either the folder of a finished run or an exported run (.mtlhsi).")
    return found[0]

  def add_settings(self):
    """Adds the keys of the config, as an advanced parameter."""
    text = "Further settings, such as replicas=5 probabilities=uint8"
    parameter = QgsProcessingParameterString("SETTINGS", text, optional=True)
    parameter.setFlags(parameter.flags() | parameter.FlagAdvanced)
    self.addParameter(parameter)

  def raster(self, parameters, name, context):
    """Returns the file of a raster, or None."""
    layer = self.parameterAsRasterLayer(parameters, name, context)
    return layer.source() if layer else self.parameterAsString(parameters, name, context) or None

  def scene(self, parameters, context, feedback):
    """Returns the arguments for an image and its labels (only selected ones, if so chosen)."""
    file = self.parameterAsCompatibleSourceLayerPath(
      parameters, "LABELS", context, _FORMATS, "gpkg", feedback
    )
    column = self.parameterAsString(parameters, "COLUMN", context)
    return [self.raster(parameters, "IMAGE", context), file, "--column", column]

  def settings(self, parameters, context):
    """Returns the options for the config's keys."""
    words = self.parameterAsString(parameters, "SETTINGS", context).split()
    return [part for word in words for part in ("--set", word)]

  def load(self, context, output, path, name, group="mtl-hsi"):
    """Adds a layer to the project when the algorithm ends; a style beside it is applied."""
    details = QgsProcessingContext.LayerDetails(name, context.project(), output)
    if hasattr(details, "groupName"):
      details.groupName = group
    styled = _Styled(f"{os.path.splitext(path)[0]}.qml")
    self._styled.append(styled)
    details.setPostProcessor(styled)
    context.addLayerToLoadOnCompletion(path, details)


class _Styled(QgsProcessingLayerPostProcessorInterface):
  """Applies a style to a layer that was loaded, if there is one."""

  def __init__(self, style):
    super().__init__()
    self._style = style

  def postProcessLayer(self, layer, context, feedback):
    """Applies the style; QGIS calls this."""
    if os.path.exists(self._style):
      layer.loadNamedStyle(self._style)
      layer.triggerRepaint()
