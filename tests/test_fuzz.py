"""What fuzzing starts from and what it came to: targets, their seeds, and inputs that reached new places."""

import contextlib
import importlib
import pkgutil
import sys
import tarfile

import pytest

from fuzz import targets
from mtl_hsi.errors import RequestError
from mtl_hsi.storage import memory
from tests import launching

# Its seeds stand for a public scene, which is too large for one.
_REFUSED = ("public",)


_TARGETS = [name for names in targets.FAMILIES.values() for name in names]


def test_every_target_is_listed_once():
  assert sorted(_TARGETS) == sorted(module.name for module in pkgutil.iter_modules(targets.__path__))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", _TARGETS)
def test_seeds_are_read_and_what_fuzzing_found_is_read_or_refused(name, tmp_path, monkeypatch):
  monkeypatch.setattr(sys, "argv", sys.argv)
  with launching.own_flags():
    target = importlib.import_module(f"fuzz.targets.{name}")
    read = _reads(target, target.seeds(tmp_path), tmp_path)
    assert read or name in _REFUSED
    monkeypatch.setattr(memory, "available", lambda: 64 << 20)
    found = _found(name)
    assert found
    _reads(target, found, tmp_path)


def _reads(target, inputs, folder):
  """How many inputs are read; the others raise documented errors."""
  count = 0
  for data in inputs:
    with contextlib.suppress(RequestError):
      target.read(data, folder)
      count += 1
  return count


def _found(name):
  """Inputs that reached new places of a target."""
  with tarfile.open(launching.ROOT / "fuzz" / "corpora.tar.xz") as corpora:
    files = [file for file in corpora if file.isfile() and file.name.startswith(f"{name}/corpus/")]
    return [corpora.extractfile(file).read() for file in files]
