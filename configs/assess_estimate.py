"""Estimates accuracies and areas of a map, with intervals, from a sample of configs/assess_draw.py.

  python launch.py --config=configs/assess_estimate.py --config.map=maps/flight_classes.tif \
    --config.sample=maps/flight_sample.csv

Overall, user's and producer's accuracy and the area of each class, each with its
standard error and 95% interval, by the stratified estimators of Olofsson et al. (2014)
and Stehman (2014). The output files share the prefix `output`:

  <output>_estimates.csv     every estimate in a row
  <output>_error_matrix.csv  the error matrix, in units of the sample and in shares of the area
  <output>_estimates.html    all of it as a page, with what it assumes
  <output>_estimates.json    all of it for programs

Units without a class and units marked with ? are counted and left out. docs/assess.md
says what that assumes.
"""

from ml_collections import config_dict


def get_config() -> config_dict.ConfigDict:
  """Returns the keys of an estimate."""
  config = config_dict.ConfigDict()
  # The class map from which the sample was drawn.
  config.map = ""
  # The sample with classes, ids or names, in its column `class`: <output>_sample.csv or <output>_sample.gpkg.
  # Put ? where you cannot tell.
  config.sample = ""
  # The design of the sample. Empty: <output>_design.json next to it.
  config.design = ""
  # True: `map` is not the map from which the sample was drawn, but another one on the same grid, such as a
  # later version. The strata remain those of the design.
  config.new_map = False
  # Classes that are on the ground but not in the map, separated by commas. They count as errors of the map,
  # and their areas are estimated.
  config.further_classes = ""
  # Prefix of the output files. Empty: that of the sample.
  config.output = ""
  return config
