"""The check of the content of a downloaded file of a public scene."""

import io
from pathlib import Path

import numpy as np
import scipy.io

from fuzz import wrapping
from mtl_hsi.scenes.public.catalogue import PUBLIC_SCENES
from mtl_hsi.scenes.public.verification import check_file_content

_FACTS = PUBLIC_SCENES["indian_pines"]


def seeds(folder: Path) -> list[bytes]:
  buffer = io.BytesIO()
  scipy.io.savemat(buffer, {_FACTS.labels.key: np.zeros((145, 145), np.uint8)})
  small = io.BytesIO()
  scipy.io.savemat(small, {_FACTS.cube.key: np.zeros((2, 3, 4), np.uint16)})
  return [b"\2" + buffer.getvalue(), b"\0" + small.getvalue(), b"\1" + small.getvalue()]


def feed(data: bytes, folder: Path) -> None:
  kind, rest = data[:1], data[1:]
  file = _FACTS.labels if kind == b"\2" else _FACTS.cube
  path = folder / file.filename
  path.write_bytes(wrapping.compressed_mat(rest) if kind == b"\1" else rest)
  check_file_content(_FACTS, file, path)
