"""Draws a reference sample from a finished map, to be labelled by somebody who looks at every unit.

  python launch.py --config=configs/assess_draw.py --config.map=maps/flight_classes.tif

Accuracies and areas with valid intervals need a probability sample: units drawn at
random by a known design. Training labels are none. The output files share the prefix
`output`:

  <output>_sample.csv    the units in the order in which to label them, with an empty column `class`
  <output>_sample.gpkg   the same for a GIS, if the map is georeferenced
  <output>_label.html    with `image`: a page on which to fill in the table by keyboard, offline
  <output>_design.json   the design: strata, weights, inclusion probabilities, seed, checksum of the map

Fill in one of the two tables, as far as you get, and run configs/assess_estimate.py.
docs/assess.md explains all steps.
"""

from ml_collections import config_dict


def get_config() -> config_dict.ConfigDict:
  """Returns the keys of a sample."""
  config = config_dict.ConfigDict()
  # == Map ==
  # Class map: <output>_classes.tif of configs/predict.py, maps/<scene>/prediction.tif of a run, or any raster
  # of one band of class ids, 0 for no class.
  config.map = ""
  # Work directory of the run whose training pixels must not be drawn. Empty: for a map in the maps/ of a run,
  # that run; for other maps none.
  config.run = ""
  # The scene of the run whose training pixels these are. Empty: the target of the run.
  config.scene = ""
  # "exclude": units with training pixels are not part of the area for which estimates hold. "stratum": they
  # are a separate stratum, from which units are drawn.
  config.training = "exclude"

  # == Design ==
  # "stratified": random in each stratum; it suits most purposes, and rare classes. "simple": random in the
  # whole map. "systematic": a regular grid with a random start.
  config.design = "stratified"
  # Raster of strata on the grid of the map, 0 outside of the target area. Empty: the classes of the map are
  # the strata.
  config.strata = ""
  # Side of a unit in pixels. 1: units are pixels. More: squares, whose class is the one with most pixels.
  config.unit_side = 1
  # Seed of the draw.
  config.seed = 0

  # == Size ==
  # Number of units. 0: as many as `standard_error` needs.
  config.size = 0
  # Wanted standard error of overall accuracy; its 95% interval is about four times as wide.
  config.standard_error = 0.02
  # User's accuracy that you expect, as a fraction of 1, and that of single strata by id, as in "0.8, 3:0.6".
  config.expected_accuracy = "0.8"
  # How the units are divided among the strata. "floor": by size, but at least `floor` in each.
  # "proportional": by size. "equal": as many in each.
  config.allocation = "floor"
  # Smallest number of units of a stratum with allocation="floor".
  config.floor = 50

  # == Page ==
  # Image to show on the page <output>_label.html: a product of a sensor, any raster, .npz, .npy or .mat, such
  # as the image that was mapped or, better, a sharper one. It needs the grid of the map, or a georeference.
  # Empty: no page.
  config.image = ""
  # Name of the array in an .npz or .mat file. Needed if the file has several candidates.
  config.image_key = ""
  # Bands shown as red, green and blue, from 0 and without bad bands, as in "29,19,9". Empty: by wavelength.
  config.image_bands = ""
  # Names of classes that are on the ground but not in the map, separated by commas. The page offers them too.
  config.further_classes = ""

  # == Output ==
  # Prefix of the output files. If it is an existing directory or ends in /, the name of the map is added.
  # Empty: next to the map; for a map in the maps/ of a run, <run>/assessment/<scene>.
  config.output = ""
  return config
