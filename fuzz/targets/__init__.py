"""One module per target: a file format or the command line, with its reader.

Each has `seeds(folder)`, which returns valid inputs, and `feed(data, folder)`, which calls the reader on an
input. Both may write to the folder.
"""

# Targets of each family of readers, which share most of their code.
FAMILIES = {
  "arrays": ("npy", "npz", "mat", "mat73"),
  "rasters": ("geotiff", "envi", "label_raster"),
  "products": ("prisma", "emit", "tanager", "aviris"),
  "features": ("geojson", "flatgeobuf", "geopackage", "shapefile"),
  "label_features": ("kml", "gml", "geoparquet", "file_geodatabase", "zipped_features"),
  "label_tables": ("point_table", "roi_text", "roi_xml"),
  "tables": ("label_table", "class_table", "wavelength_table", "enmap", "bad_bands"),
  "libraries": ("envi_library", "csv_library"),
  "settings": ("scenes_yaml", "scenes_toml", "commandline"),
  "records": ("run", "checksums", "split", "public"),
}
