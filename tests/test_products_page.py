"""docs/products_enmap.md does what it says: its commands as they stand, on two small EnMAP products."""

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
from tests.scenes import formats, xml_products

_PAGE = (launching.ROOT / "docs" / "products_enmap.md").read_text("utf-8")
_CLASSES = ("crop", "forest", "lake")
_LABELS = 1 + np.kron(np.random.default_rng(1).integers(0, 3, (5, 6)), np.ones((6, 6), int))
# Training for the accuracy of real work takes minutes.
_SHORTER = (
  *("--set", "folds=2", "--set", "replicas=1", "--set", "steps_per_epoch=15", "--set", "batch_size=8"),
  *("--set", "model.blocks=1", "--set", "model.patch=5", "--set", "mixture.local_patch=3"),
  *("--set", "mnf_components=0", "--set", "model.width=6", "--set", "mixture.smoothings=('none',)"),
  "--set",
  "mixture.regression=('bands',)",
)


def blocks(kind: str) -> list[str]:
  return re.findall(rf"^```{kind}\n(.*?)^```$", _PAGE, re.DOTALL | re.MULTILINE)


def commands() -> list[list[str]]:
  return [shlex.split(block.replace("\\\n", " "))[1:] for block in blocks("sh")]


def product(folder, seed, name):
  """Writes a product under the name that the page has, as a zip or a folder."""
  flags = np.zeros(_LABELS.shape)
  flags[0, :3] = 1
  values = xml_products.reflectance(_LABELS, len(xml_products.ENMAP_CENTRES), seed)
  made = xml_products.save_enmap(
    folder, values, flags={"CLOUD": flags}, prefix=f"{name.removesuffix('.ZIP')}-"
  ).rename(folder / name.removesuffix(".ZIP"))
  return xml_products.zipped(made) if name.endswith(".ZIP") else made


def polygons(path, place):
  """Writes four polygons of each class, each within a patch of a class."""
  shapes, names = [], []
  transform = rasterio.Affine(*place.transform)
  for row, column in np.argwhere(np.ones((5, 6))) * 6:
    (left, top), (right, bottom) = transform @ (column + 1, row + 1), transform @ (column + 5, row + 5)
    shapes.append(formats.shapely.box(left, bottom, right, top))
    names.append(_CLASSES[_LABELS[row, column] - 1])
  formats.save_features(path, shapes, place.crs, **{"class": names})


@pytest.mark.slow
def test_from_the_product_to_the_map(tmp_path, monkeypatch):
  (text,) = blocks("yaml")
  (tmp_path / "scenes.yaml").write_text(text)
  (scene,) = yaml.safe_load(text).values()
  check, train, predict = commands()
  first = product(tmp_path, 1, scene["cube"])
  second = product(tmp_path, 2, predict[-1])
  polygons(tmp_path / scene["labels"], Image.open(first).georeference)
  for name in ("configs", "launch.py"):
    os.symlink(launching.ROOT / name, tmp_path / name)
  monkeypatch.chdir(tmp_path)

  checked = launching.mtl_hsi(*check)
  assert checked.status == 0, checked.err
  for line in blocks("text")[0].splitlines():
    assert line in checked.out
  assert "the largest value" not in checked.out
  trained = launching.mtl_hsi(*train, *_SHORTER)
  assert trained.status == 0, trained.err
  assert _accuracy("runs/fields/maps/fields/prediction.tif") > 0.9
  mapped = launching.mtl_hsi(*predict)
  assert mapped.status == 0, mapped.err
  assert "As in training: quality=clear" in mapped.out
  stem = f"runs/fields/predictions/fields_{second.name}"
  assert _accuracy(f"{stem}_classes.tif") > 0.9
  # Images that are no product have none of its options.
  plain = Image.open(second)
  image = formats.save_raster(Path("plain.tif"), plain.read(slice(None), slice(None))[0])
  mapped = launching.mtl_hsi(*predict[:-1], str(image))
  assert mapped.status == 0, mapped.err
  assert "quality" not in mapped.out
  assert "crop" in Path(f"{stem}_areas.csv").read_text()


def _accuracy(path):
  with rasterio.open(path) as raster:
    ids = raster.read(1)
    assert raster.transform == formats.TRANSFORM
  # Cloud is not classified.
  assert (ids[0, :3] == 0).all()
  return np.mean(ids[ids > 0] == _LABELS[ids > 0])
