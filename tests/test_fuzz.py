"""What fuzzing starts from: all targets are listed, and read their own seeds."""

import contextlib
import importlib
import pkgutil
import sys

import pytest

from fuzz import targets
from mtl_hsi.errors import RequestError
from tests import launching

# Its seeds stand for a public scene, which is too large for one.
_REFUSED = ("public",)


_TARGETS = [name for names in targets.FAMILIES.values() for name in names]


def test_every_target_is_listed_once():
  assert sorted(_TARGETS) == sorted(module.name for module in pkgutil.iter_modules(targets.__path__))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", _TARGETS)
def test_a_target_reads_its_seeds(name, tmp_path, monkeypatch):
  monkeypatch.setattr(sys, "argv", sys.argv)
  read = 0
  with launching.own_flags():
    target = importlib.import_module(f"fuzz.targets.{name}")
    for seed in target.seeds(tmp_path):
      with contextlib.suppress(RequestError):
        target.read(seed, tmp_path)
        read += 1
  assert read or name in _REFUSED
