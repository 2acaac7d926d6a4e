"""The public scenes as TensorFlow Datasets."""

import dataclasses
import hashlib
import importlib
import subprocess
import sys
import threading

import numpy as np
import pytest
import scipy.io
import tensorflow_datasets as tfds

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.public import builders, download
from mtl_hsi.scenes.public.catalogue import PUBLIC_SCENES, PublicFile, PublicScene
from mtl_hsi.scenes.public.registry import load_public

LABELS = np.array([[0, 1, 1], [2, 2, 2]], np.uint8)
CUBE = np.random.default_rng(0).integers(0, 9000, (2, 3, 5), np.uint16)


@pytest.fixture
def write_tiny(tmp_path, monkeypatch):
  """Puts a small public scene into `tmp_path` and the registry; `write_tiny(cube)` returns its facts."""

  def write(cube):
    files = []
    for filename, key, array in (("Tiny.mat", "cube", cube), ("Tiny_gt.mat", "gt", LABELS)):
      scipy.io.savemat(tmp_path / filename, {key: array})
      digest = hashlib.sha256((tmp_path / filename).read_bytes()).hexdigest()
      files.append(PublicFile(filename, key, digest, ()))
    facts = PublicScene(
      name="tiny",
      short_name="ti",
      title="Tiny",
      sensor="AVIRIS",
      shape=cube.shape,
      class_names=("grass", "roof"),
      class_counts=(2, 3),
      cube=files[0],
      labels=files[1],
      false_colour_bands=(2, 1, 0),
      page_url="https://scenes.example/tiny",
      citation="Someone, Tiny, 2020",
    )
    builder = type("Tiny", (builders.PublicSceneBuilder,), {"facts": facts}, skip_registration=True)
    monkeypatch.setitem(PUBLIC_SCENES, "tiny", facts)
    monkeypatch.setitem(builders.BUILDERS, "tiny", builder)
    return facts

  return write


def _assert_equal(scene, expected):
  # A data set has neither the file that it was made from nor what its reader remarks on that.
  expected = dataclasses.replace(expected, file=None, remarks=())
  for field in dataclasses.fields(expected):
    ours, theirs = getattr(scene, field.name), getattr(expected, field.name)
    if isinstance(theirs, np.ndarray):
      assert ours.dtype == theirs.dtype
      np.testing.assert_array_equal(ours, theirs)
    else:
      assert ours == theirs, field.name


def test_indian_pines_equals_the_scene_from_its_files(tmp_path, capfd):
  first, second = (builders.load_scene("indian_pines", tmp_path) for _ in range(2))
  expected = load_public("indian_pines", tmp_path, download=False, accept_changed=False)
  _assert_equal(first, expected)
  _assert_equal(second, expected)
  assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("dtype", [np.uint16, np.int16, np.uint8, np.float64])
def test_the_dtype_of_the_files_is_kept(tmp_path, write_tiny, dtype):
  write_tiny((CUBE % 200).astype(dtype))
  scene = builders.load_scene("tiny", tmp_path)
  assert scene.cube.dtype == dtype
  _assert_equal(scene, load_public("tiny", tmp_path, download=False, accept_changed=False))


def test_unknown_wavelengths_stay_unknown(tmp_path, write_tiny):
  write_tiny(CUBE)
  scene = builders.load_scene("tiny", tmp_path)
  assert scene.wavelengths is None
  assert scene.widths is None


def test_values_that_do_not_fit_are_refused_not_wrapped(tmp_path, write_tiny):
  write_tiny(CUBE.astype(np.int32) - 9000)
  with pytest.raises(RequestError, match="'tiny': the cube has int32 values from -"):
    builders.load_scene("tiny", tmp_path)
  assert not list(tmp_path.glob("tfds/tiny/1*"))


def test_a_prepared_scene_needs_no_files_and_no_hosts(tmp_path, write_tiny, monkeypatch):
  facts = write_tiny(CUBE)
  expected = builders.load_scene("tiny", tmp_path)
  for file in (facts.cube, facts.labels):
    (tmp_path / file.filename).unlink()
  monkeypatch.setattr(download, "fetch_public", lambda *_: pytest.fail("fetched"))
  _assert_equal(builders.load_scene("tiny", tmp_path), expected)


def test_missing_files_are_fetched_into_the_data_directory(tmp_path, write_tiny, monkeypatch):
  facts = write_tiny(CUBE)
  content = {file.filename: (tmp_path / file.filename).read_bytes() for file in (facts.cube, facts.labels)}
  for filename in content:
    (tmp_path / filename).unlink()
  calls = []

  def fetch(wanted, data_dir, accept_changed):
    calls.append((wanted, data_dir, accept_changed))
    for filename, data in content.items():
      (data_dir / filename).write_bytes(data)

  monkeypatch.setattr(download, "fetch_public", fetch)
  scene = builders.load_scene("tiny", tmp_path)
  assert calls == [(facts, tmp_path, False)]
  np.testing.assert_array_equal(scene.cube, CUBE)


