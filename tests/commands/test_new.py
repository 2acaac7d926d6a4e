import io
import re
from unittest import mock

import numpy as np
import pytest

from mtl_hsi.settings import scenes_file
from tests.launching import mtl_hsi
from tests.scenes import formats

LABELS = np.array([[1, 1, 0, 2], [1, 0, 2, 2], [0, 0, 3, 3]])
NAMES = {1: "wheat", 2: "maize: late", 3: "fallow #2"}


@pytest.fixture
def place(tmp_path, monkeypatch):
  """A directory with an image, polygons with three columns, and tables of bands and classes."""
  monkeypatch.chdir(tmp_path)
  formats.save_raster(tmp_path / "Fields 7.tif", np.arange(60, dtype=np.uint16).reshape(3, 4, 5))
  shapes, ids = formats.squares(LABELS)
  crops = [NAMES[class_id] for class_id in ids]
  formats.save_features(tmp_path / "fields.gpkg", shapes, crop=crops, height=range(len(ids)), note="x")
  (tmp_path / "bands.csv").write_text("centre (nm),fwhm\n" + "".join(f"{500 + 10 * i},9\n" for i in range(5)))
  (tmp_path / "classes.csv").write_text("id,name\n" + "".join(f"{i},{name}\n" for i, name in NAMES.items()))
  return tmp_path


def asked(answers, *words):
  """Runs the command on a terminal with the given answers."""
  terminal = io.StringIO("".join(f"{answer}\n" for answer in answers))
  terminal.isatty = lambda: True
  with mock.patch("sys.stdin", terminal):
    return mtl_hsi("new", *words)


@pytest.mark.parametrize("order", [1, -1])
def test_files_in_any_order_become_a_scenes_file(place, order):
  files = ["Fields 7.tif", "fields.gpkg", "bands.csv", "classes.csv"][::order]
  status, out, err = mtl_hsi("new", *files, "--column", "crop", "-o", "sub/scenes.yaml")
  assert (status, err) == (0, "")
  assert (
    out == "sub/scenes.yaml describes the scene 'fields_7'. Look at it, then: mtl-hsi check sub/scenes.yaml\n"
  )
  assert scenes_file.read(place / "sub" / "scenes.yaml") == {
    "fields_7": {
      "cube": f"{place}/sub/../Fields 7.tif",
      "labels": f"{place}/sub/../fields.gpkg",
      "label_column": "crop",
      "classes": f"{place}/sub/../classes.csv",
      "wavelengths": f"{place}/sub/../bands.csv",
    }
  }
  text = (place / "sub" / "scenes.yaml").read_text()
  for line in (
    "  # 3 rows x 4 columns, pixels of 10 x 10 metre, WGS 84 / UTM zone 33N",
    "  # 5 bands of uint16, 500 to 540 nm",
    "  # 8 features, in WGS 84 / UTM zone 33N. Columns:",
    "  #   crop: 3 values (wheat, maize: late, fallow #2)",
    "  #   height: 8 values (0, 1, 2, 3, 4, 5, ...)",
    "  # 3 classes, 8 labelled pixels:",
    "  #   2 maize: late (3 pixels)",
  ):
    assert f"{line}\n" in text


def test_the_scene_can_be_checked(place):
  assert mtl_hsi("new", "Fields 7.tif", "fields.gpkg", "--column", "crop").status == 0
  outcome = mtl_hsi("check", "scenes.yaml", "--recipe", "letter", "--set", "samples_per_class=1")
  assert outcome.status == 0, outcome.err
  assert outcome.out.startswith("fields_7: 3 rows x 4 columns")


def test_four_questions(place):
  answers = [
    "nothing.tif",
    "fields.gpkg",
    "Fields 7.tif",
    "fields.gpkg",
    "colour",
    "crop",
    "My Fields",
    "mine",
  ]
  status, out, err = asked(answers)
  assert (status, err) == (0, "")
  for text in ("no such file", "is not an image", "height (8 values: 0, 1", "'colour' is not one of"):
    assert text in out
  assert scenes_file.read(place / "scenes.yaml")["mine"]["label_column"] == "crop"


def test_labels_in_the_file_of_the_image(place):
  np.savez("scene.npz", cube=np.ones((3, 4, 5)), labels=LABELS)
  status, _, err = asked(["scene.npz", "", ""])
  assert (status, err) == (0, "")
  assert scenes_file.read(place / "scenes.yaml") == {"scene": {"cube": f"{place}/scene.npz"}}


def test_a_name_that_yaml_reads_as_nothing_is_quoted(place):
  words = ("Fields 7.tif", "fields.gpkg", "--column", "crop", "--name", "null")
  assert mtl_hsi("new", *words).status == 0
  assert list(scenes_file.read(place / "scenes.yaml")) == ["null"]


