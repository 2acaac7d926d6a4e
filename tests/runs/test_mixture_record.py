"""`mixtures.npz`, written and read."""

import numpy as np
import pytest

from mtl_hsi.classification.smoothing import STRENGTHS
from mtl_hsi.errors import RequestError
from mtl_hsi.runs import mixture_record
from mtl_hsi.runs.run_files import WorkDirectoryFiles
from mtl_hsi.storage import atomic_files, checksums

MAPS, MEMBERS, CHANNELS, CLASSES = 2, 3, 5, 4
SMOOTHINGS = [STRENGTHS["light"], STRENGTHS["none"]]


def parameters(seed):
  generator = np.random.default_rng(seed)
  shapes = {"weights": (MEMBERS,), "temperature": (), "kernel": (CHANNELS, CLASSES), "bias": (CLASSES,)}
  return {key: generator.uniform(0.1, 1, (1, *shape)).astype(np.float32) for key, shape in shapes.items()}


def write(place, **changes):
  """Writes the mixtures of one scene, with other arrays by key."""
  arrays = mixture_record.arrays("fields", [parameters(0), parameters(1)], SMOOTHINGS)
  arrays |= {f"fields/{key}": values for key, values in changes.items()}
  atomic_files.write_npz(place / mixture_record.NAME, arrays)
  # Only metrics.json is listed, so that changed files are read.
  (place / "metrics.json").write_text("{}")
  (place / checksums.NAME).write_bytes(checksums.listing(place, ["metrics.json"]))
  return arrays


def read(place, **changes):
  expected = {"maps": MAPS, "members": MEMBERS, "regression": (CHANNELS, CLASSES)}
  return mixture_record.read(WorkDirectoryFiles(place), ["fields"], **(expected | changes))


def test_what_is_written_is_read(tmp_path):
  write(tmp_path)
  found = read(tmp_path)["fields"]
  assert found.smoothings == SMOOTHINGS
  for drawn in range(MAPS):
    one = found.of_map(drawn)
    assert one.keys() == parameters(drawn).keys()
    for key, values in parameters(drawn).items():
      np.testing.assert_array_equal(one[key], values)


def test_a_mixture_without_regression(tmp_path):
  write(tmp_path)
  found = read(tmp_path, regression=None)["fields"]
  assert found.of_map(0).keys() == {"weights", "temperature"}


@pytest.mark.parametrize(
  "changes",
  [
    {"weights": np.ones((MAPS, MEMBERS + 1))},
    {"weights": np.full((MAPS, MEMBERS), -0.1)},
    {"weights": np.full((MAPS, MEMBERS), np.nan)},
    {"weights": np.full((MAPS, MEMBERS), "a")},
    {"kernel": np.ones((MAPS, CHANNELS + 1, CLASSES))},
    {"bias": np.ones((MAPS, 1))},
    {"temperature": np.zeros(MAPS)},
    {"temperature": np.ones(MAPS + 1)},
    {"smoothing": np.ones((MAPS, 2))},
    {"smoothing": np.array([[-1, 0.5, 1.0]] * MAPS)},
    {"smoothing": np.array([[4, 0.0, 1.0]] * MAPS)},
    {"smoothing": np.array([[4, 0.5, 0.0]] * MAPS)},
  ],
)
def test_arrays_that_no_run_writes_are_refused(tmp_path, changes):
  write(tmp_path, **changes)
  with pytest.raises(RequestError, match=r"mixtures\.npz is not what a run writes"):
    read(tmp_path)


def test_a_scene_that_is_missing_is_refused(tmp_path):
  write(tmp_path)
  with pytest.raises(RequestError, match=r"mixtures\.npz is not what a run writes"):
    mixture_record.read(WorkDirectoryFiles(tmp_path), ["town"], maps=MAPS, members=MEMBERS, regression=None)


@pytest.mark.parametrize("content", [b"", b"x", b"PK\x03\x04"])
def test_a_file_that_is_no_archive_is_refused(tmp_path, content):
  write(tmp_path)
  (tmp_path / mixture_record.NAME).write_bytes(content)
  with pytest.raises(RequestError, match=r"mixtures\.npz is not what a run writes"):
    read(tmp_path)


def test_a_missing_file_can_be_restored(tmp_path):
  write(tmp_path)
  (tmp_path / mixture_record.NAME).unlink()
  with pytest.raises(RequestError, match=r"delete metrics\.json there and repeat the run's command"):
    read(tmp_path)
