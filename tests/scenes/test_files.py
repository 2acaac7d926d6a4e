"""Scenes and label images from files."""

import numpy as np
import pytest
import scipy.io

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.files import read_scene
from mtl_hsi.scenes.labels.arrays import read_label_array
from mtl_hsi.scenes.labels.label_set import Reading

_CUBE = np.arange(60, dtype=np.int16).reshape(3, 4, 5)
_LABELS = np.array([[0, 1, 3, 0], [1, 1, 0, 3], [3, 0, 0, 1]], np.uint8)


def _save(path, **arrays):
  if path.suffix == ".npy":
    np.save(path, *arrays.values())
  elif path.suffix == ".npz":
    np.savez(path, **arrays)
  else:
    scipy.io.savemat(path, arrays)
  return path


def _read(cube, labels=None, **options):
  return read_scene("field", cube=cube, labels=labels, **options)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".mat"])
def test_a_scene_in_two_files(tmp_path, suffix):
  cube = _save(tmp_path / f"image{suffix}", values=_CUBE)
  labels = _save(tmp_path / f"truth{suffix}", classes=_LABELS)
  scene = _read(cube, labels, sensor="ROSIS")
  np.testing.assert_array_equal(scene.cube, _CUBE)
  assert scene.cube.dtype == np.int16
  np.testing.assert_array_equal(scene.labels, _LABELS)
  assert scene.labels.dtype == np.int32
  assert scene.class_names == {1: "class 1", 3: "class 3"}
  assert scene.sensor == "ROSIS"
  assert cube.name in scene.provenance
  assert labels.name in scene.provenance


@pytest.mark.parametrize("suffix", [".npz", ".mat"])
@pytest.mark.parametrize("key", ["label", "labels", "gt", "ground_truth", "y", "anything"])
def test_a_scene_in_one_file(tmp_path, suffix, key):
  path = _save(tmp_path / f"a{suffix}", cube=_CUBE, **{key: _LABELS}, row0=np.array(7))
  np.testing.assert_array_equal(_read(path).labels, _LABELS)


def test_a_well_known_key_wins_over_the_shape(tmp_path):
  path = _save(
    tmp_path / "a.npz", gt=_LABELS, cube=_CUBE, other_cube=_CUBE + 1, mask=(_LABELS > 0).astype(int)
  )
  scene = _read(path)
  np.testing.assert_array_equal(scene.cube, _CUBE)
  np.testing.assert_array_equal(scene.labels, _LABELS)


def test_given_keys_win_over_well_known_ones(tmp_path):
  path = _save(tmp_path / "a.npz", cube=_CUBE, raw=_CUBE + 1, gt=_LABELS, fine=_LABELS * 2)
  scene = _read(path, cube_key="raw", labels_key="fine")
  np.testing.assert_array_equal(scene.cube, _CUBE + 1)
  np.testing.assert_array_equal(scene.labels, _LABELS * 2)


def test_integers_win_over_floats_of_the_same_size(tmp_path):
  path = _save(tmp_path / "a.npz", cube=_CUBE, height=_LABELS * 0.5, classes=_LABELS)
  np.testing.assert_array_equal(_read(path).labels, _LABELS)


def test_a_label_image_with_a_third_axis_is_not_the_cube(tmp_path):
  scene = _read(_save(tmp_path / "a.npz", classes=_LABELS[..., None], values=_CUBE))
  np.testing.assert_array_equal(scene.cube, _CUBE)
  np.testing.assert_array_equal(scene.labels, _LABELS)


def test_without_an_integer_image_a_float_image_of_the_same_size_is_used(tmp_path):
  path = _save(tmp_path / "a.mat", cube=_CUBE, classes=_LABELS.astype(float), corners=np.ones((2, 2), int))
  np.testing.assert_array_equal(_read(path).labels, _LABELS)


def test_two_possible_label_images_are_rejected(tmp_path):
  path = _save(tmp_path / "a.npz", cube=_CUBE, coarse=_LABELS, fine=_LABELS)
  with pytest.raises(
    RequestError, match=r"the label image \(3 x 4\); the file contains .*coarse \(3 x 4\), fine"
  ):
    _read(path)


def test_two_possible_cubes_are_rejected(tmp_path):
  path = _save(tmp_path / "a.npz", first=_CUBE, second=_CUBE, gt=_LABELS)
  with pytest.raises(RequestError, match=r"the cube .*first \(3 x 4 x 5\), second"):
    _read(path)


def test_an_npy_file_needs_a_second_file_for_the_labels(tmp_path):
  with pytest.raises(RequestError, match="add the file with its labels"):
    _read(_save(tmp_path / "cube.npy", cube=_CUBE))


