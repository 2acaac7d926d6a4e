"""HDF5 files of products (netCDF 4 among them): opening, attributes, and windows of arrays."""

import contextlib
import itertools
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import hdf5_check
from mtl_hsi.scenes.images.products.delivery import Delivery
from mtl_hsi.storage import memory

if TYPE_CHECKING:
  import h5py

_SUFFIXES = (".he5", ".h5", ".hdf5", ".hdf", ".nc", ".nc4")
# Keeps the chunks that neighbouring windows share; h5py's default of 1 MB is less than many a chunk.
_CHUNK_CACHE = 64 << 20
# Bands between two requested ones that are read and dropped, as one long read is faster than two short ones.
_WIDEST_GAP = 32
# Bytes of a window that fits into any memory.
_SMALL = 1 << 20


def find_file(delivery: Delivery, *patterns: str) -> "Hdf5File | None":
  """Opens the HDF5 file of a product.

  Args:
    delivery: the file itself, whatever its name; or a folder or an archive.
    patterns: regular expressions of the file's name in lower case, for folders and archives. The first one
      that has a match counts.

  Returns:
    The file, or None if there is none.

  Raises:
    RequestError: several files match, or the file is damaged.
  """
  if delivery.named is not None:
    return open_file(delivery.path) if delivery.path.suffix.lower() in _SUFFIXES else None
  for pattern in patterns:
    names = delivery.find(re.compile(pattern).fullmatch)
    if len(names) > 1:
      listed = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
      raise RequestError(f"{delivery.path.absolute()} contains {len(names)} products ({listed}); name one")
    if names:
      return open_file(delivery.file(names[0]))
  return None


def open_file(path: Path) -> "Hdf5File | None":
  """Opens an HDF5 file; None if it is in another format.

  Raises:
    RequestError: it is damaged, or some values are in other files.
  """
  with _errors_as_requests(path):
    return Hdf5File(path) if hdf5_check.is_hdf5(path) else None


def is_stored_by_rows(array: "h5py.Dataset", axes: str) -> bool:
  """Returns whether windows of whole rows are quicker to read from an array than square ones.

  Args:
    array: the array.
    axes: as in `Hdf5File.read`.
  """
  width = array.shape[axes.index("c")]
  return (array.chunks or array.shape)[axes.index("c")] == width


def copy_bands(source: np.ndarray, bands: np.ndarray, target: np.ndarray, places: np.ndarray) -> None:
  """Sets `target[..., places] = source[..., bands]`, by runs of bands, without a further array.

  Args:
    source: `[h, w, n]`.
    bands: indices of bands in it.
    target: `[h, w, m]`.
    places: an index in it for every band.
  """
  ends = np.flatnonzero((np.diff(places) != 1) | (np.diff(bands) != 1)) + 1
  for start, stop in itertools.pairwise([0, *ends.tolist(), len(bands)]):
    if start < stop:
      band, place = int(bands[start]), int(places[start])
      target[..., place : place + stop - start] = source[..., band : band + stop - start]


