"""EnMAP products that are damaged, incomplete or of another level."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.scenes.images.products.product import ProductOptions
from tests.scenes import formats
from tests.scenes import xml_products as products

_VALUES = np.random.default_rng(1).integers(500, 3000, (11, 13, len(products.ENMAP_CENTRES)), np.int16)


@pytest.fixture
def folder(tmp_path) -> Path:
  return products.save_enmap(tmp_path, _VALUES)


def _break(folder, fault):
  metadata, image = (next(folder.glob(f"*{name}")) for name in ("METADATA.XML", "SPECTRAL_IMAGE.TIF"))
  text = metadata.read_text()
  if fault in ("no metadata", "no image"):
    (metadata if fault == "no metadata" else image).unlink()
  elif fault == "empty image":
    image.write_bytes(b"")
  elif fault == "two products":
    for path in (metadata, image):
      shutil.copy(path, folder / path.name.replace("_008_", "_009_"))
  else:
    metadata.write_text(text.replace(*fault))


@pytest.mark.parametrize(
  ("fault", "message"),
  [
    ("no metadata", r"no file \*-METADATA.XML in /"),
    ("no image", r"no file \*-SPECTRAL_IMAGE.TIF in /"),
    ("empty image", r"SPECTRAL_IMAGE.TIF of .* is empty; download the product again"),
    ("two products", r"contains 2 products .*name the METADATA.XML or the folder of one"),
    (("L2A", "L1C"), "is a product of level L1C; expected L2A, surface reflectance"),
    (("</level_X>", ""), r"METADATA.XML of .* cannot be read as XML"),
    (("bandCharacterisation", "bands"), r"describes no bands \(bandCharacterisation\)"),
    (("<GainOfBand>0.0001", "<GainOfBand>much"), "GainOfBand of band 1 is 'much'; expected a number"),
    (("418.2", "nan"), "wavelengthCenterOfBand of band 1 is 'nan'"),
    (("418.2", "0.4182"), "units are mixed or wrong"),
    (('<bandID number="3"><wav', '<other number="3"><wav'), "cannot be read as XML"),
  ],
  ids=str,
)
def test_damaged_products_are_refused(folder, fault, message):
  _break(folder, fault)
  with pytest.raises(RequestError, match=message):
    Image.open(folder)


def test_metadata_of_another_product_are_refused(tmp_path):
  folder = products.save_enmap(tmp_path, _VALUES)
  formats.save_raster(folder / f"{products.ENMAP}-SPECTRAL_IMAGE.TIF", _VALUES[..., :4])
  with pytest.raises(RequestError, match="has 4 bands, but its metadata describe 15"):
    Image.open(folder)


def test_an_image_without_any_measurement_is_refused(tmp_path):
  folder = products.save_enmap(tmp_path, np.full_like(_VALUES, products.NODATA), statistics=False)
  with pytest.raises(RequestError, match="no band has a measurement"):
    Image.open(folder)


def test_without_lists_of_channels_the_overlap_is_unknown(folder):
  metadata = next(folder.glob("*METADATA.XML"))
  metadata.write_text(metadata.read_text().replace("expectedChannelsList", "list"))
  assert Image.open(folder).bands == len(products.ENMAP_CENTRES) - 1
  with pytest.raises(RequestError, match=r"expectedChannelsList\); remove the option overlap"):
    Image.open(folder, product=ProductOptions("vnir"))


def test_an_image_of_another_level_is_a_raster(tmp_path):
  folder = products.save_enmap(tmp_path, _VALUES, level="L1C")
  assert Image.open(next(folder.glob("*IMAGE.TIF"))).remarks == ()


def test_metadata_alone_ask_for_the_image(tmp_path):
  path = tmp_path / "ENMAP01-METADATA.XML"
  path.write_text("<level_X/>")
  with pytest.raises(RequestError, match=r"no file \*-SPECTRAL_IMAGE.TIF beside .*METADATA.XML; add it"):
    Image.open(path)


def test_options_that_do_not_apply_are_refused(folder):
  with pytest.raises(RequestError, match="EnMAP L2A; remove the option geometry"):
    Image.open(folder, product=ProductOptions(geometry="map"))