def test_arrays_without_an_image_say_why(place):
  np.savez("scene.npz", one=np.ones((3, 4, 5)), two=np.ones((3, 4, 5)))
  status, _, err = mtl_hsi("new", "scene.npz")
  assert (status, err.count("\n")) == (2, 1)
  assert "one" in err
  assert "two" in err


def test_an_end_of_the_questions_writes_nothing(place):
  before = sorted(place.iterdir())
  status, _, err = asked(["Fields 7.tif"])
  assert (status, err.strip()) == (130, "interrupted; nothing was written")
  assert sorted(place.iterdir()) == before


@pytest.mark.parametrize(
  ("words", "message"),
  [
    ([], "questions need a terminal"),
    (["fields.gpkg"], "no image among fields.gpkg"),
    (["Fields 7.tif"], "Fields 7.tif contains only the image; give the file of the labels too"),
    (["Fields 7.tif", "fields.gpkg"], "columns: crop, height, note); name it with label_column, --column="),
    (["Fields 7.tif", "fields.gpkg", "--column", "x"], "has no column 'x'"),
    (["Fields 7.tif", "nothing.gpkg"], "no such file"),
    (["Fields 7.tif", "Fields 7.tif"], "both look like images"),
    (["Fields 7.tif", "fields.gpkg", "--column=crop", "--name=A b"], "'A b' is not a valid scene name"),
    (["Fields 7.tif", "fields.gpkg", "--column=crop", "-o", "a.txt"], "expected a file ending in .yaml"),
    (["Fields 7.tif", "fields.gpkg", "--column=crop", "-o", "bands.csv/a.yaml"], "cannot write bands.csv"),
    (["broken.tif", "fields.gpkg"], "broken.tif"),
  ],
)
def test_a_refusal_is_one_line_and_writes_nothing(place, words, message):
  (place / "broken.tif").write_bytes(b"II*\0 and nothing else")
  before = sorted(place.iterdir())
  status, out, err = mtl_hsi("new", *words)
  assert (status, out) == (2, "")
  assert err.startswith("error: ")
  assert err.count("\n") == 1
  assert message in err
  assert sorted(place.iterdir()) == before


def test_an_existing_file_is_not_written_over(place):
  (place / "scenes.yaml").write_text("mine: {}\n")
  outcome = mtl_hsi("new", "Fields 7.tif", "fields.gpkg", "--column", "crop")
  assert outcome.err == (
    "error: scenes.yaml already exists and was not overwritten; choose another --output\n"
  )
  assert (place / "scenes.yaml").read_text() == "mine: {}\n"


def test_the_reason_of_the_system_starts_in_lower_case(place):
  (place / "taken").write_text("")
  outcome = mtl_hsi("new", "Fields 7.tif", "fields.gpkg", "--column=crop", "-o", "taken/a.yaml")
  assert (outcome.status, outcome.err.count("\n")) == (2, 1)
  assert "cannot write taken/a.yaml: " in outcome.err
  assert not re.search(r"cannot write [^:]*: [A-Z]", outcome.err)


def test_names_and_values_cannot_break_out_of_a_comment(place):
  shapes, _ = formats.squares(LABELS)
  crops = ["a\nevil: {cube: x}", "b\u2028c\x1b[2J", *["d" * 500] * 6]
  formats.save_features(place / "evil #: {x.gpkg", shapes, **{"crop\nx: 1": crops})
  status, _, err = mtl_hsi("new", "Fields 7.tif", "evil #: {x.gpkg", "--column", "crop\nx: 1")
  assert (status, err) == (0, "")
  (options,) = scenes_file.read(place / "scenes.yaml").values()
  assert options["labels"] == f"{place}/evil #: {{x.gpkg"
  assert options["label_column"] == "crop\nx: 1"
  assert max(map(len, (place / "scenes.yaml").read_text().splitlines())) < 250


def test_test_labels_are_named(place):
  outcome = mtl_hsi("new", "Fields 7.tif", "fields.gpkg", "--column", "crop", "--test", "fields.gpkg")
  assert (outcome.status, outcome.err) == (0, "")
  assert scenes_file.read(place / "scenes.yaml")["fields_7"]["test"] == f"{place}/fields.gpkg"
  assert "# test:" not in (place / "scenes.yaml").read_text()


def test_a_scenes_file_in_another_directory_finds_its_files(place):
  (place / "far" / "away").mkdir(parents=True)
  (place / "sub").symlink_to(place / "far" / "away")
  outcome = mtl_hsi("new", "Fields 7.tif", "fields.gpkg", "--column", "crop", "-o", "sub/x.yaml")
  assert (outcome.status, outcome.err) == (0, "")
  text = (place / "sub" / "x.yaml").read_text()
  assert "cube: ../../Fields 7.tif\n" in text
  assert "mtl-hsi check sub/x.yaml " in text
