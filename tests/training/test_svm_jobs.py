"""The SVMs of all scenes and replicas, and their saved results."""

import signal
import sys
import threading
import time
import warnings
from concurrent import futures
from unittest import mock

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.storage import atomic_files
from mtl_hsi.training import svm_baseline, svm_jobs
from mtl_hsi.training.svm_jobs import Result, Task
from tests import launching
from tests.small_grids import small_grids
from tests.training.test_svm_baseline import NAMES, no_tick, rows


def fields(replicas=2):
  """The task of a tiny scene with three pixels of each class in every replica."""
  labels, generator = launching.FIELDS, np.random.default_rng(3)
  train = [
    np.concatenate([generator.permutation(np.argwhere(labels == name))[:3] for name in NAMES])
    for _ in range(replicas)
  ]
  cube = (launching.cube(labels) / np.float32(2000)).astype(np.float32)
  return Task(cube, labels, np.stack(train).astype(np.int32))


def finish(tasks, finished, directory, cores=2):
  """Results, share of training, and the number of reported jobs."""
  progress = mock.Mock()
  results, share = svm_jobs.finish(tasks, finished, directory, cores=cores, progress=progress)
  return results, share, progress.call_count


def assert_equal_results(ours, theirs):
  assert ours[:2] == theirs[:2]
  np.testing.assert_array_equal(ours.prediction, theirs.prediction)


def test_three_pixels_of_a_class_are_enough_and_a_class_without_any_is_never_predicted(tmp_path):
  train = np.stack([rows((1, 3), (4, 3), (9, 3)), rows((1, 3), (9, 5), length=9)])
  svm_baseline.check_samples("fields", launching.FIELDS, NAMES, train)
  task = fields()._replace(train=train)
  with small_grids():
    results, _, _ = finish({"fields": task}, {}, tmp_path)
  assert [set(result.prediction.flat) for result in results["fields"]] == [{1, 4, 9}, {1, 9}]


@pytest.fixture
def tasks():
  return {"fields": fields(), "town": fields(replicas=2)._replace(cube=fields().cube[:, :, :4])}


def test_every_scene_and_replica_has_its_own_svm(tasks, tmp_path):
  with small_grids():
    results, share, jobs = finish(tasks, {}, tmp_path)
    assert jobs == 4
    assert 0 < share < 1
    for name, task in tasks.items():
      for replica, result in enumerate(results[name]):
        pixels = tuple(task.train[replica].T)
        svm = svm_baseline.train(task.cube[pixels], task.labels[pixels], no_tick)
        assert_equal_results(
          result, Result(svm.C, svm.gamma, svm_baseline.classify(svm, task.cube, 1000, no_tick))
        )


def test_results_do_not_depend_on_other_jobs(tasks, tmp_path):
  with small_grids():
    together, _, _ = finish(tasks, {}, tmp_path / "together", cores=4)
    for name, task in tasks.items():
      alone, _, _ = finish({name: task}, {}, tmp_path / "alone", cores=1)
      for ours, theirs in zip(together[name], alone[name], strict=True):
        assert_equal_results(ours, theirs)
  assert len(list((tmp_path / "together").iterdir())) == 4
  for file in (tmp_path / "together").iterdir():
    assert file.read_bytes() == (tmp_path / "alone" / file.name).read_bytes()


def test_only_missing_results_are_computed(tasks, tmp_path):
  with mock.patch.object(svm_jobs.logging, "warning") as warning:
    assert svm_jobs.load_finished(tasks, tmp_path) == {}
  warning.assert_not_called()
  with small_grids():
    results, _, _ = finish(tasks, {}, tmp_path)
    (tmp_path / "town-0.npz").unlink()
    finished = svm_jobs.load_finished(tasks, tmp_path)
    assert finished.keys() == {("fields", 0), ("fields", 1), ("town", 1)}
    again, share, jobs = finish(tasks, finished, tmp_path)
  assert jobs == 1
  assert share > 0
  for name in tasks:
    for ours, theirs in zip(again[name], results[name], strict=True):
      assert_equal_results(ours, theirs)
  with mock.patch.object(svm_baseline, "train", side_effect=AssertionError("trained again")):
    _, share, jobs = finish(tasks, svm_jobs.load_finished(tasks, tmp_path), tmp_path)
  assert (share, jobs) == (0, 0)


def test_every_result_is_saved_before_the_next_one_is_reported(tasks, tmp_path):
  seen = []
  with small_grids():
    svm_jobs.finish(
      tasks, {}, tmp_path, cores=1, progress=lambda: seen.append(len(list(tmp_path.glob("*.npz"))))
    )
  assert seen == [1, 2, 3, 4]


