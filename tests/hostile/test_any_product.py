"""Products with any attribute or array replaced are read, or rejected with a RequestError."""

import tempfile
from pathlib import Path
from unittest import mock

import h5py
import numpy as np
import pytest
from hypothesis import strategies as st

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.storage import memory
from tests.hostile.any_input import for_any
from tests.scenes import product_files

# NumPy warns about values that are not finite.
pytestmark = pytest.mark.filterwarnings("ignore")

_CUBE = np.linspace(0, 0.6, 36).reshape(3, 4, 3)
_CENTRES = [450.0, 860.0, 1380.0]
_GOOD = [1, 1, 0]
_ALL = slice(None), slice(None)


def _save_prisma(folder):
  product_files.save_prisma(folder / "PRS_L2D_STD_1.he5", (2, 3))
  return folder / "PRS_L2D_STD_1.he5"


def _save_emit(folder):
  product_files.save_emit_mask(folder / "EMIT_L2A_MASK_001_20220903T163129_1_1.nc", np.zeros((3, 4, 8)))
  return product_files.save_emit(
    folder / "EMIT_L2A_RFL_001_20220903T163129_1_1.nc", _CUBE, _CENTRES, good=_GOOD
  )


def _save_tanager(folder):
  layers = dict.fromkeys(("beta_cloud_mask", "nodata_pixels"), np.eye(3, 4))
  return product_files.save_tanager(folder / "a_ortho_sr_hdf5.h5", _CUBE, _CENTRES, _GOOD, layers=layers)


def _save_aviris(folder):
  return product_files.save_aviris(folder / "AV3_RFL_ORT.nc", _CUBE, _CENTRES)


_SAVERS = (_save_prisma, _save_emit, _save_tanager, _save_aviris)
_VALUES = st.sampled_from(
  [
    *(
      None,
      h5py.Empty("f4"),
      "",
      "x",
      "1",
      "\0",
      "nan",
      "9" * 5000,
      b"\xff\xfe",
      np.array(["a", "b"], object),
    ),
    *(0, 1, -1, 2**62, 1.5, 1e300, -1e300, np.nan, np.inf, 32601, np.float16(3), np.array([])),
    *(
      np.zeros(3),
      np.ones(5),
      np.full(6, np.nan),
      np.arange(6) * 1e300,
      np.full((3, 4), 7),
      np.zeros((3, 4, 3)),
    ),
    *(np.full((3, 4), -(2**31)), np.full((3, 4, 3), 1e30), np.full((3, 4), np.nan), np.zeros((0, 4, 3))),
    np.array((1, 2.0), [("a", "i4"), ("b", "f8")]),
  ]
)


def _replace(file, choice, value):
  """Replaces one of all attributes and arrays of a file; None removes it."""
  places = [(file, name) for name in file.attrs]
  file.visititems(lambda name, item: places.extend((item, key) for key in item.attrs) or places.append(name))
  place = places[choice % len(places)]
  holder, name = (file, place) if isinstance(place, str) else (place[0].attrs, place[1])
  del holder[name]
  if value is not None:
    holder[name] = value


@for_any(st.sampled_from(_SAVERS), st.lists(st.tuples(st.integers(0, 200), _VALUES), min_size=1, max_size=3))
def test_products_with_replaced_parts(save, changes):
  with tempfile.TemporaryDirectory() as folder, mock.patch.object(memory, "available", return_value=64 << 20):
    path = save(Path(folder))
    with h5py.File(path, "r+") as file:
      for choice, value in changes:
        try:
          _replace(file, choice, value)
        # Some values do not fit some places, and dimension scales cannot be removed.
        except (TypeError, ValueError, RuntimeError, OSError, KeyError):
          continue
    messages = []
    for quality in (None, "clear"):
      try:
        image = Image.open(path, quality=quality)
        values, mask = image.read(*_ALL)
      except RequestError as error:
        messages.append(str(error))
        continue
      assert values.shape == (image.height, image.width, image.bands)
      assert mask is None or mask.shape == values.shape[:2]
    assert not any("\n" in message for message in messages)
