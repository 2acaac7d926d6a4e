"""Cubes in memory and in files."""

import threading

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes import windows
from mtl_hsi.scenes.cube import blocks, every_nth, in_memory, lines
from mtl_hsi.scenes.images.file_cube import FileCube
from mtl_hsi.scenes.images.image import Image
from tests.scenes.formats import read, save_raster

VALUES = np.random.default_rng(0).integers(0, 900, (37, 23, 5)).astype(np.int16)
LABELS = np.zeros((37, 23), np.int32)
LABELS[:3, :4], LABELS[10:, 5:9] = 1, 2


@pytest.fixture(params=["tiles", "rows", "array"])
def path(request, tmp_path):
  """The same values in a raster of square blocks, in one of rows, and in an .npy file."""
  if request.param == "array":
    np.save(tmp_path / "cube.npy", VALUES)
    return tmp_path / "cube.npy"
  blocks = {"tiled": True, "blockxsize": 16, "blockysize": 16} if request.param == "tiles" else {}
  return save_raster(tmp_path / "cube.tif", VALUES, **blocks)


@pytest.fixture
def small_windows(monkeypatch):
  monkeypatch.setattr(windows, "_WINDOW_VALUES", 8 * 23 * 5)
  monkeypatch.setattr(windows, "BLOCK", 8)


@pytest.mark.usefixtures("small_windows")
def test_some_windows_stand_for_a_large_file(path):
  cube = FileCube(Image.open(path))
  every, some = list(blocks(cube)), list(blocks(cube, 37 * 23 // 3))
  assert [window for window, _ in some] == [window for window, _ in every[::3]]
  assert len(list(blocks(cube, 37 * 23))) == len(every)
  assert len(list(blocks(VALUES, 1))) == 1


@pytest.mark.usefixtures("small_windows")
def test_windows_of_a_file_have_its_values(path):
  cube, seen = FileCube(Image.open(path)), np.zeros(VALUES.shape[:2], int)
  assert not in_memory(cube)
  assert (cube.shape, cube.dtype, cube.ndim) == (VALUES.shape, VALUES.dtype, VALUES.ndim)
  for window, values in blocks(cube):
    np.testing.assert_array_equal(values, VALUES[window])
    seen[window] += 1
  assert (seen == 1).all()
  assert len(list(cube.windows())) > 4
  in_rows = all((columns.start, columns.stop) == (0, 23) for _, columns in cube.windows())
  assert in_rows == cube.image.stored_by_rows


@pytest.mark.usefixtures("small_windows")
@pytest.mark.parametrize("step", [1, 2, 7, 40])
@pytest.mark.parametrize("bands", [None, [0], [4, 1, 1]])
def test_every_nth_pixel_is_that_of_the_array(path, step, bands):
  cube = FileCube(Image.open(path))
  np.testing.assert_array_equal(every_nth(cube, step, bands), every_nth(VALUES, step, bands))


def test_lines_of_an_array_are_its_rows():
  found = list(lines(VALUES, LABELS))
  np.testing.assert_array_equal(np.stack([values for values, _ in found]), VALUES)
  np.testing.assert_array_equal(np.stack([mask for _, mask in found]), LABELS)


@pytest.mark.usefixtures("small_windows")
@pytest.mark.parametrize("options", [{}, {"nodata": (7, 8)}, {"scale": 0.5, "bad_bands": "1"}])
def test_a_scene_that_is_read_by_windows_is_the_same(path, tmp_path, options):
  np.savez(tmp_path / "labels.npz", label=np.where((VALUES == 7).any(axis=2), 0, LABELS))
  whole = read(path, tmp_path / "labels.npz", **options)
  scene = read(path, tmp_path / "labels.npz", whole_up_to=0, **options)
  assert in_memory(whole.cube) > in_memory(scene.cube)
  np.testing.assert_array_equal(every_nth(scene.cube, 1), whole.cube)
  np.testing.assert_array_equal(scene.labels, whole.labels)
  np.testing.assert_array_equal(scene.measured, whole.measured)
  assert scene.class_names == whole.class_names


def test_only_large_scenes_are_read_by_windows(path, tmp_path):
  np.savez(tmp_path / "labels.npz", label=LABELS)
  for limit, expected in ((VALUES.nbytes, True), (VALUES.nbytes - 1, False)):
    assert in_memory(read(path, tmp_path / "labels.npz", whole_up_to=limit).cube) == expected


@pytest.mark.usefixtures("small_windows")
def test_a_value_that_is_too_large_is_found_at_its_place(tmp_path):
  values = VALUES.astype(np.float32)
  values[29, 21, 3] = 2e30
  np.savez(tmp_path / "labels.npz", label=LABELS)
  path = save_raster(tmp_path / "cube.tif", values, tiled=True, blockxsize=16, blockysize=16)
  with pytest.raises(RequestError, match=r"2.*e\+30 at row 29, column 21, band 3"):
    read(path, tmp_path / "labels.npz", whole_up_to=0)


def test_an_image_without_measurement_is_refused_with_its_empty_bands(tmp_path):
  values = VALUES.copy()
  values[..., 2] = -9
  np.savez(tmp_path / "labels.npz", label=LABELS)
  path = save_raster(tmp_path / "cube.tif", values)
  with pytest.raises(RequestError, match=r"no measurement at all.*set bad_bands=2"):
    read(path, tmp_path / "labels.npz", whole_up_to=0, nodata=(-9,))


def test_a_mask_of_another_size_is_refused(tmp_path):
  np.savez(tmp_path / "cube.npz", cube=VALUES, label=LABELS, nodata=np.zeros((23, 37), bool))
  with pytest.raises(RequestError, match="23 x 37; expected 37 x 23, the rows x columns of the cube"):
    read(tmp_path / "cube.npz", whole_up_to=0)


def test_threads_may_read_the_same_raster(tmp_path):
  cube, wrong = FileCube(Image.open(save_raster(tmp_path / "cube.tif", VALUES))), []

  def check():
    for row in range(37):
      if not np.array_equal(cube[slice(row, row + 1), slice(0, 23)], VALUES[row : row + 1]):
        wrong.append(row)

  threads = [threading.Thread(target=check) for _ in range(4)]
  for thread in threads:
    thread.start()
  for thread in threads:
    thread.join()
  assert not wrong
