"""The files of a product: in a folder, in archives, beside a named file; unpacked ones are removed."""

import gc
import subprocess
import sys
import tempfile

import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.products import delivery as deliveries
from mtl_hsi.scenes.images.products.delivery import Delivery
from tests.scenes.images.products.test_archives import pack

_FILES = {
  "p/x.TIF": b"image",
  "p/x-METADATA.XML": b"<a/>",
  "__MACOSX/p/._x.TIF": b"of a Mac",
  "p/x.TIF.aux.xml": b"s",
}
_NAMES = ("p/x-METADATA.XML", "p/x.TIF", "p/x.TIF.aux.xml")


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch):
  folder = tmp_path / "temporary"
  folder.mkdir()
  monkeypatch.setattr(tempfile, "tempdir", str(folder))
  return folder


@pytest.mark.parametrize("kind", ["folder", "zip", "ZIP", "tar", "tar.gz"])
def test_the_files_of_a_folder_or_archive(tmp_path, kind):
  if kind == "folder":
    path = tmp_path / "x"
    for name, content in _FILES.items():
      (path / name).parent.mkdir(parents=True, exist_ok=True)
      (path / name).write_bytes(content)
  else:
    path = pack(tmp_path / f"x.{kind}", _FILES)
  found = Delivery(path)
  assert (found.named, found.names) == (None, _NAMES)
  assert found.find(lambda name: name.endswith("metadata.xml")) == ["p/x-METADATA.XML"]
  image = found.file("p/x.TIF")
  assert image.read_bytes() == b"image"
  # GDAL looks for it there.
  assert image.with_name("x.TIF.aux.xml").read_bytes() == b"s"


def test_beside_a_named_file_are_the_files_of_its_folder(tmp_path):
  for name in ("x.tif", "y.xml", ".hidden"):
    (tmp_path / name).write_bytes(b"1")
  found = Delivery(tmp_path / "x.tif")
  assert (found.named, found.names) == ("x.tif", ("x.tif", "y.xml"))
  assert found.file("y.xml") == tmp_path / "y.xml"


def test_a_missing_path_is_refused(tmp_path):
  with pytest.raises(RequestError, match="no such file"):
    Delivery(tmp_path / "x.zip")


def test_the_zip_in_a_tar_counts_as_a_folder(tmp_path):
  inner = pack(tmp_path / "x.ZIP", _FILES).read_bytes()
  path = pack(tmp_path / "order.tar.gz", {"order/x.ZIP": inner, "readme.html": b""})
  found = Delivery(path)
  assert found.names == tuple(
    sorted([*(f"order/x.ZIP/{name}" for name in _NAMES), "order/x.ZIP", "readme.html"])
  )
  assert found.file("order/x.ZIP/p/x.TIF").read_bytes() == b"image"


def test_neither_several_zips_nor_those_in_a_nested_one_are_opened(tmp_path, temporary):
  inner = pack(tmp_path / "x.zip", {"a": b"1"}).read_bytes()
  several = Delivery(pack(tmp_path / "several.zip", {"x.zip": inner, "y.zip": inner}))
  assert several.names == ("x.zip", "y.zip")
  assert not list(temporary.iterdir())
  deep = pack(tmp_path / "deep.zip", {"x.zip": inner}).read_bytes()
  assert Delivery(pack(tmp_path / "deeper.zip", {"deep.zip": deep})).names == ("deep.zip", "deep.zip/x.zip")


@pytest.mark.parametrize("name", ["/etc/passwd", "../up", "p/../../up", "p/../a", "C:\\..\\a/../../../up"])
@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_no_file_is_unpacked_outside_of_its_folder(tmp_path, temporary, kind, name):
  found = Delivery(pack(tmp_path / f"x.{kind}", {name: b"1"}))
  with pytest.raises(RequestError, match="outside of the archive"):
    found.file(found.names[0])
  assert not [path for path in tmp_path.rglob("*") if path.name in ("up", "passwd")]


@pytest.mark.parametrize("name", ["a" * 300, "p/" + "b" * 300 + "/c"])
def test_names_that_no_disk_takes_are_refused(tmp_path, name):
  found = Delivery(pack(tmp_path / "x.zip", {name: b"1"}))
  with pytest.raises(RequestError, match=r"x\.zip cannot be"):
    found.file(name)


def test_a_name_that_is_a_file_and_a_folder_is_refused(tmp_path):
  found = Delivery(pack(tmp_path / "x.zip", {"a": b"1", "a/b": b"2"}))
  found.file("a")
  with pytest.raises(RequestError, match="cannot be unpacked"):
    found.file("a/b")


def test_a_file_is_unpacked_once_while_it_is_in_use_and_then_removed(tmp_path, temporary):
  path = pack(tmp_path / "x.zip", _FILES)
  one, other = Delivery.of(path), Delivery.of(path)
  assert one is other
  unpacked = one.file("p/x.TIF")
  unpacked.write_bytes(b"kept")
  assert other.file("p/x.TIF").read_bytes() == b"kept"
  del one, other
  gc.collect()
  assert not list(temporary.iterdir())
  # A file of the same name with other content is another archive.
  first = Delivery.of(path)
  pack(path, {"b": b"0"})
  assert Delivery.of(path) is not first
  assert Delivery.of(path).names == ("b",)


@pytest.mark.parametrize("end", ["", "raise SystemExit(1)", "raise ValueError"])
def test_the_temporary_folder_is_removed_when_the_program_ends(tmp_path, temporary, end):
  path = pack(tmp_path / "x.zip", _FILES)
  code = f"""
import tempfile
from pathlib import Path
from mtl_hsi.scenes.images.products.delivery import Delivery
tempfile.tempdir = {str(temporary)!r}
found = Delivery.of(Path({str(path)!r}))
print(found.file("p/x.TIF").exists())
{end}
"""
  outcome = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
  assert outcome.stdout == "True\n", outcome.stderr
  assert not list(temporary.iterdir())


def test_a_folder_of_very_many_files_is_refused(tmp_path, monkeypatch):
  monkeypatch.setattr(deliveries.archives, "MOST_FILES", 2)
  for name in "abc":
    (tmp_path / name).touch()
  with pytest.raises(RequestError, match="more than 2 files; name the folder of one product"):
    _ = Delivery(tmp_path / ".").names


def test_the_name_for_results(tmp_path):
  assert deliveries.stem(pack(tmp_path / "x.1.tar.gz")) == "x.1"
  assert deliveries.stem(pack(tmp_path / "x.1.ZIP")) == "x.1"
  assert deliveries.stem(tmp_path / "image.dat.tif") == "image.dat"
  (tmp_path / "product.V1").mkdir()
  assert deliveries.stem(tmp_path / "product.V1") == "product.V1"
  assert deliveries.stem(tmp_path / "product.V1" / ".") == "product.V1"
