"""Valid containers with any content, as hardly any mutation of a container keeps its checksum valid."""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping

import numpy as np


def npy(array: np.ndarray) -> bytes:
  """Returns an .npy file."""
  buffer = io.BytesIO()
  np.save(buffer, array)
  return buffer.getvalue()


def archive(members: Mapping[str, bytes]) -> bytes:
  """Returns a zip archive of deflated members."""
  buffer = io.BytesIO()
  with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
    for name, content in members.items():
      file.writestr(name, content)
  return buffer.getvalue()


def members(data: bytes, names: list[str]) -> bytes:
  """Returns an archive whose members are the parts of the data (see `split`)."""
  return archive(dict(zip(names, split(data, len(names)), strict=True)))


def split(data: bytes, count: int) -> list[bytes]:
  """Splits data into parts, each preceded by its length; parts beyond the end are empty."""
  stream = io.BytesIO(data)
  return [stream.read(int.from_bytes(stream.read(2), "little")) for _ in range(count)]


def join(parts: list[bytes]) -> bytes:
  """Joins parts so that `split` can recover them."""
  return b"".join(len(part).to_bytes(2, "little") + part for part in parts)


def compressed_mat(data: bytes) -> bytes:
  """Compresses the variables of a .mat file of version 5, from byte 128 on, into one element."""
  stored = zlib.compress(data[128:])
  return data[:128] + struct.pack("<2I", 15, len(stored)) + stored
