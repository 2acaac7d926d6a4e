"""Arrays in NumPy and MATLAB files. Nothing is ever unpickled."""

import collections
import contextlib
import dataclasses
import functools
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import matlab_check, matlab_struct
from mtl_hsi.storage import memory, npz_files

SUFFIXES = (".npy", ".npz", ".mat")

_MAT_KINDS = {"double": "f", "single": "f", "logical": "b"}
for _bits in (8, 16, 32, 64):
  _MAT_KINDS |= {f"int{_bits}": "i", f"uint{_bits}": "u"}


@dataclasses.dataclass(frozen=True)
class Entry:
  """Shape and kind (as in `numpy.dtype.kind`) of an array in a file, known without reading it."""

  shape: tuple[int, ...]
  kind: str


def read_array(path: Path, key: str | None) -> np.ndarray:
  """Reads one array from an .npy, .npz or .mat file of any version, in its own dtype.

  An .npy file is memory-mapped, not loaded, unless it has a foreign byte order. `key` may be None if the file
  contains only one array of numbers.

  Raises:
    RequestError: the file is missing, damaged, of an unknown type or too large for the memory, or has no such
      key.
  """
  mapped = known_suffix(path) == ".npy"
  if mapped and key is not None:
    raise RequestError(f"{path.absolute()} contains a single array without a name; remove the key {key!r}")
  with _errors_as_requests(path):
    array = _map(path) if mapped else _read_keyed(path, _check_key(path, key))
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def list_arrays(path: Path) -> dict[str, Entry]:
  """Returns the arrays of a file by key; none for an .npy file, whose array has no key.

  Raises:
    RequestError: the file is missing, damaged or of an unknown type.
  """
  suffix = known_suffix(path)
  with _errors_as_requests(path):
    if suffix == ".npz":
      return _list_npz(path)
    return _list_mat(path) if suffix == ".mat" else {}


def choose_key(path: Path, what: str, *groups: list[str]) -> str:
  """Returns the key in the first group that consists of a single key.

  Args:
    path: the file.
    what: what the array is, for messages.
    groups: keys of possible arrays, the most likely ones first.

  Raises:
    RequestError: there is no such group; lists the arrays of the file.
  """
  for group in groups:
    if len(group) == 1:
      return group[0]
  raise RequestError(
    f"{path.absolute()}: cannot tell which array is {what}; the file contains {_contents(path)}: name the "
    "array with its key"
  )


def known_suffix(path: Path) -> str:
  """Returns the lower-case suffix of an existing file of one of the types `SUFFIXES`.

  Raises:
    RequestError: the file is missing or of an unknown type.
  """
  suffix = path.suffix.lower()
  if suffix not in SUFFIXES:
    raise RequestError(f"{path.absolute()} has the unknown type {suffix!r}; expected {', '.join(SUFFIXES)}")
  if not os.path.isfile(path):
    raise RequestError(f"no such file: {path.absolute()}")
  return suffix


def axes_of_python(path: Path, key: str | None) -> bool:
  """Returns whether an array in a .mat file has its axes as in Python, not reversed as those of MATLAB 7.3.

  Raises:
    RequestError: the file is damaged.
  """
  if path.suffix.lower() != ".mat":
    return False
  with _errors_as_requests(path):
    if not _is_matlab_73(path):
      return False
    from mtl_hsi.scenes.images import matlab_73

    return matlab_73.axes_of_python(path, key)


def location(path: Path, key: str | None) -> str:
  """Returns "file (key)", or the file alone, with its absolute path, for messages."""
  return f"{path.absolute()}" if key is None else f"{path.absolute()} ({key})"


def npz_contains(path: Path, key: str) -> bool:
  """Returns whether a file is an .npz file with an array of that name.

  Raises:
    RequestError: the file is damaged.
  """
  return path.suffix.lower() == ".npz" and key in list_arrays(path)


def format_shape(shape: tuple[int, ...]) -> str:
  """Returns a shape as text: "145 x 145 x 200"."""
  return " x ".join(str(n) for n in shape) or "a single value"


def _check_key(path: Path, key: str | None) -> str:
  entries = list_arrays(path)
  if key is None:
    return choose_key(path, "meant", [key for key, entry in entries.items() if entry.kind in "biufc"])
  if key not in entries:
    raise RequestError(f"{path.absolute()} has no array {key!r}; it contains {_contents(path)}")
  if entries[key].kind == "O":
    raise RequestError(f"{location(path, key)} contains objects or text; expected a numeric array")
  return key


