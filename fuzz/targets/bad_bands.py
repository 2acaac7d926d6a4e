"""Lists of bad bands, from the user and from ENVI headers."""

from pathlib import Path

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import bad_bands
from mtl_hsi.scenes.images.envi_header import split_list


def seeds(folder: Path) -> list[bytes]:
  return [b"0,103:108,149:163", b"none", b"{1, 0, 1}"]


def feed(data: bytes, folder: Path) -> None:
  text = data.decode(errors="surrogateescape")
  try:
    bad_bands.parse_bands(text, 200, "a list")
  except RequestError:
    bad_bands.parse_flags(split_list(text), 3, "a header")
