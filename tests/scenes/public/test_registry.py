"""Public scenes by name."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.public import download
from mtl_hsi.scenes.public.catalogue import PUBLIC_SCENES
from mtl_hsi.scenes.public.registry import load_public


@pytest.fixture
def no_tensorly(monkeypatch):
  monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)


def _write(facts, folder, value=7):
  """Files as the publisher's, of one grey value and with the scene's pixel counts."""
  rows, columns, _ = facts.shape
  labels = np.zeros(rows * columns, np.uint8)
  ids = np.repeat(np.arange(1, len(facts.class_counts) + 1), facts.class_counts)
  labels[: len(ids)] = ids
  labels = labels.reshape(rows, columns)
  for file, array in ((facts.cube, np.full(facts.shape, value, np.uint8)), (facts.labels, labels)):
    scipy.io.savemat(folder / file.filename, {file.key: array}, do_compression=True)


def test_indian_pines_comes_with_tensorly_without_importing_it(tmp_path, monkeypatch):
  monkeypatch.delitem(sys.modules, "tensorly", raising=False)
  scene = load_public("indian_pines", tmp_path, download=False, accept_changed=False)
  assert "tensorly" not in sys.modules
  assert scene.cube.shape == (145, 145, 200)
  assert scene.cube.dtype == np.uint16
  assert (scene.cube.min(), scene.cube.max()) == (955, 9604)
  assert scene.labels.dtype == np.int32
  assert scene.class_names[9] == "Oats"
  assert (scene.labels == 9).sum() == 20
  assert scene.sensor == "AVIRIS"
  assert scene.wavelengths[0] == 400.02
  assert scene.widths.shape == (200,)
  assert "tensorly" in scene.provenance
  assert "Baumgardner" in scene.provenance
  assert not scene.simulated


def test_files_in_the_data_directory_go_before_tensorly(tmp_path):
  _write(PUBLIC_SCENES["indian_pines"], tmp_path)
  scene = load_public("indian_pines", tmp_path, download=False, accept_changed=True)
  assert scene.cube.max() == 7
  assert "Indian_pines_corrected.mat" in scene.provenance
  assert "tensorly" not in scene.provenance
  (tmp_path / "Indian_pines_gt.mat").unlink()
  assert "tensorly" in load_public("indian_pines", tmp_path, download=False, accept_changed=False).provenance


def test_a_scene_from_its_files(tmp_path):
  _write(PUBLIC_SCENES["salinas"], tmp_path)
  scene = load_public("salinas", tmp_path, download=False, accept_changed=True)
  assert scene.cube.shape == (512, 217, 204)
  assert scene.cube.dtype == np.uint8
  assert scene.class_names[3] == "Fallow"
  assert (scene.labels == 3).sum() == 1976


def test_files_of_another_sha256_are_taken_only_when_asked_and_never_silently(tmp_path, caplog):
  facts = PUBLIC_SCENES["salinas"]
  _write(facts, tmp_path)
  with pytest.raises(RequestError, match=rf"{facts.cube.sha256}.*--config.accept_changed_files=True"):
    load_public("salinas", tmp_path, download=False, accept_changed=False)
  scene = load_public("salinas", tmp_path, download=False, accept_changed=True)
  remark = "Salinas_corrected.mat and Salinas_gt.mat: another SHA-256 than the known file"
  assert remark in scene.provenance
  assert remark in caplog.text


def test_missing_files_are_named_with_where_to_get_and_put_them(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  with pytest.raises(RequestError) as error:
    load_public("pavia_centre", Path("scenes"), download=False, accept_changed=False)
  message = str(error.value)
  assert "Pavia.mat and Pavia_gt.mat not found" in message
  assert f"into {tmp_path / 'scenes'}" in message
  assert PUBLIC_SCENES["pavia_centre"].page_url in message
  assert "--config.download=True" in message
  assert "\n" not in message


def test_only_the_missing_file_is_named(tmp_path):
  (tmp_path / "Pavia.mat").write_bytes(b"")
  with pytest.raises(RequestError, match=r"'pavia_centre': Pavia_gt.mat not found"):
    load_public("pavia_centre", tmp_path, download=False, accept_changed=False)


@pytest.mark.usefixtures("no_tensorly")
def test_indian_pines_without_tensorly_asks_for_its_files(tmp_path):
  with pytest.raises(RequestError, match=r"Indian_pines_corrected.mat and Indian_pines_gt.mat not found"):
    load_public("indian_pines", tmp_path, download=False, accept_changed=False)


def test_missing_files_are_fetched_when_asked_for(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  calls = []

  def fetch(facts, data_dir, accept_changed):
    calls.append((facts.name, data_dir, accept_changed))
    data_dir.mkdir()
    _write(facts, data_dir)

  monkeypatch.setattr(download, "fetch_public", fetch)
  for _ in range(2):
    scene = load_public("pavia_university", Path("scenes"), download=True, accept_changed=True)
  assert calls == [("pavia_university", tmp_path / "scenes", True)]
  assert scene.class_names[9] == "Shadows"
  assert scene.sensor == "ROSIS"
  np.testing.assert_allclose(scene.wavelengths[[0, -1]], [430, 860])


def test_indian_pines_is_not_fetched_where_tensorly_has_it(tmp_path, monkeypatch):
  monkeypatch.setattr(download, "fetch_public", lambda *_: pytest.fail("fetched"))
  load_public("indian_pines", tmp_path, download=True, accept_changed=False)


def test_files_of_another_content_are_refused(tmp_path):
  facts = PUBLIC_SCENES["indian_pines"]
  _write(facts, tmp_path)
  labels = scipy.io.loadmat(tmp_path / facts.labels.filename)[facts.labels.key]
  labels[labels == 16] = 17
  scipy.io.savemat(tmp_path / facts.labels.filename, {facts.labels.key: labels})
  with pytest.raises(RequestError, match=r"0 pixels of class 16 \(Stone-Steel-Towers\).*expected 93"):
    load_public("indian_pines", tmp_path, download=False, accept_changed=False)


def test_a_file_under_the_right_name_with_another_array_is_refused(tmp_path):
  _write(PUBLIC_SCENES["indian_pines"], tmp_path)
  scipy.io.savemat(tmp_path / "Indian_pines_gt.mat", {"salinas_gt": np.ones((2, 2))})
  with pytest.raises(RequestError, match=r"no array 'indian_pines_gt'; it contains salinas_gt \(2 x 2\)"):
    load_public("indian_pines", tmp_path, download=False, accept_changed=False)


@pytest.mark.parametrize(
  ("name", "closest"),
  [
    ("indian_pine", "indian_pines"),
    ("Salinas", "salinas"),
    ("PaviaU", "pavia_university"),
    ("pu", "pavia_university"),
    ("pavia_center", "pavia_centre"),
    ("Pavia.mat", "pavia_centre"),
  ],
)
def test_an_unknown_name_gets_the_closest_known_one(tmp_path, name, closest):
  known = "indian_pines, salinas, pavia_university, pavia_centre"
  with pytest.raises(RequestError, match=f"unknown scene {name!r}.* are {known}; did you mean {closest!r}"):
    load_public(name, tmp_path, download=False, accept_changed=False)


def test_a_name_like_no_other_gets_the_list_alone(tmp_path):
  with pytest.raises(RequestError, match=r"unknown scene 'houston'; the public scenes are [a-z_, ]+$"):
    load_public("houston", tmp_path, download=False, accept_changed=False)