def _map(path: Path) -> np.ndarray:
  array = np.asarray(np.lib.format.open_memmap(path, mode="r"))
  if not array.dtype.isnative:
    # Swapping its bytes loads it.
    memory.check_fits(array.nbytes, str(path.absolute()))
  return array


def _read_keyed(path: Path, key: str) -> np.ndarray:
  if known_suffix(path) == ".npz":
    with npz_files.opened(path, str(path.absolute())) as arrays:
      return arrays.read(key)
  if _is_matlab_73(path):
    # Imported here as it is slow and few files are of this version.
    from mtl_hsi.scenes.images import matlab_73

    return matlab_73.read_dataset(path, key)
  # Neither variables nor fields have a point in their names.
  matlab_check.check_variables(path, None if "." in key else key)
  if "." in key:
    return _read_field(path, key)
  import scipy.io

  array = scipy.io.loadmat(path, variable_names=[key])[key]
  if not isinstance(array, np.ndarray):
    raise ValueError(f"{key} is not an array: {array}")
  return array


def _list_npz(path: Path) -> dict[str, Entry]:
  with npz_files.opened(path, str(path.absolute())) as arrays:
    return {key: Entry(entry.shape, entry.dtype.kind) for key, entry in arrays.entries.items()}


def _list_mat(path: Path) -> dict[str, Entry]:
  if _is_matlab_73(path):
    from mtl_hsi.scenes.images import matlab_73

    return {key: Entry(*found) for key, found in matlab_73.list_datasets(path).items()}
  matlab_check.check_variables(path)
  import scipy.io

  listing = scipy.io.whosmat(path)
  repeated = [key for key, count in collections.Counter(key for key, _, _ in listing).items() if count > 1]
  if repeated:
    # SciPy would list the last one and read the first.
    raise ValueError(f"two variables are named {repeated[0]}")
  entries = {key: Entry(shape, _MAT_KINDS.get(kind, "O")) for key, shape, kind in listing if key[:2] != "__"}
  for key, _, kind in listing:
    if kind == "struct":
      entries |= _list_fields(path, key, path.stat().st_mtime_ns)
  return entries


@functools.lru_cache(maxsize=8)
def _list_fields(path: Path, variable: str, _changed: int) -> dict[str, Entry]:
  """Returns the fields of a struct; the time of the last change of the file makes the cache aware of it."""
  import scipy.io

  entries = {}
  for key, file in matlab_struct.field_files(path, variable).items():
    matlab_check.check_stream(file, file.getbuffer().nbytes, location(path, key))
    ((_, shape, kind),) = scipy.io.whosmat(file)
    entries[key] = Entry(shape, _MAT_KINDS.get(kind, "O"))
  return entries


def _read_field(path: Path, key: str) -> np.ndarray:
  import scipy.io

  file = matlab_struct.field_files(path, key.partition(".")[0])[key]
  matlab_check.check_stream(file, file.getbuffer().nbytes, location(path, key), matlab_struct.VARIABLE)
  file.seek(0)
  return scipy.io.loadmat(file)[matlab_struct.VARIABLE]


def _is_matlab_73(path: Path) -> bool:
  """Returns whether the rest of the file is HDF5, as the version at the end of MATLAB's header shows."""
  with path.open("rb") as file:
    start = file.read(128)
  return start[:4] == b"\x89HDF" or start[124:128] in (b"\x00\x02IM", b"\x02\x00MI")


@contextlib.contextmanager
def _errors_as_requests(path: Path) -> Iterator[None]:
  try:
    yield
  except RequestError:
    raise
  # On damaged files, zipfile, zlib, numpy and scipy raise a dozen unrelated exceptions.
  except Exception as error:
    reason = " ".join(str(error).split()) or type(error).__name__
    raise RequestError(
      f"{path.absolute()} cannot be read as {path.suffix} ({reason}); "
      "it may be truncated or in another format: download or save it again"
    ) from error


def _contents(path: Path) -> str:
  arrays = [f"{key} ({format_shape(entry.shape)})" for key, entry in list_arrays(path).items()]
  return ", ".join(arrays) or "no arrays"
