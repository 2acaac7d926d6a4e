"""A new image, classified by the networks of a finished run.

  python launch.py --config=configs/predict.py --config.run=runs/quickstart --config.image=flight7.tif

The image is scaled and aligned as the run's scene was, by the numbers in the
run's scenes.json; nothing is fitted to it. It is read, classified and written
window by window, so it may be larger than memory. Beside each other, all named
after `output`:

  <output>_classes.tif       class ids, 0 where nothing was measured; colours and, in
                             <output>_classes.tif.aux.xml, names of the classes
  <output>_confidence.tif    share of the networks that voted for the class, and mean over all of them of the
                             probability of that class
  <output>_classes.img, hdr  the class ids as an ENVI classification
  <output>_classes.png       a quick look with the legend
  <output>_areas.csv         pixels and, where the image has a place on the ground, hectares of every class
  <output>_SHA256SUMS        digests of all of these, for sha256sum -c; comes last, when the others are whole

The three rasters have the image's place on the ground.
"""

from ml_collections import config_dict

from configs import common


def get_config() -> config_dict.ConfigDict:
  """What to predict, and with what."""
  config = config_dict.ConfigDict()
  # A finished work directory, and which of its scenes the image is like: it decides classes, scaling and
  # bands. "" is the run's target.
  config.run = ""
  config.scene = ""

  # The image: GeoTIFF or another raster of a format that docs/configs.md lists, ENVI by its header, .npz,
  # .npy or .mat; the array's name in .npz or .mat where it is not obvious.
  config.image = ""
  config.image_key = ""
  # What the file does not say, or says wrongly, as for the scenes of configs/own.py: value of pixels without
  # a measurement, such as -9999 or nan; physical value = scale * value + offset; CSV file of band centres,
  # and its unit; bands to leave out. What was said of the scene in training, but of wavelengths, holds for
  # the image where neither this nor its file says otherwise.
  config.nodata = ""
  config.scale = ""
  config.offset = ""
  config.wavelengths = ""
  config.wavelength_unit = ""
  config.bad_bands = ""

  # Path of what is written, without an ending; an existing directory, or a path that ends in /, gets the
  # image's name added. "" is <run>/predictions/<scene>_<image>.
  config.output = ""

  # Whose networks vote: "all" replicas together, or one by its number from 0.
  config.replicas = "all"
  config.classify = common.get_config().classify
  # None: as in the run.
  del config.classify.tile_pixels
  config.classify.tile_pixels = config_dict.placeholder(int)
  # The networks classify as they did in the run.
  del config.classify.symmetries
  del config.classify.smoothing
  return config
