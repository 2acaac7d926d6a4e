"""Exported files that are damaged or hostile are rejected in one line, within bounded memory."""

import contextlib
import io
import json
import struct
import zipfile

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.runs import model_file, trained_run
from mtl_hsi.sharing import export
from mtl_hsi.storage import atomic_files, checksums
from mtl_hsi.training.ensemble import Ensemble
from tests.hostile import run_records

ONE = {"params": {"kernel": np.zeros((2, 3), np.float32)}, "stats": {"mean": np.zeros(3, np.float32)}}
ENSEMBLE = Ensemble(maps=1, voters=2, folds=3)


@pytest.fixture
def contents(tmp_path):
  """The members of a file of a run of one scene, whose networks do not fit its config."""
  run = run_records.write(tmp_path)
  texts = {name: (run / name).read_bytes() for name in ("config.json", "scenes.json")}
  tree = {
    "params": {"kernel": np.ones((2, 2, 3), np.float32)},
    "stats": {"mean": np.ones((2, 3), np.float32)},
  }
  networks = {model_file.networks_name(4, local=False): model_file.networks_bytes(tree)}
  return {model_file.MODEL: model_file.model_record("1.0"), **texts, **networks}


@pytest.fixture
def path(tmp_path, contents):
  model_file.write(tmp_path / "a.mtlhsi", contents)
  return tmp_path / "a.mtlhsi"


def rewrite(path, changes, digests=True):
  """Writes the archive again with changed members; a content of None removes one."""
  with zipfile.ZipFile(path) as archive:
    members = {name: archive.read(name) for name in archive.namelist()} | changes
  members = {name: content for name, content in members.items() if content is not None}
  if digests:
    listed = {name: content for name, content in members.items() if name != checksums.NAME}
    members[checksums.NAME] = checksums.listing(path.parent, (), listed)
  with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
    for name, content in members.items():
      archive.writestr(name, content)


def read_all(path):
  file = model_file.ModelFile(path)
  return {name: file.read(name) for name in file.names}


def refused(path, match):
  with pytest.raises(RequestError, match=match) as error:
    trained_run.read_run(path).networks(4)
  assert "\n" not in str(error.value)


def test_what_is_written_is_read(path):
  run = trained_run.read_run(path)
  assert run.scenes["fields"].inputs.channels == 4
  found = run.files.networks(4, ONE, ENSEMBLE, local=False)
  assert found["params"]["kernel"].shape == (2, 2, 3)
  assert (found["stats"]["mean"] == 1).all()


@pytest.mark.parametrize(
  "name", ["../up", "/etc/passwd", "networks/../x.npz", "networks/04.npz", "C:\\x", "a/"]
)
def test_strange_members_are_refused(path, name):
  rewrite(path, {name: b"x"})
  refused(path, "cannot be read as an exported run .*it has the member")
  assert {file.name for file in path.parent.parent.glob("up*")} == set()


def test_every_truncation_is_refused(path, tmp_path):
  content = path.read_bytes()
  for size in range(0, len(content), 97):
    (tmp_path / "cut.mtlhsi").write_bytes(content[:size])
    refused(tmp_path / "cut.mtlhsi", "cut.mtlhsi")


def test_a_truncated_file_that_ends_in_an_archive_may_be_truncated(path):
  rewrite(path, {"params/bias.npy": b"x"})
  refused(path, "it has the member 'params/bias.npy'; perhaps it is truncated")


def test_changed_bytes_are_refused_or_change_nothing(path, tmp_path):
  content = path.read_bytes()
  for place in range(0, len(content), 61):
    changed = content[:place] + bytes([content[place] ^ 0x41]) + content[place + 1 :]
    (tmp_path / "bad.mtlhsi").write_bytes(changed)
    with contextlib.suppress(RequestError):
      assert read_all(tmp_path / "bad.mtlhsi") == read_all(path)


def test_members_that_differ_from_the_checksums_are_refused(path):
  rewrite(path, {"config.json": b"{}"}, digests=False)
  refused(path, r"a\.mtlhsi is damaged: config\.json has another SHA-256; get the file again")


def test_missing_members_are_refused(path):
  rewrite(path, {"scenes.json": None})
  refused(path, r"has no scenes\.json; export the run again")
  rewrite(path, {"model.json": None})
  refused(path, r"has no model\.json; export the run again")


def test_other_versions_are_refused(path):
  rewrite(path, {model_file.MODEL: b'{"schema": 2}'})
  refused(path, r"another version of mtl_hsi \(schema 2, expected 1\); export the run again")


def test_a_bomb_is_refused_by_its_declared_size(path, small_machine):
  rewrite(path, {"scenes.json": b" " * 200_000_000})
  refused(path, r"scenes\.json.* 200 MB")


def test_sizes_that_deflate_cannot_reach_are_refused(path):
  content = bytearray(path.read_bytes())
  with zipfile.ZipFile(path) as archive:
    place = archive.start_dir
  struct.pack_into("<L", content, place + 24, 2**31)
  path.write_bytes(content)
  refused(path, "expand at most 1032 times; the file is damaged or malicious")


def npz(**arrays):
  return atomic_files.npz_bytes(arrays)


def npz_of_header(shape):
  """An .npz whose array declares a shape and has no values."""
  head = io.BytesIO()
  np.lib.format.write_array_header_1_0(head, {"descr": "<f4", "fortran_order": False, "shape": shape})
  buffer = io.BytesIO()
  with zipfile.ZipFile(buffer, "w") as archive:
    archive.writestr("params/kernel.npy", head.getvalue())
    archive.writestr("stats/mean.npy", head.getvalue())
  return buffer.getvalue()


@pytest.mark.parametrize(
  "networks",
  [
    b"",
    b"PK",
    npz(),
    npz(**{"params/kernel": np.ones((2, 2, 3), np.float32)}),
    npz(**{"params/kernel": np.ones((2, 2, 3)), "stats/mean": np.ones((2, 3), np.float32)}),
    npz(**{"params/kernel": np.ones((9, 2, 3), np.float32), "stats/mean": np.ones((2, 3), np.float32)}),
    npz_of_header((2, 2, 3)),
    npz_of_header((10**12,)),
  ],
)
def test_networks_of_another_shape_are_refused(path, networks):
  rewrite(path, {"networks/4.npz": networks})
  file = model_file.ModelFile(path)
  with pytest.raises(RequestError, match=r"networks/4\.npz is not what a run writes"):
    file.networks(4, ONE, ENSEMBLE, local=False)
  with pytest.raises(RequestError, match=r"has no networks/6\.npz"):
    file.networks(6, ONE, ENSEMBLE, local=False)


@pytest.mark.parametrize("metrics", [b"{}", b'{"schema": 1}', b'{"schema": 1, "scenes": {"fields": 3}}'])
def test_metrics_of_another_form_are_refused(path, tmp_path, metrics):
  rewrite(path, {"metrics.json": metrics})
  with pytest.raises(RequestError, match=r"metrics\.json") as error:
    export.write(tmp_path / "b", trained_run.read_run(path), training_pixels=False, licence="mit", name="b")
  assert "\n" not in str(error.value)
  assert not (tmp_path / "b").exists()


@pytest.mark.parametrize(
  "changes",
  [{"blocks": 10**8}, {"name": "vresnet", "blocks": 10**8, "patch": 10**9 + 1, "width": 4}],
)
def test_a_config_of_a_huge_network_is_refused(path, contents, changes):
  config = json.loads(contents["config.json"])
  config["model"] |= changes
  rewrite(path, {"config.json": json.dumps(config).encode()})
  refused(path, "model.blocks is 100000000")