def test_what_no_host_gives_is_said_as_by_the_download(tmp_path, write_tiny):
  write_tiny(CUBE)
  (tmp_path / "Tiny.mat").unlink()
  with pytest.raises(RequestError, match=f"^scene 'tiny': no host provided Tiny.mat .* into {tmp_path}$"):
    builders.load_scene("tiny", tmp_path)


def test_changed_files_are_never_prepared(tmp_path, write_tiny):
  write_tiny(CUBE)
  scipy.io.savemat(tmp_path / "Tiny.mat", {"cube": CUBE}, do_compression=True)
  with pytest.raises(
    RequestError, match=r"another SHA-256 than .*; download it again from .* only the known file$"
  ) as error:
    builders.load_scene("tiny", tmp_path)
  # No key of a config can help here.
  assert "--config" not in str(error.value)


def test_a_damaged_data_set_is_named_with_the_way_out(tmp_path, write_tiny):
  write_tiny(CUBE)
  expected = builders.load_scene("tiny", tmp_path)
  (records,) = tmp_path.glob("tfds/tiny/1.0.0/*array_record*")
  records.write_bytes(records.read_bytes()[:100])
  with pytest.raises(
    RequestError, match=f"'tiny': .* damaged .* remove {records.parent} and run again"
  ) as error:
    builders.load_scene("tiny", tmp_path)
  assert "\n" not in str(error.value)
  for path in records.parent.iterdir():
    path.unlink()
  records.parent.rmdir()
  _assert_equal(builders.load_scene("tiny", tmp_path), expected)


def test_two_that_prepare_at_once_take_turns(tmp_path, write_tiny):
  write_tiny(CUBE)
  (tmp_path / "tfds").mkdir()
  scenes = []
  thread = threading.Thread(target=lambda: scenes.append(builders.load_scene("tiny", tmp_path)))
  with download.lock_directory(tmp_path / "tfds"):
    thread.start()
    thread.join(0.5)
    assert thread.is_alive()
  thread.join()
  np.testing.assert_array_equal(scenes[0].cube, CUBE)


def test_an_unknown_name_gets_the_list(tmp_path):
  with pytest.raises(RequestError, match=r"unknown scene 'houston'.*indian_pines, salinas, pavia_university"):
    builders.load_scene("houston", tmp_path)


def test_a_data_directory_that_cannot_be_written_is_named(tmp_path):
  (tmp_path / "file").write_text("")
  with pytest.raises(RequestError, match=f"cannot write to {tmp_path / 'file' / 'tfds'}: "):
    builders.load_scene("indian_pines", tmp_path / "file")


@pytest.mark.parametrize("name", PUBLIC_SCENES)
def test_every_scene_is_a_tfds_data_set_of_its_own(tmp_path, name):
  facts = PUBLIC_SCENES[name]
  info = tfds.builder(name, data_dir=tmp_path).info
  assert info.full_name == f"{name}/1.0.0"
  assert info.features["cube"].shape == facts.shape
  assert info.features["labels"].shape == facts.shape[:2]
  assert info.features["classes"].feature.names == ["unlabelled", *facts.class_names]
  assert (info.homepage, info.citation) == (facts.page_url, facts.citation)
  assert facts.title in info.description
  assert info.file_format.value == "array_record"


def test_tfds_can_be_used_as_usual(tmp_path, write_tiny):
  write_tiny(CUBE)
  builder = builders.BUILDERS["tiny"](data_dir=tmp_path / "sets")
  builder.download_and_prepare(download_dir=tmp_path)
  (example,) = builder.as_data_source(split="scene")
  np.testing.assert_array_equal(example["cube"], CUBE)
  np.testing.assert_array_equal(example["labels"], LABELS)
  np.testing.assert_array_equal(example["classes"], [1, 2])


def test_builders_without_tfds_are_told(monkeypatch):
  monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
  with pytest.raises(RequestError, match=r"needs tensorflow-datasets: pip install 'mtl_hsi\[datasets\]'$"):
    importlib.reload(builders)


def test_only_the_builders_import_tfds():
  code = (
    "import sys, mtl_hsi.scenes.public.registry, mtl_hsi.scenes.public.download\n"
    "import mtl_hsi.scenes.simulated.simulate\n"
    "print('tensorflow_datasets' in sys.modules)"
  )
  done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
  assert done.stdout == "False\n"