def test_a_cube_must_have_three_axes(tmp_path):
  cube, labels = _save(tmp_path / "a.npy", image=_LABELS), _save(tmp_path / "b.npy", image=_LABELS)
  with pytest.raises(RequestError, match="3 x 4; expected rows x columns x bands"):
    _read(cube, labels)


@pytest.mark.parametrize("suffix", [".npy", ".npz", ".mat"])
def test_a_transposed_label_image_is_recognised(tmp_path, suffix):
  cube = _save(tmp_path / f"a{suffix}", values=_CUBE)
  labels = _save(tmp_path / f"b{suffix}", classes=_LABELS.T)
  with pytest.raises(RequestError, match=r"is 4 x 3 and the cube is 3 x 4 .*transposed"):
    _read(cube, labels)


def test_a_transposed_label_image_in_the_same_file_is_recognised(tmp_path):
  path = _save(tmp_path / "a.npz", values=_CUBE, classes=_LABELS.T, corners=np.ones((2, 2), int))
  with pytest.raises(RequestError, match="is one of them transposed"):
    _read(path)


def test_a_cube_with_its_bands_first_is_recognised(tmp_path):
  path = _save(tmp_path / "a.npz", cube=_CUBE.transpose(2, 0, 1), gt=_LABELS)
  with pytest.raises(RequestError, match="the bands the first axis"):
    _read(path)


def test_a_label_image_of_another_size_is_rejected_with_both_sizes(tmp_path):
  with pytest.raises(RequestError, match=r"a.npz \(gt\) is 2 x 4 and the cube is 3 x 4") as error:
    _read(_save(tmp_path / "a.npz", cube=_CUBE, gt=_LABELS[:2]))
  assert "transposed" not in str(error.value)


def test_the_only_image_is_the_label_image_even_if_its_size_is_wrong(tmp_path):
  path = _save(tmp_path / "a.mat", cube=_CUBE, classes=_LABELS[:2], bands=np.ones((1, 5)))
  with pytest.raises(RequestError, match=r"a.mat \(classes\) is 2 x 4 and the cube is 3 x 4"):
    _read(path)


def test_an_npz_file_may_contain_wavelengths_and_class_names(tmp_path):
  centres, widths = np.linspace(400, 800, 5), np.full(5, 10)
  names = np.array(["maize", "lawn", "roof"])
  path = _save(
    tmp_path / "a.npz", cube=_CUBE, gt=_LABELS, wavelengths=centres, widths=widths, class_names=names
  )
  scene = _read(path)
  np.testing.assert_array_equal(scene.wavelengths, centres)
  np.testing.assert_array_equal(scene.widths, widths)
  assert scene.class_names == {1: "maize", 3: "roof"}
  assert _read(path, class_names={1: "a", 3: "b"}).class_names == {1: "a", 3: "b"}


def test_wavelengths_in_an_npz_file_may_be_in_um(tmp_path):
  bands = {"wavelengths": np.array([0.4, 0.5, 0.6, 0.7, 2.5]), "widths": np.full(5, 0.01)}
  scene = _read(_save(tmp_path / "a.npz", cube=_CUBE, gt=_LABELS, **bands))
  assert scene.wavelengths.tolist() == [400, 500, 600, 700, 2500]
  assert scene.widths.tolist() == [10] * 5


def test_the_file_of_the_label_image_may_contain_the_class_names(tmp_path):
  labels = _save(tmp_path / "b.npz", gt=_LABELS, class_names=np.array(["maize", "lawn", "roof"]))
  assert _read(_save(tmp_path / "a.npy", cube=_CUBE), labels).class_names == {1: "maize", 3: "roof"}


@pytest.mark.parametrize(
  ("extra", "message"),
  [
    ({"class_names": np.array(["maize", "lawn"])}, r"ids \[1, 2\], but the labels in .* also contain \[3\]"),
    ({"class_names": np.arange(3)}, "expected one string per class"),
    ({"class_names": np.array(["a", "b", "c"], object)}, "contains objects"),
  ],
)
def test_invalid_metadata_are_rejected(tmp_path, extra, message):
  with pytest.raises(RequestError, match=message):
    _read(_save(tmp_path / "a.npz", cube=_CUBE, gt=_LABELS, **extra))


