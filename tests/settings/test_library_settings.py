from pathlib import Path

import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.libraries.read import LibraryOptions
from mtl_hsi.settings import library_settings


def test_options_are_read():
  assert library_settings.read({}, "files.a.") is None
  plain = LibraryOptions(Path("s.csv"), library_brightness=(0.6, 0.8, 1.0))
  assert library_settings.read({"library": "s.csv", "library_for": ""}, "files.a.") == plain
  given = {"library": "s.sli", "library_classes": "c.csv", "library_scale": "1e4"}
  given |= {"library_for": "all", "library_brightness": "0.5, 1"}
  expected = LibraryOptions(Path("s.sli"), Path("c.csv"), None, 1e4, "all", (0.5, 1.0))
  assert library_settings.read(given, "files.a.") == expected


@pytest.mark.parametrize(
  ("given", "message"),
  [
    ({"library_for": "all"}, "files.a.library_for is 'all' and there is no files.a.library"),
    (
      {"library": "s.csv", "library_for": "some"},
      "files.a.library_for is 'some'; expected one of 'unlabelled'",
    ),
    (
      {"library": "s.csv", "library_scale": "0"},
      "files.a.library_scale is '0'; expected a finite number above 0",
    ),
    ({"library": "s.csv", "library_scale": "nan"}, "expected a finite number above 0"),
    (
      {"library": "s.csv", "library_brightness": "0,1"},
      "library_brightness is '0,1'; expected at most 20 factors",
    ),
    ({"library": "s.csv", "library_brightness": "1,"}, "expected at most 20 factors above 0"),
    ({"library": "s.csv", "library_scale": "x"}, "files.a.library_scale is 'x'; expected a number"),
  ],
)
def test_invalid_options_are_refused(given, message):
  with pytest.raises(RequestError, match=message):
    library_settings.read(given, "files.a.")
