"""ENVI headers in other encodings than GDAL expects."""

import numpy as np
import pytest

from mtl_hsi.scenes.images.image import Image
from tests.scenes import formats

_CUBE = np.arange(1, 61, dtype=np.uint16).reshape(3, 4, 5)
_LINES = "description = {Überflug Süd}\nwavelength units = nm\nwavelength = {400, 500, 600, 700, 800}\n"


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
@pytest.mark.parametrize("named", ["a.hdr", "a.dat"])
def test_any_encoding_is_read_without_noise(tmp_path, caplog, encoding, ends, named):
  header = formats.save_envi(tmp_path / "a.dat", _CUBE, header=_LINES)
  data = header.read_text("utf-8").replace("\n", ends).encode(encoding)
  header.write_bytes(data)
  image = Image.open(tmp_path / named)
  np.testing.assert_array_equal(image.read(slice(None), slice(None))[0], _CUBE)
  assert image.wavelengths.tolist() == [400, 500, 600, 700, 800]
  assert not caplog.records
  assert header.read_bytes() == data


def test_class_names_in_latin_1_are_kept(tmp_path):
  cube = formats.save_raster(tmp_path / "cube.tif", _CUBE)
  ids = np.array([[1, 2, 1, 2]] * 3, np.uint8)
  header = formats.save_envi(tmp_path / "gt.dat", ids, header="class names = {none, Grünland, Straße}\n")
  header.write_bytes(header.read_text("utf-8").encode("latin-1"))
  assert formats.read(cube, header).class_names == {1: "Grünland", 2: "Straße"}
