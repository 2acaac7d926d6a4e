"""Files of several images are refused by name; the cache of raster blocks."""

import numpy as np
import pytest
import rasterio
from rasterio import env

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import rasters
from mtl_hsi.scenes.images.image import Image
from tests.scenes import formats


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_a_tiff_of_several_pages_is_refused(tmp_path):
  path = tmp_path / "pages.tif"
  profile = {"driver": "GTiff", "height": 3, "width": 4, "count": 1, "dtype": "uint16"}
  for page in range(12):
    with rasterio.open(path, "w", **profile, APPEND_SUBDATASET="NO" if page == 0 else "YES") as raster:
      raster.write(np.ones((1, 3, 4), np.uint16))
  with pytest.raises(RequestError, match=r"pages\.tif has 12 pages"):
    Image.open(path)


def test_overviews_are_no_pages(tmp_path):
  path = formats.save_raster(tmp_path / "a.tif", np.ones((64, 64, 3), np.uint16))
  with rasterio.open(path, "r+") as raster:
    raster.build_overviews([2, 4])
  assert Image.open(path).bands == 3


def test_tags_in_latin_1_are_read_without_noise(tmp_path, caplog):
  path = formats.save_raster(tmp_path / "a.tif", np.ones((3, 4, 5), np.uint16))
  with rasterio.open(path, "r+") as raster:
    raster.update_tags(NOTE="S@d")
  data = path.read_bytes()
  path.write_bytes(data.replace(b"S@d", b"S\xfcd"))
  assert Image.open(path).bands == 5
  assert not caplog.records


def test_the_cache_of_blocks_has_256_megabytes():
  with rasters.bounded_cache():
    assert env.get_gdal_config("GDAL_CACHEMAX") == 256 * 2**20
