"""The algorithms that train networks and map images."""

import glob
import os

from qgis.core import (
  QgsProcessingException,
  QgsProcessingOutputFolder,
  QgsProcessingOutputHtml,
  QgsProcessingOutputRasterLayer,
  QgsProcessingParameterFileDestination,
  QgsProcessingParameterFolderDestination,
  QgsProcessingParameterString,
)

from . import command
from .algorithm import Algorithm


class CheckLabels(Algorithm):
  """mtl-hsi check."""

  ID, TITLE = "check", "Check image and labels"
  HELP = (
    "Reads an image and its labels as for training and writes nothing. The log has size, bands, range of "
    "values, the classes with their numbers of pixels, and a note on everything unusual."
  )

  def initAlgorithm(self, configuration=None):
    """Adds the parameters."""
    self.add_scene()

  def processAlgorithm(self, parameters, context, feedback):
    """Runs the command."""
    scene = self.scene(parameters, context, feedback)
    command.run(["check", *scene, *self.settings(parameters, context)], feedback)
    return {}


class _Training(Algorithm):
  """An algorithm that fills a work directory."""

  def add_results(self):
    """Adds the folder to write, and what is in it."""
    self.addParameter(QgsProcessingParameterFolderDestination("FOLDER", "Folder for the results"))
    self.addOutput(QgsProcessingOutputFolder("FOLDER", "Folder with the results"))
    self.addOutput(QgsProcessingOutputRasterLayer("CLASSES", "Class map"))
    self.addOutput(QgsProcessingOutputRasterLayer("CONFIDENCE", "Confidence"))
    self.addOutput(QgsProcessingOutputHtml("REPORT", "Report"))

  def train(self, arguments, parameters, context, feedback):
    """Runs the command and returns its results."""
    folder = self.parameterAsString(parameters, "FOLDER", context)
    arguments = [*arguments, "-o", folder, *self.settings(parameters, context)]
    command.run(arguments, feedback)
    found = glob.glob(os.path.join(glob.escape(folder), "maps", "*", "prediction.tif"))
    if not found:
      raise QgsProcessingException(f"{folder} has no maps")
    (classes,) = found
    confidence = os.path.join(os.path.dirname(classes), "confidence.tif")
    scene = os.path.basename(os.path.dirname(classes))
    self.load(context, "CONFIDENCE", confidence, f"{scene}: confidence", scene)
    self.load(context, "CLASSES", classes, f"{scene}: classes", scene)
    report = os.path.join(folder, "report.html")
    return {"FOLDER": folder, "CLASSES": classes, "CONFIDENCE": confidence, "REPORT": report}


class MapImage(_Training):
  """mtl-hsi map."""

  ID, TITLE = "map", "Train and map an image"
  HELP = (
    "Trains networks on labelled polygons or points and maps the whole image. The accuracy in the report is "
    "that of polygons that were left out of training; the map is made by networks that trained on all "
    "labels. The same call continues a run that was cancelled. The folder keeps the networks for 'Map a "
    "further image'."
  )

  def initAlgorithm(self, configuration=None):
    """Adds the parameters."""
    self.add_scene()
    self.add_results()

  def processAlgorithm(self, parameters, context, feedback):
    """Runs the command."""
    scene = self.scene(parameters, context, feedback)
    return self.train(["map", *scene], parameters, context, feedback)


class AdaptRun(_Training):
  """mtl-hsi adapt."""

  ID, TITLE = "adapt", "Adapt a run to an image"
  HELP = (
    "Trains new heads on the labels of another image, and keeps the rest of the networks of a finished run: "
    "quicker than training anew, and better with few labels."
  )

  def initAlgorithm(self, configuration=None):
    """Adds the parameters."""
    self.add_run(optional=True)
    self.add_exported_run()
    self.add_scene()
    self.add_results()

  def processAlgorithm(self, parameters, context, feedback):
    """Runs the command."""
    run = self.run_of(parameters, context)
    scene = self.scene(parameters, context, feedback)
    return self.train(["adapt", run, *scene], parameters, context, feedback)


class PredictImage(Algorithm):
  """mtl-hsi predict."""

  ID, TITLE = "predict", "Map a further image"
  HELP = (
    "Maps an image of any size with the networks of a finished run, given by its folder or as an exported "
    "file (.mtlhsi). The image must have the sensor and the unit of a scene of the run. The log reports how "
    "far its spectra are from those of the training."
  )

  def initAlgorithm(self, configuration=None):
    """Adds the parameters."""
    self.add_run(optional=True)
    self.add_exported_run()
    self.add_image()
    self.addParameter(
      QgsProcessingParameterString("SCENE", "Scene of the run (empty: its target)", optional=True)
    )
    self.add_settings()
    self.addParameter(
      QgsProcessingParameterFileDestination("CLASSES", "Class map (ends in _classes.tif)", "GeoTIFF (*.tif)")
    )
    self.addOutput(QgsProcessingOutputRasterLayer("CLASSES", "Class map"))
    self.addOutput(QgsProcessingOutputRasterLayer("CONFIDENCE", "Confidence"))

  def processAlgorithm(self, parameters, context, feedback):
    """Runs the command."""
    arguments = [
      self.run_of(parameters, context),
      self.raster(parameters, "IMAGE", context),
    ]
    if scene := self.parameterAsString(parameters, "SCENE", context):
      arguments += ["--scene", scene]
    stem = os.path.splitext(self.parameterAsString(parameters, "CLASSES", context))[0]
    stem = stem[: -len("_classes")] if stem.endswith("_classes") else stem
    command.run(["predict", *arguments, "-o", stem, *self.settings(parameters, context)], feedback)
    classes, confidence = f"{stem}_classes.tif", f"{stem}_confidence.tif"
    name = os.path.basename(stem)
    self.load(context, "CONFIDENCE", confidence, f"{name}: confidence", name)
    self.load(context, "CLASSES", classes, f"{name}: classes", name)
    return {"CLASSES": classes, "CONFIDENCE": confidence}
