"""The bands of an image that correspond to those of a scene in training."""

import functools
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mtl_hsi.channels.inputs import Inputs
from mtl_hsi.channels.scaling import Scaling
from mtl_hsi.errors import RequestError
from mtl_hsi.prediction import band_choice, new_image
from mtl_hsi.runs.trained_scene import TrainedScene
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.scenes.scene import ImageFile
from mtl_hsi.settings import image_settings
from tests.scenes import formats

_RUN = SimpleNamespace(path=Path("runs/fields"))
_CENTRES = np.array([450.0, 500, 550, 600])
_EVERYTHING = slice(None), slice(None)


def _scene(chosen=(0, 1, 2, 3), wavelengths=_CENTRES, bands=4, file=None, **keys):
  """A scene that reads some of its bands, each with an offset of its own."""
  chosen = np.array(chosen, np.int32)
  inputs = Inputs(bands, chosen, Scaling(chosen * 10.0, np.ones(len(chosen))), None)
  image_keys = {**dict.fromkeys(image_settings.KEYS, ""), **keys}
  return TrainedScene("fields", 0, inputs, {1: "a"}, None, wavelengths, None, file, image_keys)


def _image(folder, wavelengths=None):
  """An image whose bands have the values 0, 1, 2 ..."""
  count = 4 if wavelengths is None else len(wavelengths)
  values = np.tile(np.arange(count, dtype=np.float32), (2, 3, 1))
  known = {} if wavelengths is None else {"wavelengths": np.array(wavelengths)}
  np.savez(folder / "flight.npz", cube=values, **known)
  return Image.open(folder / "flight.npz")


def _read(choice):
  """The input of the network for a pixel."""
  return choice.scene.inputs(choice.image.read(*_EVERYTHING)[0], None)[0, 0].tolist()


def test_equal_bands_are_left_as_they_are(tmp_path):
  image, scene = _image(tmp_path, _CENTRES + 20), _scene()
  choice = band_choice.choose(image, scene, _RUN, False)
  assert (choice.image, choice.scene, choice.notes) == (image, scene, ())


@pytest.mark.parametrize(
  ("wavelengths", "expected", "note"),
  [
    ([600, 550, 500, 450], [3, 2, 1, 0], "all bands are used, their order is another one"),
    ([400, 450, 500, 550, 600, 650], [1, 2, 3, 4], "4 of its 6 bands are used"),
    ([600, 440, 545, 700, 510], [1, 4, 2, 0], "4 of its 5 bands are used, their order is another one"),
  ],
)
def test_bands_are_matched_by_wavelength(tmp_path, wavelengths, expected, note):
  choice = band_choice.choose(_image(tmp_path, wavelengths), _scene(), _RUN, False)
  assert _read(choice) == [band - 10 * index for index, band in enumerate(expected)]
  assert choice.notes[0].endswith(note)
  np.testing.assert_array_equal(choice.image.wavelengths, np.array(wavelengths)[expected])


def test_bands_that_the_networks_do_not_read_may_be_missing(tmp_path):
  choice = band_choice.choose(_image(tmp_path, [600, 450]), _scene(chosen=(3, 0, 3)), _RUN, False)
  assert _read(choice) == [0 - 30, 1, 0 - 30]


@pytest.mark.parametrize("wavelengths", [[450, 500, 550], [450, 500, 550, 640], [450, 500, 500, 550, 560]])
def test_missing_bands_are_named(tmp_path, wavelengths):
  with pytest.raises(RequestError, match=r"lacks bands for 1 of the 4 that .* reads \(600 nm\)"):
    band_choice.choose(_image(tmp_path, wavelengths), _scene(), _RUN, False)


def test_another_number_of_bands_without_wavelengths_is_refused(tmp_path):
  scene = _scene(bands=12, wavelengths=None, file=ImageFile(14, (3, 7), ()))
  with pytest.raises(RequestError, match=r"has 4 bands, .* 12 \(the 14 of its file without 3,7, from 0\)"):
    band_choice.choose(_image(tmp_path), scene, _RUN, False)


def _open(folder, scene, **keys):
  image_keys = {**dict.fromkeys(image_settings.KEYS, ""), **keys}
  return new_image.open_image(functools.partial(Image.open, folder / "new.hdr"), image_keys, scene, _RUN)


def _envi(folder, flags):
  values = np.tile(np.arange(5, dtype=np.uint16), (2, 3, 1))
  formats.save_envi(folder / "new.dat", values, header=f"bbl = {{{flags}}}\n" if flags else "")


@pytest.mark.parametrize("flags", ["", "1,1,1,1,1", "1,0,1,1,1"])
def test_the_bad_bands_of_the_file_in_training_are_left_out(tmp_path, flags):
  _envi(tmp_path, flags)
  opened = _open(tmp_path, _scene(wavelengths=None, file=ImageFile(5, (1,), ())))
  assert opened.image.kept.tolist() == [0, 2, 3, 4]
  assert opened.notes == (() if "0" in flags else ("As in training: bad_bands=1",))


def test_other_bad_bands_are_refused_unless_the_user_lists_them(tmp_path):
  _envi(tmp_path, "1,1,0,1,1")
  scene = _scene(wavelengths=None, file=ImageFile(5, (1,), ()))
  with pytest.raises(RequestError, match=r"leaves out bands 2 .* read bands 2; --config\.bad_bands=1 uses"):
    _open(tmp_path, scene)
  assert _open(tmp_path, scene, bad_bands="2").image.kept.tolist() == [0, 1, 3, 4]


def test_options_of_products_are_inherited_only_by_products(tmp_path):
  _envi(tmp_path, "1,1,0,1,1")
  scene = _scene(wavelengths=None, quality="clear", overlap="swir", geometry="map", nodata="7")
  assert _open(tmp_path, scene).notes == ("As in training: nodata=7",)
  options = image_settings.inherit(
    dict.fromkeys(image_settings.KEYS, ""), scene.image_keys, {"quality", "geometry"}
  )
  assert options == {"nodata": "7", "quality": "clear", "geometry": "map"}
