"""The algorithms that draw a reference sample and estimate areas from it."""

import os

from qgis.core import (
  QgsProcessingOutputFile,
  QgsProcessingOutputHtml,
  QgsProcessingOutputVectorLayer,
  QgsProcessingParameterFile,
  QgsProcessingParameterFolderDestination,
  QgsProcessingParameterNumber,
)

from . import command
from .algorithm import Algorithm

_SAMPLE = "_sample.csv"


class DrawSample(Algorithm):
  """mtl-hsi assess draw."""

  ID, TITLE = "drawsample", "Draw a reference sample"
  HELP = (
    "Draws random units from a class map, stratified by its classes, for an assessment by eye or in the "
    "field. With an image, a page is written on which the units are labelled by keyboard in a browser. Fill "
    "in the column 'class' of the table, then run 'Estimate areas and accuracies'."
  )

  def initAlgorithm(self, configuration=None):
    """Adds the parameters."""
    self.add_image("MAP", "Class map")
    self.add_image("IMAGE", "Image to show on the labelling page", optional=True)
    self.add_run(optional=True)
    size = QgsProcessingParameterNumber("SIZE", "Number of units (empty: by standard error)", optional=True)
    self.addParameter(size)
    self.add_settings()
    self.addParameter(QgsProcessingParameterFolderDestination("FOLDER", "Folder for the sample"))
    self.addOutput(QgsProcessingOutputVectorLayer("POINTS", "Units"))
    self.addOutput(QgsProcessingOutputFile("SAMPLE", "Table to fill in"))
    self.addOutput(QgsProcessingOutputHtml("PAGE", "Labelling page"))

  def processAlgorithm(self, parameters, context, feedback):
    """Runs the command."""
    class_map = self.raster(parameters, "MAP", context)
    folder = self.parameterAsString(parameters, "FOLDER", context)
    stem = os.path.join(folder, os.path.splitext(os.path.basename(class_map))[0])
    arguments = [class_map, "-o", stem]
    if image := self.raster(parameters, "IMAGE", context):
      arguments += ["--image", image]
    if run := self.parameterAsString(parameters, "RUN", context):
      arguments += ["--run", run]
    if parameters.get("SIZE") is not None:
      arguments += ["--size", str(self.parameterAsInt(parameters, "SIZE", context))]
    command.run(["assess", "draw", *arguments, *self.settings(parameters, context)], feedback)
    results = {"POINTS": f"{stem}_sample.gpkg", "SAMPLE": f"{stem}{_SAMPLE}"}
    if image:
      results["PAGE"] = f"{stem}_label.html"
    self.load(context, "POINTS", results["POINTS"], f"{os.path.basename(stem)}: sample")
    return results


class EstimateAreas(Algorithm):
  """mtl-hsi assess estimate."""

  ID, TITLE = "estimateareas", "Estimate areas and accuracies"
  HELP = (
    "Estimates the area of every class and the accuracy of a map, with 95% intervals, from a reference "
    "sample whose column 'class' is filled in."
  )

  def initAlgorithm(self, configuration=None):
    """Adds the parameters."""
    self.add_image("MAP", "Class map")
    self.addParameter(QgsProcessingParameterFile("SAMPLE", "Sample, filled in (CSV)", extension="csv"))
    self.add_settings()
    self.addParameter(QgsProcessingParameterFolderDestination("FOLDER", "Folder for the estimates"))
    self.addOutput(QgsProcessingOutputHtml("PAGE", "Estimates"))
    self.addOutput(QgsProcessingOutputFile("TABLE", "Table of estimates"))

  def processAlgorithm(self, parameters, context, feedback):
    """Runs the command."""
    class_map = self.raster(parameters, "MAP", context)
    sample = self.parameterAsString(parameters, "SAMPLE", context)
    folder = self.parameterAsString(parameters, "FOLDER", context)
    name = os.path.basename(sample)
    stem = os.path.join(
      folder, name[: -len(_SAMPLE)] if name.endswith(_SAMPLE) else os.path.splitext(name)[0]
    )
    arguments = ["assess", "estimate", class_map, sample, "-o", stem]
    command.run([*arguments, *self.settings(parameters, context)], feedback)
    return {"PAGE": f"{stem}_estimates.html", "TABLE": f"{stem}_estimates.csv"}
