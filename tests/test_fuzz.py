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


@pytest.fixture(scope="session")
def corpora():
  """The inputs that increased the coverage, by target."""
  inputs = {name: [] for name in _TARGETS}
  with tarfile.open(launching.ROOT / "fuzz" / "corpora.tar.xz") as archive:
    for file in filter(tarfile.TarInfo.isfile, archive):
      inputs[file.name.partition("/")[0]].append(archive.extractfile(file).read())
  return inputs


@pytest.fixture(params=_TARGETS)
def target(request, monkeypatch):
  """The module of a target, imported again since it may define flags."""
  monkeypatch.setattr(sys, "argv", sys.argv)
  name = f"fuzz.targets.{request.param}"
  monkeypatch.delitem(sys.modules, name, raising=False)
  with launching.separate_flags():
    yield importlib.import_module(name)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("step", [10, pytest.param(3, marks=pytest.mark.slow)])
def test_seeds_are_accepted_and_no_input_causes_an_undocumented_error(
  target, step, corpora, tmp_path, monkeypatch
):
  name = target.__name__.rpartition(".")[2]
  assert feed(target, target.seeds(tmp_path), tmp_path) or name in _REJECTED
  assert corpora[name]
  monkeypatch.setattr(memory, "available", lambda: 64 << 20)
  feed(target, corpora[name][::step], tmp_path)


def feed(target, inputs, folder):
  """Returns the number of inputs that are accepted; all others must raise a RequestError."""
  count = 0
  for data in inputs:
    with contextlib.suppress(RequestError):
      target.feed(data, folder)
      count += 1
  return count
