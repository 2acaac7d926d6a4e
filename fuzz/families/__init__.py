"""One module a family of readers.

Each has `seeds(folder)`, which returns inputs that are read well, and `read(data, folder)`, which writes an
input where the reader looks for it and calls the reader; both may use the folder.
"""

NAMES = (
  *("npy", "npz", "mat", "mat73", "geotiff", "envi", "label_raster"),
  *("geojson", "flatgeobuf", "geopackage", "shapefile", "label_table", "class_table"),
  *("wavelength_table", "enmap", "bad_bands", "scenes_yaml", "scenes_toml"),
  *("commandline", "run", "sums", "split", "public"),
)
