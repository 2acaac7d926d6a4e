"""Arrays in .mat files of versions 4 and 5, plain and compressed."""

import io
from pathlib import Path

import numpy as np
import scipy.io

from fuzz import wrapping
from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.arrays import list_arrays, read_array

_ARRAYS = {"cube": np.arange(24.0).reshape(2, 3, 4), "gt": np.eye(3, dtype=np.uint8), "name": "maize"}


def seeds(folder: Path) -> list[bytes]:
  flat = {"gt": _ARRAYS["gt"].astype(float), "name": "maize", "z": np.array([[1j]])}
  structure = {"info": {"gt": _ARRAYS["gt"]}, "cells": np.array([1, "a"], object)}
  new, nested = _save(_ARRAYS), _save(structure)
  one = _save({"gt": _ARRAYS["gt"]})
  return [b"\0" + new, b"\0" + nested, b"\0" + _save(flat, format="4"), b"\1" + one, b"\1" + nested]


def feed(data: bytes, folder: Path) -> None:
  path = folder / "a.mat"
  path.write_bytes(wrapping.compressed_mat(data[1:]) if data[:1] == b"\1" else data[1:])
  for key in list_arrays(path):
    try:
      read_array(path, key)
    except RequestError:
      continue


def _save(arrays, **options) -> bytes:
  buffer = io.BytesIO()
  scipy.io.savemat(buffer, arrays, **options)
  return buffer.getvalue()