class Hdf5File:
  """An open HDF5 file; its methods raise a `RequestError` where it is damaged.

  Attributes:
    path: the file.
    where: its absolute path, for messages.
  """

  def __init__(self, path: Path):
    # Imported here as it is slow and few files are in this format.
    import h5py

    self.path = path
    self.where = str(path.absolute())
    hdf5_check.check_file(path)
    self._file = h5py.File(path, "r", rdcc_nbytes=_CHUNK_CACHE)

  def names(self, group: str) -> tuple[str, ...]:
    """Returns the names of the members of a group; none if there is no such group."""
    with _errors_as_requests(self.path):
      return tuple(self._file[group]) if self._is(group, "Group") else ()

  def has_array(self, name: str) -> bool:
    """Returns whether there is an array of a name."""
    return self._is(name, "Dataset")

  def has_group(self, name: str) -> bool:
    """Returns whether there is a group of a name."""
    return self._is(name, "Group")

  def array(self, name: str, dimensions: int) -> "h5py.Dataset":
    """Returns an array of real numbers, unread.

    Raises:
      RequestError: it is missing or has other dimensions, or declares more than it contains.
    """
    if not self.has_array(name):
      raise RequestError(f"{self.where} has no array {name}; it is incomplete: download it again")
    with _errors_as_requests(self.path):
      found = self._file[name]
      where = f"{name} in {self.where}"
      if found.dtype.kind not in "iufb" or found.ndim != dimensions or not found.size:
        raise RequestError(
          f"{where} has the shape {found.shape} and the type {found.dtype}; expected {dimensions} dimensions "
          "of real numbers"
        )
      memory.check_ratio(found.nbytes, found.id.get_storage_size(), where)
      _check_fits(math.prod(found.chunks or ()) * found.dtype.itemsize, where)
      return found

  def read_list(self, name: str, count: int) -> np.ndarray:
    """Reads an array of one number per band, float64 `[count]`.

    Raises:
      RequestError: it is missing or has another length.
    """
    found = self.array(name, 1)
    if found.size != count:
      raise RequestError(f"{name} in {self.where} has {found.size} values for {count} bands")
    with _errors_as_requests(self.path):
      return found[()].astype(np.float64)

  def text(self, name: str) -> str | None:
    """Reads an array that consists of one text; None if there is none of this name."""
    if not self.has_array(name):
      return None
    with _errors_as_requests(self.path):
      found = self._file[name]
      _check_fits(found.nbytes, f"{name} in {self.where}")
      return _as_text(found[()]) if found.size == 1 and _is_text(found.dtype) else None

  def texts(self, name: str, most: int) -> list[str]:
    """Reads an array of at most `most` texts; an empty list if there is none."""
    if not self.has_array(name):
      return []
    with _errors_as_requests(self.path):
      found = self._file[name]
      if found.ndim != 1 or found.size > most or not _is_text(found.dtype):
        return []
      _check_fits(found.nbytes, f"{name} in {self.where}")
      return [_as_text(item) or "" for item in found[()]]

  def numbers(self, name: str, attribute: str) -> np.ndarray | None:
    """Returns the numbers of an attribute of an object, float64 `[n]`; None if there are none."""
    found = self._attribute(name, attribute)
    with _errors_as_requests(self.path):
      values = np.atleast_1d(np.asarray(found))
      return values.ravel().astype(np.float64) if values.dtype.kind in "iufb" and values.size else None

  def number(self, name: str, attribute: str) -> float | None:
    """Returns the number of an attribute, also one that is stored as text; None if there is none."""
    numbers = self.numbers(name, attribute)
    if numbers is not None:
      return float(numbers[0])
    with contextlib.suppress(ValueError):
      return float(self.attribute_text(name, attribute) or "")
    return None

  def attribute_text(self, name: str, attribute: str) -> str | None:
    """Returns the text of an attribute of an object; None if there is none."""
    return _as_text(self._attribute(name, attribute))

  def read(
    self, array: "h5py.Dataset", axes: str, rows: slice, columns: slice, bands: np.ndarray | None = None
  ) -> np.ndarray:
    """Reads a window of an array in native byte order, `[h, w, b]`, or `[h, w]` without bands.

    Args:
      array: one that `array` returned.
      axes: its axes in the order of the file: r for rows, c for columns, b for bands.
      rows: rows of the window, without a step.
      columns: columns of the window, without a step.
      bands: indices of the bands, in any order.
    """
    sizes = dict(zip(axes, array.shape, strict=True))
    window = {"r": _limited(rows, sizes["r"]), "c": _limited(columns, sizes["c"])}
    shape = [part.stop - part.start for part in window.values()]
    dtype = array.dtype.newbyteorder("=")
    with _errors_as_requests(self.path):
      _check_fits(math.prod(shape) * (1 if bands is None else len(bands)) * dtype.itemsize, self.where)
      if bands is None:
        found = array[tuple(window[axis] for axis in axes)]
        return (found if axes == "rc" else found.T).astype(dtype, copy=False)
      out = np.empty((*shape, len(bands)), dtype)
      for span, places in _spans(bands):
        found = array[tuple((window | {"b": span})[axis] for axis in axes)]
        found = found.transpose([axes.index(axis) for axis in "rcb"])
        copy_bands(found, bands[places] - span.start, out, places)
      return out

  def _is(self, name: str, kind: str) -> bool:
    import h5py

    with _errors_as_requests(self.path):
      return isinstance(self._file.get(name), getattr(h5py, kind))

  def _attribute(self, name: str, attribute: str) -> Any:
    with _errors_as_requests(self.path):
      if name not in self._file or attribute not in self._file[name].attrs:
        return None
      attributes = self._file[name].attrs
      found = attributes.get_id(attribute)
      where = f"attribute {attribute} in {self.where}"
      count = math.prod(found.shape or ())
      _check_fits(count * found.dtype.itemsize, where)
      # An array of references to one long text could fill the memory.
      known = found.dtype.kind in "iufb" or (_is_text(found.dtype) and count == 1)
      return attributes[attribute] if known else None


def _check_fits(size: int, where: str) -> None:
  # The check takes milliseconds, more than a small window.
  if size > _SMALL:
    memory.check_fits(size, where)


def _limited(part: slice, size: int) -> slice:
  start, stop, _ = part.indices(size)
  return slice(start, max(start, stop))


def _spans(bands: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
  """Yields ranges of bands to read at once, and the places of their bands in `bands`."""
  order = np.argsort(bands, kind="stable")
  for places in np.split(order, np.flatnonzero(np.diff(bands[order]) > _WIDEST_GAP) + 1):
    if len(places):
      yield slice(int(bands[places[0]]), int(bands[places[-1]]) + 1), places


def _is_text(dtype: np.dtype) -> bool:
  """Returns whether values are texts; HDF5 can crash on other values of any length."""
  import h5py

  return h5py.check_string_dtype(dtype) is not None


def _as_text(value: Any) -> str | None:
  if isinstance(value, np.ndarray):
    value = value.flat[0] if value.size == 1 else None
  if isinstance(value, bytes):
    value = value.decode("utf-8", "replace")
  if not isinstance(value, str):
    return None
  # h5py represents bytes that are not UTF-8 by surrogates, which cannot be printed.
  return value.encode("utf-8", "replace").decode().strip("\0 \n")


@contextlib.contextmanager
def _errors_as_requests(path: Path) -> Iterator[None]:
  try:
    yield
  except RequestError:
    raise
  # On damaged files, h5py raises a dozen unrelated exceptions.
  except Exception as error:
    reason = " ".join(str(error).split()) or type(error).__name__
    raise RequestError(
      f"{path.absolute()} cannot be read as HDF5 ({reason}); it may be truncated: download it again"
    ) from error
