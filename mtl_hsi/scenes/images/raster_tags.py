"""Metadata of rasters as text, without the log lines about items in unknown encodings."""

import contextlib
import logging
import sys
from collections.abc import Iterator
from typing import Any

import rasterio


def tags(raster: rasterio.DatasetReader, band: int = 0, namespace: str | None = None) -> dict[str, str]:
  """Returns the metadata of a raster, or of one of its bands from 1, as far as they are UTF-8."""
  with silent_log():
    return raster.tags(band, ns=namespace)


def descriptions(raster: rasterio.DatasetReader) -> tuple[str, ...]:
  """Returns the name of every band, "" for bands without one; all are "" if one is not UTF-8."""
  try:
    with silent_log():
      return tuple(text or "" for text in raster.descriptions)
  except UnicodeDecodeError:
    return ("",) * raster.count


@contextlib.contextmanager
def silent_log() -> Iterator[None]:
  """Hides the log of rasterio, which repeats what errors say or concerns metadata that are not needed.

  So is the error where it cannot decode a message of GDAL: it ignores that, but prints it by both hooks.
  """
  log, hooks = logging.getLogger("rasterio"), (sys.excepthook, sys.unraisablehook)
  level = log.level

  def print_others(kind: type, error: BaseException, trace: Any) -> None:
    if not isinstance(error, UnicodeDecodeError):
      hooks[0](kind, error, trace)

  def report_others(found: Any) -> None:
    if not isinstance(found.exc_value, UnicodeDecodeError):
      hooks[1](found)

  log.setLevel(logging.CRITICAL)
  sys.excepthook, sys.unraisablehook = print_others, report_others
  try:
    # Without an environment of rasterio, GDAL writes warnings to standard error.
    with rasterio.Env():
      yield
  finally:
    sys.excepthook, sys.unraisablehook = hooks
    log.setLevel(level)