def test_a_byte_that_changed_is_found(tmp_path, monkeypatch):
  task = fields(replicas=1)
  kept = Result(2.0, 0.5, task.labels.clip(1))
  file = tmp_path / "fields-0.npz"
  atomic_files.write_npz(file, kept._asdict())
  whole, warning, damaged = file.read_bytes(), mock.Mock(), 0
  monkeypatch.setattr(svm_jobs.logging, "warning", warning)
  for place in range(len(whole)):
    file.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
    found = svm_jobs.load_finished({"fields": task}, tmp_path)
    if found:
      # The byte is part of a date, for example, which is not read.
      assert_equal_results(found["fields", 0], kept)
    damaged += not found
  assert damaged > len(whole) / 2
  assert warning.call_count == damaged
  warning.assert_called_with("checkpoint %s is damaged; it is computed again", file)


@pytest.mark.parametrize(
  "content",
  [b"", b"PK", {"C": 1.0, "gamma": 2.0}, {"C": 1.0, "gamma": 2.0, "prediction": np.zeros((3, 3), np.int32)}],
)
def test_a_file_without_a_result_is_computed_again(tmp_path, caplog, content):
  task, file = fields(replicas=1), tmp_path / "fields-0.npz"
  file.write_bytes(content) if isinstance(content, bytes) else atomic_files.write_npz(file, content)
  with mock.patch.object(svm_jobs.logging, "warning") as warning, small_grids():
    finished = svm_jobs.load_finished({"fields": task}, tmp_path)
    results, _, jobs = finish({"fields": task}, finished, tmp_path)
  warning.assert_called_once_with("checkpoint %s is damaged; it is computed again", file)
  assert jobs == 1
  finished = svm_jobs.load_finished({"fields": task}, tmp_path)
  assert_equal_results(finished["fields", 0], results["fields"][0])


@pytest.mark.parametrize(
  "changes",
  [
    {"C": 0.0},
    {"C": "2"},
    {"C": 2},
    {"gamma": np.nan},
    {"gamma": np.inf},
    {"prediction": fields().labels.clip(1).astype(np.int64)},
    {"prediction": fields().labels.clip(1).astype(np.float32)},
    {"prediction": fields().labels},
    {"prediction": np.where(fields().labels == 4, 5, 1).astype(np.int32)},
  ],
)
def test_an_impossible_result_is_computed_again(tmp_path, monkeypatch, changes):
  task = fields(replicas=1)
  kept = Result(2.0, 0.5, task.labels.clip(1))._asdict()
  monkeypatch.setattr(svm_jobs.logging, "warning", mock.Mock())
  file = tmp_path / "fields-0.npz"
  atomic_files.write_npz(file, kept)
  assert svm_jobs.load_finished({"fields": task}, tmp_path).keys() == {("fields", 0)}
  atomic_files.write_npz(file, {**kept, **changes})
  assert svm_jobs.load_finished({"fields": task}, tmp_path) == {}
  svm_jobs.logging.warning.assert_called_once_with("checkpoint %s is damaged; it is computed again", file)


def test_a_result_with_a_class_that_was_not_trained_is_ignored(tmp_path):
  train = np.stack([rows((1, 3), (4, 3), (9, 3)), rows((1, 3), (9, 5), length=9)])
  task = fields()._replace(train=train)
  for replica in (0, 1):
    result = Result(2.0, 0.5, task.labels.clip(1))
    atomic_files.write_npz(tmp_path / f"fields-{replica}.npz", result._asdict())
  with mock.patch.object(svm_jobs.logging, "warning"):
    assert svm_jobs.load_finished({"fields": task}, tmp_path).keys() == {("fields", 0)}


@pytest.fixture
def endless(monkeypatch):
  """Every search runs until it is cancelled, or for 10 seconds; returns the running ones."""
  going = []

  def train(spectra, classes, tick):
    going.append(1)
    for _ in range(10_000):
      try:
        tick()
      except futures.CancelledError:
        going.pop()
        raise
      time.sleep(0.001)

  monkeypatch.setattr(svm_baseline, "train", train)
  return going


def test_ctrl_c_stops_all_jobs_at_once(tasks, tmp_path, endless):
  def interrupt():
    while len(endless) < 2:
      time.sleep(0.001)
    # The pool may not have registered the thread that it started last.
    time.sleep(0.1)
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

  threading.Thread(target=interrupt).start()
  with pytest.raises(KeyboardInterrupt):
    finish(tasks, {}, tmp_path)
  assert endless == []


def test_a_result_that_cannot_be_written_stops_all_jobs(tasks, tmp_path):
  (tmp_path / "taken").write_text("a file where the directory should be")
  with small_grids(), pytest.raises(RequestError, match=r"cannot write .*/taken/"):
    finish(tasks, {}, tmp_path / "taken")


def test_the_filters_of_warnings_stay(tasks, tmp_path):
  before, interval = list(warnings.filters), sys.getswitchinterval()
  # With short intervals, threads collide more often.
  sys.setswitchinterval(1e-5)
  try:
    with small_grids():
      finish(tasks, {}, tmp_path, cores=4)
  finally:
    sys.setswitchinterval(interval)
  assert warnings.filters == before
