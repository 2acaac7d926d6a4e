"""What fuzzing starts from: all families are listed, and read their own seeds."""

import contextlib
import importlib
import pkgutil
import sys

import pytest

from fuzz import families
from mtl_hsi.errors import RequestError
from tests import launching

# Its seeds stand for a public scene, which is too large for one.
_REFUSED = ("public",)


def test_every_family_is_listed_once():
  assert sorted(families.NAMES) == sorted(module.name for module in pkgutil.iter_modules(families.__path__))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", families.NAMES)
def test_a_family_reads_its_seeds(name, tmp_path, monkeypatch):
  monkeypatch.setattr(sys, "argv", sys.argv)
  read = 0
  with launching.own_flags():
    family = importlib.import_module(f"fuzz.families.{name}")
    for seed in family.seeds(tmp_path):
      with contextlib.suppress(RequestError):
        family.read(seed, tmp_path)
        read += 1
  assert read or name in _REFUSED
