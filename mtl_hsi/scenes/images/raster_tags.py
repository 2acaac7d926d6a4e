"""Metadata of rasters as text, without the log lines about items in unknown encodings."""

import contextlib
import logging
from collections.abc import Iterator

import rasterio


def tags(raster: rasterio.DatasetReader, band: int = 0, namespace: str | None = None) -> dict[str, str]:
  """Returns the metadata of a raster, or of one of its bands from 1, as far as they are UTF-8."""
  with silent_log():
    return raster.tags(band, ns=namespace)


def descriptions(raster: rasterio.DatasetReader) -> tuple[str, ...]:
  """Returns the name of every band, "" for bands without one; all are "" if one is not UTF-8."""
  try:
    return tuple(text or "" for text in raster.descriptions)
  except UnicodeDecodeError:
    return ("",) * raster.count


@contextlib.contextmanager
def silent_log() -> Iterator[None]:
  """Hides the log of rasterio, which repeats what errors say or concerns metadata that are not needed."""
  log = logging.getLogger("rasterio")
  level = log.level
  log.setLevel(logging.CRITICAL)
  try:
    yield
  finally:
    log.setLevel(level)
