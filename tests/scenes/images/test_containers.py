"""Folders and archives that are no known product."""

import zipfile

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.image import Image
from tests.scenes import formats

_CUBE = np.arange(1, 61, dtype=np.int16).reshape(3, 4, 5)
_ALL = slice(None), slice(None)


def pack(folder, path):
  with zipfile.ZipFile(path, "w") as archive:
    for file in folder.iterdir():
      archive.write(file, f"data/{file.name}")
  return path


@pytest.fixture
def folder(tmp_path):
  (tmp_path / "data").mkdir()
  return tmp_path / "data"


@pytest.mark.parametrize("kind", ["tif", "envi", "npz"])
def test_the_only_image_of_a_folder_or_archive_is_read(folder, tmp_path, kind):
  if kind == "tif":
    formats.save_raster(folder / "cube.tif", _CUBE)
  elif kind == "envi":
    formats.save_envi(folder / "cube.dat", _CUBE, header="wavelength = {400,500,600,700,800}\n")
  else:
    np.savez(folder / "cube.npz", cube=_CUBE)
  (folder / "readme.txt").touch()
  formats.save_raster(folder / "preview.png", _CUBE[..., :3].astype(np.uint8), "PNG", None)
  for path in (folder, pack(folder, tmp_path / "x.zip")):
    image = Image.open(path)
    np.testing.assert_array_equal(image.read(*_ALL)[0], _CUBE)
    assert f"{path.name} is no known product; its only image, " in image.remarks[-1]
    assert (image.wavelengths is None) == (kind != "envi")


def test_a_key_selects_an_array_of_the_only_file(folder, tmp_path):
  np.savez(folder / "cube.npz", one=_CUBE, other=_CUBE + 1)
  image = Image.open(pack(folder, tmp_path / "x.zip"), "other")
  np.testing.assert_array_equal(image.read(*_ALL)[0], _CUBE + 1)


def test_several_images_are_listed(folder, tmp_path):
  for band in range(5):
    formats.save_raster(folder / f"b{band}.tif", _CUBE[..., band])
  listed = (
    r"5 images \(b0.tif, b1.tif, b2.tif and 2 more files\): name one of them or, if each of them is a band"
  )
  with pytest.raises(RequestError, match=f"data is a folder and no known product; it has {listed}"):
    Image.open(folder)
  with pytest.raises(
    RequestError, match=r"is an archive and no known .* \(data/b0.tif, .*unpack it and name"
  ):
    Image.open(pack(folder, tmp_path / "x.zip"))


def test_a_folder_without_an_image_says_what_it_has(folder):
  with pytest.raises(RequestError, match=r"no image \(it is empty\): name the file of an image"):
    Image.open(folder)
  (folder / "fields.gpkg").touch()
  with pytest.raises(RequestError, match=r"no image \(fields.gpkg\)"):
    Image.open(folder)
