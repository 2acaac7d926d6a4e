"""A finished run as one file: a zip archive of what predictions need, with a model card.

  README.md                       the model card
  model.json                      format number, program version
  config.json, scenes.json        records of the run, without the paths of its files
  metrics.json                    its accuracies
  mixtures.npz                    if it mixes experts
  unknown.npz                     training pixels, only if requested
  networks/<epoch>.npz            the networks that make maps, without those of folds
  networks/local/<epoch>.npz      those with smaller patches
  SHA256SUMS                      checksums of all these

Exporting a run twice gives identical bytes. Files from untrusted sources are read within bounded memory, and
nothing is unpacked to disk.
"""

import contextlib
import errno
import io
import math
import os
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.runs.records import SCHEMAS
from mtl_hsi.storage import checksums, memory, npz_files, zip_files
from mtl_hsi.storage.atomic_files import json_bytes, npz_bytes, replacing
from mtl_hsi.storage.json_files import parse_json, well_formed
from mtl_hsi.training.ensemble import Ensemble

SUFFIX = ".mtlhsi"
CARD, MODEL = "README.md", "model.json"
# Files with another number are rejected.
_FORMAT = 1
_NAMES = re.compile(
  r"README\.md|SHA256SUMS|(model|config|scenes|metrics)\.json|(mixtures|unknown)\.npz"
  r"|networks/(local/)?(0|[1-9][0-9]{0,11})\.npz"
)
_EPOCHS = "networks/{epoch}.npz", "networks/local/{epoch}.npz"


def write(path: Path, contents: Mapping[str, bytes]) -> None:
  """Writes the file completely or not at all; the same contents give identical bytes.

  Args:
    path: of the file.
    contents: of the members by name, without checksums.

  Raises:
    RequestError: it cannot be written.
  """
  contents = dict(sorted(contents.items(), key=lambda item: (item[0] != CARD, item[0])))
  sums = checksums.listing(path.parent, (), contents)
  with replacing(path) as partial, zipfile.ZipFile(partial, "w") as archive:
    for name, content in {**contents, checksums.NAME: sums}.items():
      # A new ZipInfo always has the year 1980.
      entry = zipfile.ZipInfo(name)
      # Unix on every platform, for identical bytes.
      entry.create_system = 3
      entry.compress_type = zipfile.ZIP_STORED if name.endswith(".npz") else zipfile.ZIP_DEFLATED
      entry.external_attr = 0o644 << 16
      archive.writestr(entry, content)


def model_record(version: str) -> bytes:
  """Returns the content of `model.json`, which states the version of the program."""
  return json_bytes({"schema": _FORMAT, "mtl_hsi": version})


def networks_name(epoch: int, *, local: bool) -> str:
  """Returns the name of the member with the networks of an epoch."""
  return _EPOCHS[local].format(epoch=epoch)


def networks_bytes(tree: Any) -> bytes:
  """Returns the content of a member with networks, from a tree of arrays with a leading axis of networks."""
  return npz_bytes({name: np.asarray(leaf) for name, leaf in _leaves(tree).items()})


class ModelFile:
  """An exported run; see `run_files.RunFiles`.

  Raises:
    RequestError: the file is not an exported run, is damaged, or has another version.
  """

  remedy = "export the run again, with this version of mtl_hsi"
  may_lack_pixels = True

  def __init__(self, path: Path):
    self.path = path
    with self._opened() as archive:
      names = archive.namelist()
      strange = [name for name in names if not _NAMES.fullmatch(name)]
      if strange or len(set(names)) != len(names):
        # The end of a truncated file is that of an archive within it.
        found = f"it has the member {strange[0]!r}; perhaps it is truncated"
        raise ValueError(found if strange else "it has a member twice")
      content = zip_files.read_member(archive, checksums.NAME, str(path.absolute()))
      self._digests = checksums.parse(content)
      if self._digests.keys() != set(names) - {checksums.NAME}:
        raise ValueError(f"{checksums.NAME} does not list its members")
    self._parse(MODEL, _FORMAT)

  @property
  def names(self) -> frozenset[str]:
    """Names of the members, except the checksums."""
    return frozenset(self._digests)

  def record(self, name: str) -> dict[str, Any]:
    """Returns the content of a JSON file, without the number of its schema."""
    return {key: value for key, value in self._parse(name, SCHEMAS[name]).items() if key != "schema"}

  def check_complete(self, config: dict[str, Any]) -> None:
    """Only finished runs are exported."""

  def read(self, name: str) -> bytes:
    """Returns the content of a member."""
    if name not in self._digests:
      raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), name)
    with self._opened() as archive:
      content = zip_files.read_member(archive, name, str(self.path.absolute()))
    if checksums.digest(content) != self._digests[name]:
      raise RequestError(f"{self.path.absolute()} is damaged: {name} has another SHA-256; get the file again")
    return content

  def networks(self, epoch: int, one: Any, ensemble: Ensemble, *, local: bool) -> Any:
    """Returns the networks that make maps after an epoch."""
    name, count = networks_name(epoch, local=local), ensemble.maps * ensemble.voters
    content, where = self._needed(name), self.path / name
    expected = {key: ((count, *leaf.shape), leaf.dtype) for key, leaf in _leaves(one).items()}
    with well_formed(where), npz_files.opened(io.BytesIO(content), str(where)) as arrays:
      if arrays.entries != expected:
        raise ValueError("its arrays are not those of the network that config.json describes")
      memory.check_fits(
        sum(math.prod(shape) * dtype.itemsize for shape, dtype in expected.values()), str(where)
      )
      found = [arrays.read(key) for key in _leaves(one)]
    return jax.tree.unflatten(jax.tree.structure(one), found)

  def _parse(self, name: str, schema: int) -> dict[str, Any]:
    content, where = self._needed(name), self.path / name
    memory.check_decoded(len(content), memory.JSON_RATIO, str(where.absolute()))
    return parse_json(content, where, schema, self.remedy)

  def _needed(self, name: str) -> bytes:
    try:
      return self.read(name)
    except FileNotFoundError as error:
      raise RequestError(f"{self.path.absolute()} has no {name}; {self.remedy}") from error

  @contextlib.contextmanager
  def _opened(self) -> Iterator[zipfile.ZipFile]:
    try:
      with zip_files.open_zip(self.path) as archive:
        zip_files.check_members(archive, str(self.path.absolute()))
        yield archive
    except RequestError:
      raise
    # On damaged archives, zipfile, zlib and struct raise a dozen unrelated exceptions.
    except Exception as error:
      reason = " ".join(str(error).split()) or type(error).__name__
      raise RequestError(
        f"{self.path.absolute()} cannot be read as an exported run ({reason}); expected a file of mtl-hsi "
        "export, or a work directory"
      ) from error


def _leaves(tree: Any) -> dict[str, Any]:
  """Returns the leaves of a tree by their path in it, such as "params/heads/bias"."""
  leaves = jax.tree_util.tree_leaves_with_path(tree)
  return {jax.tree_util.keystr(path, simple=True, separator="/"): leaf for path, leaf in leaves}
