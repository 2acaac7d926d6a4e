"""Valid containers around invalid content, since hardly any mutation of a container has a valid checksum."""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping

import numpy as np


def npy(array: np.ndarray) -> bytes:
  """An .npy file."""
  buffer = io.BytesIO()
  np.save(buffer, array)
  return buffer.getvalue()


def archive(members: Mapping[str, bytes]) -> bytes:
  """A zip archive of deflated members."""
  buffer = io.BytesIO()
  with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
    for name, content in members.items():
      file.writestr(name, content)
  return buffer.getvalue()


def members(data: bytes, names: list[str]) -> bytes:
  """An archive of members of the names given, cut out of the data by `parts`."""
  return archive(dict(zip(names, parts(data, len(names)), strict=True)))


def parts(data: bytes, count: int) -> list[bytes]:
  """So many contents cut out of the data in order, each after its length; those beyond its end are empty."""
  stream = io.BytesIO(data)
  return [stream.read(int.from_bytes(stream.read(2), "little")) for _ in range(count)]


def cut(contents: list[bytes]) -> bytes:
  """What `parts` cuts these contents out of."""
  return b"".join(len(content).to_bytes(2, "little") + content for content in contents)


def compressed_mat(data: bytes) -> bytes:
  """A .mat file of version 5 whose variables, from byte 128 on, are one compressed element."""
  stored = zlib.compress(data[128:])
  return data[:128] + struct.pack("<2I", 15, len(stored)) + stored