@pytest.mark.parametrize(
  ("wavelengths", "reason"),
  [
    (np.ones(4), "wavelengths have shape (4,) for 5 bands"),
    (np.array(["a"] * 5), "expected numbers in nm or um"),
  ],
)
def test_invalid_wavelengths_are_not_used_and_a_remark_tells_why(tmp_path, wavelengths, reason):
  scene = _read(_save(tmp_path / "a.npz", cube=_CUBE, gt=_LABELS, wavelengths=wavelengths))
  assert scene.wavelengths is None
  assert reason in scene.remarks[0]


def test_names_must_cover_the_classes_that_occur(tmp_path):
  path = _save(tmp_path / "a.npz", cube=_CUBE, gt=_LABELS)
  assert _read(path, class_names={1: "a", 2: "b", 3: "c"}).class_names == {1: "a", 3: "c"}
  with pytest.raises(RequestError, match=r"\(classes\): names for ids \[1\].* contain \[3\]"):
    _read(path, class_names={1: "a"})


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.uint64, np.float32, np.float64])
@pytest.mark.parametrize("shape", [(3, 4), (3, 4, 1), (1, 3, 4)])
def test_whole_numbers_of_any_dtype_become_int32_images(tmp_path, dtype, shape):
  path = _save(tmp_path / "gt.npy", gt=_LABELS.astype(dtype).reshape(shape))
  labels = read_label_array(path, None, Reading()).image
  np.testing.assert_array_equal(labels, _LABELS)
  assert labels.dtype == np.int32


@pytest.mark.parametrize(
  ("array", "message"),
  [
    (_LABELS > 0, "has dtype bool"),
    (_LABELS * 0.5, "contains 0.5; expected integer class ids"),
    (np.full((3, 4), np.inf), "contains inf, which is no class number"),
    (np.full((3, 4), 2**64 - 1, np.uint64), r"contains 1.8446744\d*e\+19, which is no class number"),
    (np.full((3, 4), -1), "contains -1, and class ids must be positive; .* set labels_nodata=-1"),
    (np.array([["a", "b"]]), "has dtype <U1"),
    (_LABELS * 1j, "has dtype complex128"),
    (np.stack([_LABELS] * 2), "is 2 x 3 x 4; expected rows x columns"),
    (_LABELS[0], "is 4; expected rows x columns"),
    (_LABELS[:0], "is 0 x 4; expected rows x columns"),
  ],
)
def test_invalid_label_images_are_rejected(tmp_path, array, message):
  with pytest.raises(RequestError, match=message):
    read_label_array(_save(tmp_path / "gt.npy", gt=array), None, Reading())


def test_labels_that_are_not_a_number_are_unlabelled(tmp_path):
  path = _save(tmp_path / "gt.npy", gt=np.where(_LABELS, _LABELS, np.nan))
  np.testing.assert_array_equal(read_label_array(path, None, Reading()).image, _LABELS)


@pytest.mark.parametrize(
  ("filename", "shape", "classes"),
  [
    ("salinas_a.npz", (83, 86, 204), [1, 10, 11, 12, 13, 14]),
    ("pavia_university_crop.npz", (140, 80, 103), [1, 2, 4, 5, 6, 7, 8, 9]),
    ("pavia_centre_crop.npz", (105, 120, 102), [1, 6, 9]),
  ],
)
def test_real_scenes_read_without_naming_keys(real_data, filename, shape, classes):
  scene = _read(real_data / filename)
  assert scene.cube.shape == shape
  assert scene.class_ids.tolist() == classes


def test_a_pixel_with_the_nodata_value_in_any_band_is_nodata(tmp_path):
  values = _CUBE.astype(np.float32)
  values[0, 0, 2] = values[2, 1, :] = -9999
  path = _save(tmp_path / "a.npz", cube=values, gt=_LABELS)
  mask = np.zeros((3, 4), bool)
  mask[[0, 2], [0, 1]] = True
  np.testing.assert_array_equal(_read(path, nodata=-9999.0).nodata, mask)
  assert _read(path).nodata is None
  values[mask] = np.nan
  path = _save(tmp_path / "b.npz", cube=values, gt=_LABELS)
  np.testing.assert_array_equal(_read(path, nodata=np.nan).nodata, mask)
  np.testing.assert_array_equal(_read(path).nodata, mask)


def test_an_npz_file_may_contain_a_nodata_mask(tmp_path):
  mask = _LABELS == 0
  np.testing.assert_array_equal(
    _read(_save(tmp_path / "a.npz", cube=_CUBE, gt=_LABELS, nodata=mask)).nodata, mask
  )
  path = _save(tmp_path / "b.npz", cube=_CUBE, gt=_LABELS, nodata=mask.astype(np.uint8))
  with pytest.raises(RequestError, match=r"b.npz \(nodata\) has dtype uint8; expected bool, rows x columns"):
    _read(path)
