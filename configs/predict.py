"""Maps a new image with the networks of a finished run.

  python launch.py --config=configs/predict.py --config.run=runs/quickstart --config.image=flight7.tif

The image is scaled and its bands are aligned with the values stored in the run's
scenes.json; nothing is fitted to the image. It is read, classified and written in
windows, so it may be larger than memory. The output files share the prefix
`output`:

  <output>_classes.tif       class ids, 0 for pixels without measurements; with colours and, in
                             <output>_classes.tif.aux.xml, class names
  <output>_confidence.tif    share of the networks that voted for the class, and the mean over all networks of
                             the probability of that class
  <output>_classes.qml, _confidence.qml, .sld
                             styles of both, for QGIS, which applies them by itself, and for other programs
  <output>_classes.img, hdr  the class ids as an ENVI classification
  <output>_classes.png       preview with a legend
  <output>_probabilities.tif the probability of every class, a band each; with `probabilities`
  <output>_unknown.tif       how unlike every class a pixel is, and the share of left-out labels that are at
                             least as unlike; with `unknown`
  <output>_uncertainty.tif   entropy and margin of these probabilities; with `probabilities`
  <output>_areas.csv         area of every class in pixels and, for a georeferenced image, in hectares
  <output>_shift.csv         share of pixels outside the range of the scene in training, for every channel
  <output>_SHA256SUMS        checksums of all these files, for sha256sum -c; written last

All rasters have the georeference of the image.

If neither the image file nor a key below has a value for nodata, scale, offset or
bad bands, the value given for the scene in training applies; quality, overlap and
geometry apply to products that have them.
"""

from ml_collections import config_dict

from configs import common


def get_config() -> config_dict.ConfigDict:
  """Returns the keys of a prediction."""
  config = config_dict.ConfigDict()
  # == Run and image ==
  # Work directory of a finished run, or the file that `mtl-hsi export` made from it.
  config.run = ""
  # The scene of the run that the image resembles. It provides classes, scaling and bands. Empty: the target.
  config.scene = ""
  # The image: a product of a sensor as delivered (docs/products.md), GeoTIFF or another raster format listed
  # in docs/scenes.md, ENVI (header or data file), .npz, .npy or .mat.
  config.image = ""
  # Name of the array in an .npz or .mat file. Needed if the file has several candidates.
  config.image_key = ""

  # == Metadata that the image file lacks ==
  # Value of pixels without a measurement, such as -9999 or nan; several are separated by commas. The value in
  # the metadata of the image counts as well.
  config.nodata = ""
  # Physical value = scale * stored value + offset.
  config.scale = ""
  # As above; 0 if only `scale` is given.
  config.offset = ""
  # CSV file of band centres. If the scene has wavelengths as well, its bands are matched to these.
  config.wavelengths = ""
  # Unit of that file, nm or um.
  config.wavelength_unit = ""
  # Bands to leave out, such as 0,103:108. Empty: those of the scene in training, if the file has all bands.
  config.bad_bands = ""

  # == Products of sensors ==
  # "clear": pixels that the quality layers of the product flag as cloud, shadow or the like count as not
  # measured. "none": these layers are ignored. Empty: as in training, or "none".
  config.quality = ""
  # The bands to use where the spectra of two detectors overlap: "vnir", "swir" or "all". Empty:
  # as in training, or "swir" (Hyperion: "vnir").
  config.overlap = ""
  # "map": the grid of the map. "sensor": the grid of the sensor, which has no place on the ground. Empty:
  # as in training, or "map".
  config.geometry = ""

  # == Output ==
  # Prefix of the output files; an ending such as .tif is ignored. If it is an existing directory or ends in
  # /, the name of the image is added.
  # Empty: <run>/predictions/<scene>_<image>, or predictions/ next to an exported file.
  config.output = ""
  # Replicas whose networks vote: "all", or the number of one replica, counted from 0.
  config.replicas = "all"
  # Also write the probabilities of all classes, and their entropy and margin: "none", "uint8" (multiples of
  # 1/250, which sum to exactly 1) or "float16".
  config.probabilities = "none"
  # Pixels that are unlike every class of the run, by their distance to its training pixels (docs/trust.md).
  # "score" also writes this distance, "mark" also maps such pixels as the class "unknown". "none": every
  # pixel gets one of the classes. Needs a run with folds and MNF components.
  config.unknown = "none"
  # Share of pixels of known classes that may be called unknown, as the labels that folds left out tell it.
  config.unknown_rate = 0.05
  config.classify = common.get_config().classify
  # Pixels per tile, without its halo. None: as in the run.
  del config.classify.tile_pixels
  config.classify.tile_pixels = config_dict.placeholder(int)
  # Symmetries and smoothing are those of the run.
  del config.classify.symmetries
  del config.classify.smoothing
  return config
