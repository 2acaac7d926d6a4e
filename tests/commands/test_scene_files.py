import pytest

from mtl_hsi.commands import scene_files
from mtl_hsi.errors import RequestError


@pytest.mark.parametrize(
  ("path", "name"),
  [
    ("fields.tif", "fields"),
    ("/data/Flight 7 (May).tif", "flight_7_may"),
    ("2024_scene.hdr", "scene_2024_scene"),
    ("keys.npz", "scene_keys"),
    ("class.tif", "scene_class"),
    ("äöü.tif", "scene"),
    ("x" * 90 + ".tif", "x" * 50),
    ("ENMAP01-L2A.tar.gz", "enmap01_l2a"),
    ("folder/", "folder"),
  ],
)
def test_a_scene_is_named_after_its_image(path, name):
  assert scene_files.scene_name(path) == name


@pytest.mark.parametrize(
  ("files", "scenes", "given", "message"),
  [
    (["a.yaml", "b.gpkg"], None, {}, "a.yaml is a scenes file, which names all files; remove b.gpkg"),
    (["a.yaml"], None, {"column": "crop"}, "in a scenes file, use the option label_column"),
    (["a.tif", "b.gpkg"], "a", {}, "--scenes selects scenes of a scenes file"),
    (["a.tif", "b.gpkg", "c.tif"], None, {}, "unexpected file c.tif"),
  ],
)
def test_files_that_do_not_fit_together(files, scenes, given, message):
  with pytest.raises(RequestError, match=message):
    scene_files.find(files, scenes, given, "")
