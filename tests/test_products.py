"""Products of sensors, from check to map: the same commands for all of them, as docs/products.md says."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio

from mtl_hsi.scenes.images.image import Image
from mtl_hsi.scenes.images.products.registry import PRODUCTS
from tests import launching
from tests.prediction.predicting import predict, read_band
from tests.scenes import band_products, formats, product_files, xml_products

_CLASSES = ("crop", "soil", "water")
# Two windows of a prediction, which has blocks of 256 rows.
_LABELS = 1 + np.kron(np.random.default_rng(1).integers(0, 3, (35, 2)), np.ones((8, 8), int))
_CENTRES = np.linspace(450, 2200, 10)
_PRISMA = {"Vnir": _CENTRES[5::-1], "Swir": _CENTRES[:5:-1]}
_CONFIG = """
from configs import own

def get_config():
  config = own.get_config("scene")
  config.folds, config.replicas, config.mnf_components = 2, 1, 0
  config.mixture.local_patch = 3
  config.mixture.smoothings, config.mixture.regression = ("none",), ("bands",)
  config.model.update({"blocks": 1, "patch": 5, "width": 6})
  config.batch_size, config.steps_per_epoch = 8, 15
  config.phases.phase1.epochs = 4
  config.proposals = 0
  return config
"""


def _fractions(seed: int) -> np.ndarray:
  return xml_products.reflectance(_LABELS, 10, seed) / 1e4


def _enmap(folder: Path, seed: int) -> Path:
  return xml_products.save_enmap(folder, xml_products.reflectance(_LABELS, 15, seed))


def _desis(folder: Path, seed: int) -> Path:
  return xml_products.save_desis(folder, xml_products.reflectance(_LABELS, 10, seed))


def _prisma(folder: Path, seed: int) -> Path:
  path = folder / "PRS_L2D_STD_20240402102837_20240402102842_0001.he5"
  return product_files.save_prisma_scene(path, _fractions(seed), _PRISMA)


def _emit(folder: Path, seed: int) -> Path:
  path = folder / "EMIT_L2A_RFL_001_20220903T163129_2224611_012.nc"
  return product_files.save_emit(path, _fractions(seed), _CENTRES)


def _tanager(folder: Path, seed: int) -> Path:
  path = folder / "20241111_120000_00_4001_ortho_sr_hdf5.h5"
  return product_files.save_tanager(path, _fractions(seed), _CENTRES)


def _aviris(folder: Path, seed: int) -> Path:
  path = folder / "AV320240101t120000_000_L2A_OE_0123abcd_RFL_ORT.nc"
  return product_files.save_aviris(path, _fractions(seed), _CENTRES)


def _hyperion(folder: Path, seed: int) -> Path:
  numbers = (8, 20, 30, 40, 50, 80, 100, 120, 150, 200)
  return band_products.save_hyperion(folder, xml_products.reflectance(_LABELS, 10, seed), numbers)


def _stac(folder: Path, seed: int) -> Path:
  return band_products.save_wyvern(folder, _fractions(seed), _CENTRES)


# Each writes a product of the classes of `_LABELS` into an empty folder. The names are those of the products'
# classes in the program.
MAKERS: dict[str, Callable[[Path, int], Path]] = {
  "EnMap": _enmap,
  "Desis": _desis,
  "Prisma": _prisma,
  "Emit": _emit,
  "Tanager": _tanager,
  "Aviris": _aviris,
  "Hyperion": _hyperion,
  "Stac": _stac,
}


def test_every_product_is_tested_here_and_in_the_table_of_the_docs():
  assert set(MAKERS) == {product.__name__ for product in PRODUCTS}
  text = (launching.ROOT / "docs" / "products.md").read_text("utf-8")
  table = re.findall(r"^\| \*\*(.+?)\*\* (.*)\|$", text, re.MULTILINE)
  assert len(table) >= len(PRODUCTS)
  assert all(row.count("yes") == 4 for _, row in table)


def _points(path: Path, image: Image) -> Path:
  """Writes twelve points of each class, with the name of the class."""
  generator = np.random.default_rng(2)
  pixels = np.concatenate(
    [generator.permutation(np.argwhere(number == _LABELS))[:12] for number in (1, 2, 3)]
  )
  transform = rasterio.Affine(*image.georeference.transform)
  places = [transform @ (column + 0.5, row + 0.5) for row, column in pixels]
  names = [_CLASSES[_LABELS[row, column] - 1] for row, column in pixels]
  points = [formats.shapely.Point(place) for place in places]
  return formats.save_features(path, points, image.georeference.crs, **{"class": names})


@pytest.mark.slow
@pytest.mark.parametrize("name", MAKERS)
def test_a_product_is_checked_trained_and_mapped(tmp_path, name):
  for folder in ("first", "second"):
    (tmp_path / folder).mkdir()
  cube = MAKERS[name](tmp_path / "first", 1)
  labels = _points(tmp_path / "points.gpkg", Image.open(cube))
  (tmp_path / "config.py").write_text(_CONFIG)
  files = {"cube": cube, "labels": labels, "label_column": "class"}
  command = [
    f"--config={tmp_path / 'config.py'}",
    *(f"--config.files.scene.{key}={value}" for key, value in files.items()),
  ]
  checked = launching.launch(*command, "--config.check_only=True")
  assert checked.status == 0, checked.err
  assert "scene: 280 rows x 16 columns, pixels of " in checked.out
  assert "1 crop (12), 2 soil (12), 3 water (12)" in checked.out
  trained = launching.launch(*command, f"--workdir={tmp_path / 'run'}")
  assert trained.status == 0, trained.err
  # Another product, as a zip: in two windows.
  other = MAKERS[name](tmp_path / "second", 2)
  packed = Path(shutil.make_archive(str(tmp_path / "other.V1"), "zip", tmp_path / "second"))
  mapped = predict(tmp_path / "run", packed)
  assert mapped.status == 0, mapped.err
  with rasterio.open(tmp_path / "run" / "predictions" / "scene_other.V1_classes.tif") as raster:
    assert np.mean(raster.read(1) == _LABELS) > 0.9
    assert raster.transform[:6] == Image.open(other).georeference.transform
  # The product itself gives the same map.
  assert predict(tmp_path / "run", other, output=tmp_path / "map").status == 0
  np.testing.assert_array_equal(
    read_band(tmp_path / "map_classes.tif"),
    read_band(tmp_path / "run" / "predictions" / "scene_other.V1_classes.tif"),
  )
  # A complete run names products that were changed after it.
  again = launching.launch(*command, f"--workdir={tmp_path / 'run'}")
  assert "complete; nothing to do" in again.out
  assert "was modified" not in again.out
