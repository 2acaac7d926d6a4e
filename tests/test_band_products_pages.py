"""The pages on products but EnMAP, docs/products_*.md, do what they say: their commands as they stand."""

import os
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import rasterio
import yaml

from mtl_hsi.scenes.images.image import Image
from tests import launching
from tests.scenes import band_products, formats, product_files, xml_products

_LABELS = 1 + np.kron(np.random.default_rng(1).integers(0, 3, (5, 6)), np.ones((6, 6), int))
_NUMBERS = (8, 30, 56, 57, 77, 78, 79, 120, 150, 200)
_CENTRES = np.linspace(450, 880, 10)
_PRISMA = {
  "Vnir": (0, 0, 0, 977, 967, 850, 650, 550, 450),
  "Swir": (2400, 2200, 1650, 1200, 1000, 951, 943, 0, 0),
}
# Training for the accuracy of real work takes minutes.
_SHORTER = (
  *("--set", "folds=2", "--set", "replicas=1", "--set", "steps_per_epoch=15", "--set", "batch_size=8"),
  *("--set", "model.blocks=1", "--set", "model.patch=5", "--set", "mixture.local_patch=3"),
  *("--set", "mnf_components=0", "--set", "model.width=6", "--set", "mixture.smoothings=('none',)"),
  "--set",
  "mixture.regression=('bands',)",
)


def _hyperion(name: str, seed: int) -> Path:
  folder = Path("unpacked" + name)
  folder.mkdir()
  values = xml_products.reflectance(_LABELS, 10, seed)
  band_products.save_hyperion(folder, values, _NUMBERS, name.removesuffix("_1T.ZIP"))
  return xml_products.zipped(folder).rename(name)


def _wyvern(name: str, seed: int) -> Path:
  values = xml_products.reflectance(_LABELS, 10, seed) / 100
  return band_products.save_wyvern(Path(), values, _CENTRES, name=name.removesuffix(".json"))


def _prisma(name: str, seed: int) -> Path:
  folder = Path("unpacked" + name)
  folder.mkdir()
  values = xml_products.reflectance(_LABELS, 13, seed) / 1e4
  product_files.save_prisma_scene(folder / Path(name).with_suffix(".he5"), values, _PRISMA)
  return xml_products.zipped(folder).rename(name)


def _emit(name: str, seed: int) -> Path:
  values = xml_products.reflectance(_LABELS, 10, seed) / 1e4
  mask = name.replace("RFL", "MASK")
  product_files.save_emit_mask(Path(mask), np.zeros((*_LABELS.shape, 8)))
  return product_files.save_emit(Path(name), values, _CENTRES, good=[1] * 9 + [0])


def _tanager(name: str, seed: int) -> Path:
  values = xml_products.reflectance(_LABELS, 10, seed) / 1e4
  layers = {"beta_cloud_mask": np.zeros(_LABELS.shape)}
  return product_files.save_tanager(Path(name), values, _CENTRES, [1] * 9 + [0], layers=layers)


PAGES = {
  "products_hyperion.md": _hyperion,
  "products_stac.md": _wyvern,
  "products_prisma.md": _prisma,
  "products_emit.md": _emit,
  "products_tanager_aviris.md": _tanager,
}


def _blocks(page: str, kind: str) -> list[str]:
  text = (launching.ROOT / "docs" / page).read_text("utf-8")
  return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.fixture(params=PAGES)
def page(request, tmp_path, monkeypatch) -> str:
  """The name of a page, in a folder with the files that it names."""
  monkeypatch.chdir(tmp_path)
  (text,) = _blocks(request.param, "yaml")
  Path("scenes.yaml").write_text(text)
  (scene,) = yaml.safe_load(text).values()
  place = Image.open(PAGES[request.param](scene["cube"], 1)).georeference
  transform = rasterio.Affine(*place.transform)
  starts = [(x, y) for y in range(0, 30, 6) for x in range(0, 36, 6)]
  corners = [(transform @ (x + 1, y + 1), transform @ (x + 5, y + 5)) for x, y in starts]
  shapes = [formats.shapely.box(left, bottom, right, top) for (left, top), (right, bottom) in corners]
  names = [f"class {number}" for number in _LABELS[::6, ::6].ravel()]
  formats.save_features(Path(scene["labels"]), shapes, place.crs, **{"class": names})
  for name in ("configs", "launch.py"):
    os.symlink(launching.ROOT / name, name)
  return request.param


def _commands(page: str) -> list[list[str]]:
  return [shlex.split(block.replace("\\\n", " "))[1:] for block in _blocks(page, "sh")]


def test_the_page_shows_what_the_check_prints(page):
  checked = launching.mtl_hsi(*_commands(page)[0])
  assert checked.status == 0, checked.err
  for line in _blocks(page, "text")[0].splitlines():
    assert line in checked.out


@pytest.mark.slow
def test_from_the_product_to_the_map(page):
  _, train, predict = _commands(page)
  trained = launching.mtl_hsi(*train, *_SHORTER)
  assert trained.status == 0, trained.err
  image = predict[-1]
  PAGES[page](image, 2)
  mapped = launching.mtl_hsi(*predict)
  assert mapped.status == 0, mapped.err
  with rasterio.open(f"runs/fields/predictions/fields_{Path(image).stem}_classes.tif") as raster:
    assert np.mean(raster.read(1) == _LABELS) > 0.9
