"""Scenes from files with a library."""

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.libraries.read import LibraryOptions
from mtl_hsi.scenes.summary import summary
from tests.scenes import formats
from tests.scenes.libraries import writing

CENTRES = np.array([450.0, 550.0, 650.0, 850.0])
LABELS = np.repeat([[1, 1, 2, 2, 0, 0]], 5, axis=0).astype(np.int32)


@pytest.fixture
def files(tmp_path):
  """Writes a cube without and with labels, and a library; returns their directory."""
  values = (10_000 * np.random.default_rng(0).uniform(0.05, 0.4, (5, 6, 4))).astype(np.uint16)
  np.savez(tmp_path / "cube.npz", cube=values, wavelengths=CENTRES)
  np.savez(tmp_path / "both.npz", cube=values, wavelengths=CENTRES, label=LABELS)
  np.savez(tmp_path / "dark.npz", cube=values)
  np.save(tmp_path / "labels.npy", LABELS)
  writing.save_envi(tmp_path / "soils.sli")
  (tmp_path / "soils.csv").write_text("name,class\nbright soil,2\ndark soil,2\nlake,7\n")
  (tmp_path / "named.csv").write_text("name,class\nbright soil,wheat\nlake,water\n")
  (tmp_path / "classes.csv").write_text("id,name\n1,maize\n2,wheat\n9,water\n")
  return tmp_path


def read(files, cube="cube.npz", table="soils.csv", library=(), **options):
  used = LibraryOptions(files / "soils.sli", files / table, **dict(library))
  paths = {key: files / name if isinstance(name, str) else name for key, name in options.items()}
  return formats.read(files / cube, library=used, **paths)


def test_spectra_of_classes_without_labels_train(files):
  scene = read(files, labels="labels.npy")
  assert scene.library.class_ids.tolist() == [7]
  np.testing.assert_allclose(scene.library.values[0], 10_000 * (0.1 - CENTRES / 20_000), rtol=1e-2)
  assert scene.class_names == {1: "class 1", 2: "class 2", 7: "class 7"}
  np.testing.assert_array_equal(scene.labels, LABELS)
  assert scene.provenance == "cube from cube.npz (cube), labels from labels.npy, spectra from soils.sli"
  assert scene.remarks == (
    "2 spectra of the library not used, as labels train their classes (class 2); library_for=all uses them",
    "1 of 3 spectra of soils.sli are training samples (class 7 1), times 10000, found from the values of "
    "scene and library (library_scale)",
  )
  text = summary(scene, "", None)
  assert "classes: 1 class 1 (10), 2 class 2 (10), 7 class 7 (0 and 1 spectrum)" in text


def test_all_spectra_train_if_asked(files):
  scene = read(files, labels="labels.npy", library={"library_for": "all", "library_scale": 2.0})
  assert scene.library.class_ids.tolist() == [2, 2, 7]
  np.testing.assert_allclose(scene.library.values[0], CENTRES / 1000, rtol=1e-2)
  assert scene.remarks == (
    "3 of 3 spectra of soils.sli are training samples (class 2 2, class 7 1), times 2",
  )


def test_spectra_train_at_several_brightnesses(files):
  scene = read(files, labels="labels.npy", library={"library_brightness": (0.5, 1.0)})
  assert scene.library.class_ids.tolist() == [7, 7]
  np.testing.assert_allclose(scene.library.values[0], scene.library.values[1] / 2, rtol=1e-6)
  assert "are training samples (class 7 1), each with a brightness of 0.5, 1, times 10000" in scene.remarks[1]


def test_names_of_classes_are_those_of_the_labels_or_new(files):
  scene = read(files, labels="labels.npy", table="named.csv", classes="classes.csv")
  assert scene.class_names == {1: "maize", 2: "wheat", 9: "water"}
  assert scene.library.class_ids.tolist() == [9]


def test_labels_may_be_missing(files):
  scene = read(files, table="named.csv")
  assert not scene.labels.any()
  assert scene.class_names == {1: "water", 2: "wheat"}
  assert scene.library.class_ids.tolist() == [2, 1]
  assert scene.provenance == "cube from cube.npz (cube), labels from no file, spectra from soils.sli"


def test_labels_in_the_file_of_the_cube_are_read(files):
  np.testing.assert_array_equal(read(files, cube="both.npz").labels, LABELS)


def test_a_library_trains_what_test_labels_test(files):
  scene = read(files, test="labels.npy", library={"library_for": "all"})
  assert scene.tested.sum() == 20
  assert scene.library.class_ids.tolist() == [2, 2, 7]


def test_unused_spectra_leave_the_scene_as_it_is(files):
  (files / "soils.csv").write_text("name,class\nbright soil,2\n")
  scene = read(files, labels="labels.npy")
  assert scene.library is None
  assert scene.class_names == {1: "class 1", 2: "class 2"}


def test_spectra_that_do_not_cover_the_bands_are_counted(files):
  values = writing.spectra()
  values[1, :15] = np.nan
  writing.save_envi(files / "soils.sli", values)
  scene = read(files, labels="labels.npy", library={"library_for": "all"})
  assert scene.library.class_ids.tolist() == [2, 7]
  assert scene.remarks[1] == "1 spectrum of the library left out, without all bands"


@pytest.mark.parametrize(
  ("options", "message"),
  [
    ({"cube": "dark.npz"}, "the scene has no wavelengths, to which its spectra are resampled"),
    ({"classes": "classes.csv", "table": "marsh.csv"}, "classes 'marsh' are not in the table of classes"),
  ],
)
def test_what_does_not_fit_is_refused(files, options, message):
  (files / "marsh.csv").write_text("name,class\nlake,marsh\n")
  with pytest.raises(RequestError, match=message):
    read(files, labels="labels.npy", **options)


def test_a_library_of_other_wavelengths_is_refused(files):
  np.savez(files / "cube.npz", cube=np.ones((5, 6, 4)), wavelengths=[900.0, 1100.0, 1600.0, 2200.0])
  with pytest.raises(RequestError, match="has no spectrum of all bands: its wavelengths are 400 to 1000 nm"):
    read(files, labels="labels.npy")


def test_a_library_without_classes_is_refused(files):
  (files / "soils.csv").write_text("name,class\nlake,\n")
  with pytest.raises(RequestError, match="no spectrum has a class"):
    read(files, labels="labels.npy")


def test_class_numbers_that_are_no_ids_are_mapped(files):
  (files / "soils.csv").write_text("name,class\nbright soil,0\ndark soil,2\nlake,33010301\n")
  scene = read(files, labels="labels.npy")
  assert scene.library.class_ids.tolist() == [3, 4]
  assert scene.class_codes == {3: 0, 4: 33010301}
  assert scene.class_names == {1: "class 1", 2: "class 2", 3: "class 0", 4: "class 33010301"}
