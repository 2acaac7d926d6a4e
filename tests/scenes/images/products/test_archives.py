"""Zip and tar archives: lists, unpacked files, and archives that are damaged or malicious."""

import io
import tarfile
import zipfile

import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.products import archives

_FILES = {"a.txt": b"first", "folder/b.bin": b"\0" * 100_000}
_KINDS = ("zip", "tar", "tar.gz", "tgz")


def pack(path, files=_FILES):
  """Writes an archive of the kind of its ending."""
  if path.suffix.lower() == ".zip":
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
      for name, content in files.items():
        archive.writestr(name, content)
  else:
    with tarfile.open(path, "w" if path.suffix == ".tar" else "w:gz") as archive:
      for name, content in files.items():
        add(archive, name, content)
  return path


def add(archive, name, content=b"", **fields):
  member = tarfile.TarInfo(name)
  member.size = len(content)
  for key, value in fields.items():
    setattr(member, key, value)
  archive.addfile(member, io.BytesIO(content))


@pytest.mark.parametrize("kind", _KINDS)
def test_files_are_listed_and_unpacked(tmp_path, kind):
  path = pack(tmp_path / f"x.{kind}")
  assert archives.is_archive(path)
  assert archives.stem(path) == "x"
  assert sorted(archives.list_files(path)) == sorted(_FILES)
  archives.unpack(path, {name: tmp_path / str(index) for index, name in enumerate(_FILES)})
  assert [(tmp_path / str(index)).read_bytes() for index in range(2)] == list(_FILES.values())


def test_a_folder_is_no_archive_whatever_its_name(tmp_path):
  (tmp_path / "x.zip").mkdir()
  assert not archives.is_archive(tmp_path / "x.zip")


@pytest.mark.parametrize("kind", _KINDS)
def test_a_truncated_archive_is_refused_and_leaves_no_file(tmp_path, kind):
  path = pack(tmp_path / f"x.{kind}", {"a": bytes(range(256)) * 400})
  content = path.read_bytes()
  for length in (0, 1, 300, len(content) // 2):
    path.write_bytes(content[:length])
    with pytest.raises(RequestError, match=r"x\.\S+ cannot be read as an archive \(.+download it again"):
      archives.unpack(path, {"a": tmp_path / "a"})
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("kind", _KINDS)
def test_a_file_that_is_not_in_the_archive_is_refused(tmp_path, kind):
  with pytest.raises(RequestError, match=r"cannot be read as an archive .*missing"):
    archives.unpack(pack(tmp_path / f"x.{kind}"), {"missing": tmp_path / "a"})


def test_links_devices_and_folders_of_a_tar_are_left_out(tmp_path):
  path = tmp_path / "x.tar"
  with tarfile.open(path, "w") as archive:
    add(archive, "link", type=tarfile.SYMTYPE, linkname="/etc/passwd")
    add(archive, "hard", type=tarfile.LNKTYPE, linkname="a")
    add(archive, "device", type=tarfile.CHRTYPE)
    add(archive, "folder", type=tarfile.DIRTYPE)
    add(archive, "a", b"1")
  assert archives.list_files(path) == ["a"]
  with pytest.raises(RequestError, match="link"):
    archives.unpack(path, {"link": tmp_path / "link"})


def test_a_file_larger_than_the_disk_is_refused(tmp_path, monkeypatch):
  monkeypatch.setattr(archives.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 1000}))
  for kind in ("zip", "tar"):
    with pytest.raises(RequestError, match=r"folder/b.bin in .* needs 0\.1 MB .* set TMPDIR to"):
      archives.unpack(pack(tmp_path / f"x.{kind}"), {"folder/b.bin": tmp_path / "b"})
  assert not (tmp_path / "b").exists()


def test_a_zip_that_declares_more_than_it_can_expand_to_is_refused(tmp_path):
  path = pack(tmp_path / "x.zip", {"a": b"0" * 100})
  content = bytearray(path.read_bytes())
  entry = content.rindex(b"PK\x01\x02")
  content[entry + 24 : entry + 28] = (1 << 30).to_bytes(4, "little")
  path.write_bytes(content)
  with pytest.raises(RequestError, match="damaged or malicious"):
    archives.unpack(path, {"a": tmp_path / "a"})


def test_an_encrypted_zip_is_refused(tmp_path):
  path = pack(tmp_path / "x.zip", {"a": b"0"})
  content = bytearray(path.read_bytes())
  content[content.rindex(b"PK\x01\x02") + 8] |= 1
  path.write_bytes(content)
  with pytest.raises(RequestError, match=r"encrypted"):
    archives.unpack(path, {"a": tmp_path / "a"})


def test_the_directory_of_a_zip_must_fit_into_memory(tmp_path, monkeypatch):
  path = pack(tmp_path / "x.zip", {f"{number}": b"" for number in range(1000)})
  monkeypatch.setattr(archives.memory, "available", lambda: 1 << 20)
  with pytest.raises(RequestError, match=r"the directory of .* free"):
    archives.list_files(path)


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_an_archive_of_very_many_files_is_refused(tmp_path, monkeypatch, kind):
  monkeypatch.setattr(archives, "MOST_FILES", 10)
  with pytest.raises(RequestError, match="more than 10 files"):
    archives.list_files(pack(tmp_path / f"x.{kind}", {f"{number}": b"" for number in range(20)}))


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_tar_whose_header_expands_to_gigabytes_is_refused(tmp_path, kind):
  path = tmp_path / "x.tar.gz"
  with tarfile.open(path, "w:gz") as archive:
    add(archive, "long", b"0" * (8 << 20), type=kind)
  with pytest.raises(RequestError, match="header of a file is longer than 1,048,576 bytes"):
    archives.list_files(path)


def test_a_zip_over_4_gb_has_its_directory_in_another_record(tmp_path, monkeypatch):
  monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 1)
  path = pack(tmp_path / "x.zip")
  assert b"PK\x06\x06" in path.read_bytes()
  assert sorted(archives.list_files(path)) == sorted(_FILES)
