"""The options of scenes from files."""

# The options of a scene; configs/own_scenes.yaml explains them.
OPTIONS = (
  *("cube", "labels", "cube_key", "labels_key", "label_column", "classes"),
  *("more_labels", "test", "test_key", "split_column", "labels_nodata", "labels_crs"),
  *("bands", "bad_bands", "wavelengths", "wavelength_unit", "nodata", "scale", "offset", "sensor"),
  *("quality", "overlap", "geometry"),
  *("library", "library_classes", "library_column", "library_scale", "library_brightness", "library_for"),
)

# Options that name files, relative to the directory of the scenes file.
PATHS = ("cube", "labels", "classes", "wavelengths", "more_labels", "test", "library", "library_classes")
