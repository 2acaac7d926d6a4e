"""One module a target: a format of files, or the command line, and what reads it.

Each has `seeds(folder)`, which returns inputs that are read well, and `read(data, folder)`, which writes an
input where the reader looks for it and calls the reader; both may use the folder.
"""

# Targets of every family of readers, which have most of their code in common.
FAMILIES = {
  "arrays": ("npy", "npz", "mat", "mat73"),
  "rasters": ("geotiff", "envi", "label_raster"),
  "features": ("geojson", "flatgeobuf", "geopackage", "shapefile"),
  "tables": ("label_table", "class_table", "wavelength_table", "enmap", "bad_bands"),
  "settings": ("scenes_yaml", "scenes_toml", "commandline"),
  "records": ("run", "sums", "split", "public"),
}
