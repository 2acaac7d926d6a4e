"""Scenes and their options from a YAML or TOML file."""

import re

import pytest
import yaml

from configs import own
from mtl_hsi.errors import RequestError
from mtl_hsi.settings import experiment_settings, scenes_file
from tests.launching import ROOT

EXAMPLE = ROOT / "configs" / "own_scenes.yaml"

_YAML = """
fields:
  cube: images/fields.tif
  labels: /there/fields.gpkg
  nodata: -9999
  bands: 40:59
  bad_bands: [3, 5:7]
  scale: 0.0001
  sensor:
  offset: null
  wavelengths: ~
town: {cube: null.mat, nodata: nan}
"""
_TOML = """
[fields]
cube = "images/fields.tif"
labels = "/there/fields.gpkg"
nodata = -9999
bands = "40:59"
bad_bands = [3, "5:7"]
scale = 0.0001
sensor = ""
offset = ""
wavelengths = ""
[town]
cube = "null.mat"
nodata = nan
"""


def _merged(path, names="", **overrides):
  config = own.get_config(names)
  config.scenes_file = str(path)
  config.update_from_flattened_dict(overrides)
  scenes_file.merge(config)
  return config


@pytest.mark.parametrize(("suffix", "text"), [(".yaml", _YAML), (".yml", _YAML), (".toml", _TOML)])
def test_options_are_what_a_command_line_would_say(tmp_path, suffix, text):
  path = tmp_path / f"scenes{suffix}"
  path.write_text(text)
  fields = scenes_file.read(path)["fields"]
  assert fields == {
    "cube": str(tmp_path / "images" / "fields.tif"),
    "labels": "/there/fields.gpkg",
    "nodata": "-9999",
    "bands": "40:59",
    "bad_bands": "3,5:7",
    "scale": "0.0001",
    "sensor": "",
    "offset": "",
    "wavelengths": "",
  }
  assert scenes_file.read(path)["town"] == {"cube": str(tmp_path / "null.mat"), "nodata": "nan"}


def test_all_scenes_of_the_file_or_those_that_are_named(tmp_path):
  path = tmp_path / "scenes.yaml"
  path.write_text(_YAML)
  config = _merged(path)
  assert (config.scenes, config.target) == (("fields", "town"), "fields")
  settings = experiment_settings.read(config)
  assert settings.scenes.band_ranges == {"fields": slice(40, 59)}
  given = settings.scenes.loaders["fields"].keywords
  assert (given["nodata"], given["scale"], given["bad_bands"]) == ((-9999.0,), 0.0001, "3,5:7")
  assert (given["offset"], given["classes"], given["wavelengths"]) == (None, None, None)
  config = _merged(path, "town,salinas")
  assert (config.scenes, config.target) == (("town", "salinas"), "town")
  assert "fields" not in config.files
  with pytest.raises(RequestError, match=r"scenes.yaml has no scene 'tonw'; it has fields, town"):
    _merged(path, "tonw")


def test_the_command_line_wins(tmp_path):
  path = tmp_path / "scenes.yaml"
  path.write_text(_YAML)
  own_files = _merged(path, "fields", **{"files.fields.nodata": "0"}).files.fields
  assert (own_files.nodata, own_files.bands) == ("0", "40:59")


def test_the_example_has_every_option_and_explains_it():
  text = EXAMPLE.read_text()
  found = scenes_file.read(EXAMPLE)
  assert {key for options in found.values() for key in options} == set(scenes_file.OPTIONS)
  settings = experiment_settings.read(_merged(EXAMPLE))
  assert list(settings.scenes.loaders) == list(found)
  for key in scenes_file.OPTIONS:
    assert re.search(rf"^  # .*\n  {key}: ", text, re.MULTILINE), f"{key} has no comment above it"
  assert yaml.safe_load(text).keys() == found.keys()


@pytest.mark.parametrize(
  ("text", "message"),
  [
    ("fields: {cube: a.tif, lables: b.tif}", "fields: unknown option 'lables'; did you mean 'labels'"),
    ("fields: {cube: a.tif, x: 1}", "unknown option 'x'; known are cube, labels, .*, sensor"),
    (
      "fields: {cube: a.tif, nodata: {a: 1}}",
      "nodata is not a plain value; expected text, a number",
    ),
    ("fields: {cube: a.tif, bands: [[1, 2]]}", "bands is not a plain value"),
    ("fields: {labels: a.tif}", "fields has no cube; expected the file of its image"),
    ("fields: a.tif", "fields has no options below it"),
    ("my fields: {cube: a.tif}", "'my fields' is not a valid scene name"),
    ("- fields", "contains no scenes"),
    ("", "contains no scenes"),
    ("fields: {cube: a.tif", r"cannot be read \(config key scenes_file\): while parsing"),
    ("fields: {cube: a.tif}\nfields: {cube: b.tif}", "'fields' occurs twice"),
    ("fields: !!python/object/apply:os.system ['ls']", "fields has no options below it"),
  ],
)
def test_files_that_are_refused(tmp_path, text, message):
  path = tmp_path / "scenes.yaml"
  path.write_text(text)
  with pytest.raises(RequestError, match=message) as error:
    scenes_file.read(path)
  assert "\n" not in str(error.value)
  assert str(path) in str(error.value)


@pytest.mark.parametrize(
  ("name", "text", "message"),
  [
    ("scenes.json", "{}", "scenes_file is .*scenes.json; expected a file ending in .yaml, .yml, .toml"),
    ("scenes.toml", "[fields]\ncube = a.tif", r"scenes.toml cannot be read .*line 2"),
    ("scenes.toml", "[fields]\ncube = 'a.tif'\nnodata = true", "nodata is not a plain value"),
    ("scenes.toml", "[fields]\ncube = 2020-01-01", "cube is not a plain value"),
    ("scenes.yaml", None, r"no such file: .*scenes.yaml \(config key scenes_file\)"),
  ],
)
def test_other_files_are_refused(tmp_path, name, text, message):
  if text is not None:
    (tmp_path / name).write_text(text)
  with pytest.raises(RequestError, match=message):
    scenes_file.read(tmp_path / name)
