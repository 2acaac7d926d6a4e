"""The fuzz targets accept their seeds and the stored inputs."""

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

# The seeds of this target are too small for a public scene.
_REJECTED = ("public",)

_TARGETS = [name for names in targets.FAMILIES.values() for name in names]


def test_every_target_is_listed_once():
  assert sorted(_TARGETS) == sorted(module.name for module in pkgutil.iter_modules(targets.__path__))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", _TARGETS)
def test_seeds_are_read_and_corpora_cause_no_undocumented_error(name, tmp_path, monkeypatch):
  monkeypatch.setattr(sys, "argv", sys.argv)
  with launching.own_flags():
    target = importlib.import_module(f"fuzz.targets.{name}")
    accepted = _feed(target, target.seeds(tmp_path), tmp_path)
    assert accepted or name in _REJECTED
    monkeypatch.setattr(memory, "available", lambda: 64 << 20)
    corpus = _corpus(name)
    assert corpus
    _feed(target, corpus, tmp_path)


def _feed(target, inputs, folder):
  """Returns the number of inputs that are accepted; all others raise a RequestError."""
  count = 0
  for data in inputs:
    with contextlib.suppress(RequestError):
      target.feed(data, folder)
      count += 1
  return count


def _corpus(name):
  """Returns the inputs that increased the coverage of a target."""
  with tarfile.open(launching.ROOT / "fuzz" / "corpora.tar.xz") as corpora:
    files = [file for file in corpora if file.isfile() and file.name.startswith(f"{name}/corpus/")]
    return [corpora.extractfile(file).read() for file in files]
