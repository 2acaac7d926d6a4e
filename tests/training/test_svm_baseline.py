import itertools
import signal
import sys
import threading
import time
import warnings
from concurrent import futures
from unittest import mock

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC

from mtl_hsi.errors import RequestError
from mtl_hsi.storage import atomic_files
from mtl_hsi.training import svm_baseline
from mtl_hsi.training.svm_baseline import Result, Task
from tests import launching
from tests.small_grids import small_grids

COARSE_C = [0.03125, 0.125, 0.5, 2, 8, 32, 128, 512, 2048, 8192, 32768]
COARSE_GAMMA = [
  *[0.000030517578125, 0.0001220703125, 0.00048828125, 0.001953125, 0.0078125],
  *[0.03125, 0.125, 0.5, 2, 8],
]
REFINEMENT = [
  *[0.29730178, 0.35355339, 0.42044821, 0.5, 0.59460356, 0.70710678, 0.84089642],
  *[1, 1.18920712, 1.41421356, 1.68179283, 2, 2.37841423, 2.82842712, 3.36358566],
]

NAMES = {1: "a", 4: "b", 9: "c"}


def no_tick():
  """Lets the work go on."""


def noisy(each, seed=0):
  """Spectra and classes 1, 4 and 9 that overlap."""
  classes = np.repeat(np.array([1, 4, 9], np.int32), each)
  values = np.random.default_rng(seed).normal(classes[:, None] / 9, 0.4, (len(classes), 5))
  return values.astype(np.float32), classes


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
  """Results, share of training, and how many jobs were told of."""
  progress = mock.Mock()
  results, share = svm_baseline.finish(tasks, finished, directory, cores=cores, progress=progress)
  return results, share, progress.call_count


def assert_equal_results(ours, theirs):
  assert ours[:2] == theirs[:2]
  np.testing.assert_array_equal(ours.prediction, theirs.prediction)


def test_the_grids_are_the_authors():
  assert svm_baseline.COARSE_C.tolist() == COARSE_C
  assert svm_baseline.COARSE_GAMMA.tolist() == COARSE_GAMMA
  np.testing.assert_allclose(svm_baseline.REFINEMENT, REFINEMENT, rtol=1e-8)
  assert svm_baseline.FOLDS == 3


def author_search(spectra, classes, costs, gammas):
  """The pair that the author's tool finds, of equal pairs the first."""
  search = GridSearchCV(SVC(), {"C": costs, "gamma": gammas}, cv=3).fit(spectra, classes)
  scores = np.round(search.cv_results_["mean_test_score"], 9)
  found = search.cv_results_["params"][np.argmax(scores)]
  return found["C"], found["gamma"]


def test_the_search_goes_from_coarse_to_fine_as_the_authors():
  spectra, classes = noisy(5)
  coarse = author_search(spectra, classes, COARSE_C, COARSE_GAMMA)
  fine = author_search(spectra, classes, *(value * svm_baseline.REFINEMENT for value in coarse))
  svm = svm_baseline.train(spectra, classes, no_tick)
  assert (svm.C, svm.gamma) == fine
  assert not set(fine) & set(coarse), "the example does not tell refined from coarse"


def test_the_winner_is_fitted_to_all_pixels():
  spectra, classes = noisy(4)
  with small_grids():
    svm = svm_baseline.train(spectra, classes, no_tick)
  again = SVC(kernel="rbf", C=svm.C, gamma=svm.gamma).fit(spectra, classes)
  assert svm.shape_fit_ == spectra.shape
  np.testing.assert_array_equal(svm.support_, again.support_)
  np.testing.assert_array_equal(svm.dual_coef_, again.dual_coef_)


@pytest.mark.parametrize(
  ("scores", "expected"),
  [
    ([[1, 2], [3, 0]], (4, 0.5)),
    ([[1, 2], [2, 0]], (1, 2)),
    ([[1, 2], [2, 2]], (1, 2)),
    ([[0, 0], [0, 0]], (1, 0.5)),
    # Equal sums but for rounding.
    ([[0.5, (0.3 + 0.2) + 0.1], [(0.1 + 0.2) + 0.3, 0]], (1, 2)),
  ],
)
def test_of_equal_pairs_smaller_c_wins_then_smaller_gamma(scores, expected):
  table = dict(zip(itertools.product([1, 4], [0.5, 2]), itertools.chain(*scores)))
  assert svm_baseline.best_pair(lambda *pair: table[pair], np.array([1, 4]), np.array([0.5, 2])) == expected


def test_separable_classes_are_learnt():
  labels = launching.TOWN
  cube = (launching.cube(labels) / np.float32(2000)).astype(np.float32)
  pixels = tuple(np.concatenate([np.argwhere(labels == name)[:3] for name in (2, 7)]).T)
  with small_grids():
    svm = svm_baseline.train(cube[pixels], labels[pixels], no_tick)
  prediction = svm_baseline.classify(svm, cube, 1000, no_tick)
  np.testing.assert_array_equal(prediction[labels > 0], labels[labels > 0])


@pytest.mark.parametrize("chunk", [1, 7, 119, 120, 121])
def test_every_pixel_gets_the_class_that_the_svm_gives_it(chunk):
  spectra, classes = noisy(6)
  svm = SVC(C=2, gamma=2).fit(spectra, classes)
  cube = np.random.default_rng(1).normal(0.5, 0.5, (12, 10, 5)).astype(np.float32)
  prediction = svm_baseline.classify(svm, cube, chunk, no_tick)
  assert (prediction.shape, prediction.dtype) == ((12, 10), np.int32)
  np.testing.assert_array_equal(prediction, [svm.predict(row) for row in cube])
  assert set(prediction.flat) == {1, 4, 9}, "the example does not tell the classes apart"


def test_no_more_pixels_than_a_chunk_are_given_at_once():
  svm = mock.Mock(predict=lambda spectra: np.full(len(spectra), len(spectra)))
  prediction = svm_baseline.classify(svm, np.zeros((3, 4, 2), np.float32), 5, no_tick)
  assert prediction.tolist() == [[5, 5, 5, 5], [5, 5, 5, 5], [5, 5, 2, 2]]


def rows(*groups, length=None):
  """Training pixels of one replica: so many of each class id, filled up to a length."""
  pixels = np.concatenate([np.argwhere(name == launching.FIELDS)[:count] for name, count in groups])
  padding = np.full(((length or len(pixels)) - len(pixels), 2), -1)
  return np.concatenate([pixels, padding]).astype(np.int32)


@pytest.mark.parametrize(
  ("second", "message"),
  [
    (
      [(1, 3), (4, 1), (9, 2)],
      r"scene 'fields': class 4 \(b\) has 1 training pixel in replica 1 and svm needs 3, .*; give the",
    ),
    ([(1, 3), (9, 2)], r"scene 'fields': class 9 \(c\) has 2 training pixels in replica 1 and svm needs 3, "),
    (
      [(4, 5)],
      r"scene 'fields': all training pixels of replica 1 are of class 4 \(b\) and svm needs two classes",
    ),
  ],
)
def test_what_cannot_be_cross_validated_is_refused(second, message):
  train = np.stack([rows((1, 3), (4, 3), (9, 3)), rows(*second, length=9)])
  with pytest.raises(RequestError, match=message) as error:
    svm_baseline.check_samples("fields", launching.FIELDS, NAMES, train)
  assert "\n" not in str(error.value)


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


def test_every_scene_and_replica_has_an_svm_of_its_own(tasks, tmp_path):
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


def test_results_do_not_depend_on_what_runs_beside(tasks, tmp_path):
  with small_grids():
    together, _, _ = finish(tasks, {}, tmp_path / "together", cores=4)
    for name, task in tasks.items():
      alone, _, _ = finish({name: task}, {}, tmp_path / "alone", cores=1)
      for ours, theirs in zip(together[name], alone[name], strict=True):
        assert_equal_results(ours, theirs)
  assert len(list((tmp_path / "together").iterdir())) == 4
  for file in (tmp_path / "together").iterdir():
    assert file.read_bytes() == (tmp_path / "alone" / file.name).read_bytes()


def test_only_what_is_missing_is_done(tasks, tmp_path):
  with mock.patch.object(svm_baseline.logging, "warning") as warning:
    assert svm_baseline.load_finished(tasks, tmp_path) == {}
  warning.assert_not_called()
  with small_grids():
    results, _, _ = finish(tasks, {}, tmp_path)
    (tmp_path / "town-0.npz").unlink()
    finished = svm_baseline.load_finished(tasks, tmp_path)
    assert finished.keys() == {("fields", 0), ("fields", 1), ("town", 1)}
    again, share, jobs = finish(tasks, finished, tmp_path)
  assert jobs == 1
  assert share > 0
  for name in tasks:
    for ours, theirs in zip(again[name], results[name], strict=True):
      assert_equal_results(ours, theirs)
  with mock.patch.object(svm_baseline, "train", side_effect=AssertionError("trained anew")):
    _, share, jobs = finish(tasks, svm_baseline.load_finished(tasks, tmp_path), tmp_path)
  assert (share, jobs) == (0, 0)


def test_a_result_is_on_disk_before_the_next_one_is_there(tasks, tmp_path):
  """Since the process may be killed between the two."""
  seen = []
  with small_grids():
    svm_baseline.finish(
      tasks, {}, tmp_path, cores=1, progress=lambda: seen.append(len(list(tmp_path.glob("*.npz"))))
    )
  assert seen == [1, 2, 3, 4]


def test_a_byte_that_changed_is_found(tmp_path, monkeypatch):
  task = fields(replicas=1)
  kept = Result(2.0, 0.5, task.labels.clip(1))
  file = tmp_path / "fields-0.npz"
  atomic_files.write_npz(file, kept._asdict())
  whole, warning, damaged = file.read_bytes(), mock.Mock(), 0
  monkeypatch.setattr(svm_baseline.logging, "warning", warning)
  for place in range(len(whole)):
    file.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
    found = svm_baseline.load_finished({"fields": task}, tmp_path)
    if found:
      # A date, say; nothing that is read.
      assert_equal_results(found["fields", 0], kept)
    damaged += not found
  assert damaged > len(whole) / 2
  assert warning.call_count == damaged
  warning.assert_called_with("checkpoint %s is damaged; it is computed anew", file)


@pytest.mark.parametrize(
  "content",
  [b"", b"PK", {"C": 1.0, "gamma": 2.0}, {"C": 1.0, "gamma": 2.0, "prediction": np.zeros((3, 3), np.int32)}],
)
def test_a_file_that_is_no_such_result_is_computed_anew(tmp_path, caplog, content):
  task, file = fields(replicas=1), tmp_path / "fields-0.npz"
  file.write_bytes(content) if isinstance(content, bytes) else atomic_files.write_npz(file, content)
  with mock.patch.object(svm_baseline.logging, "warning") as warning, small_grids():
    finished = svm_baseline.load_finished({"fields": task}, tmp_path)
    results, _, jobs = finish({"fields": task}, finished, tmp_path)
  warning.assert_called_once_with("checkpoint %s is damaged; it is computed anew", file)
  assert jobs == 1
  finished = svm_baseline.load_finished({"fields": task}, tmp_path)
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
def test_a_result_that_no_svm_leaves_is_computed_anew(tmp_path, monkeypatch, changes):
  task = fields(replicas=1)
  kept = Result(2.0, 0.5, task.labels.clip(1))._asdict()
  monkeypatch.setattr(svm_baseline.logging, "warning", mock.Mock())
  file = tmp_path / "fields-0.npz"
  atomic_files.write_npz(file, kept)
  assert svm_baseline.load_finished({"fields": task}, tmp_path).keys() == {("fields", 0)}
  atomic_files.write_npz(file, {**kept, **changes})
  assert svm_baseline.load_finished({"fields": task}, tmp_path) == {}
  svm_baseline.logging.warning.assert_called_once_with("checkpoint %s is damaged; it is computed anew", file)


def test_a_class_that_a_replica_is_not_trained_on_is_not_taken_from_a_file(tmp_path):
  train = np.stack([rows((1, 3), (4, 3), (9, 3)), rows((1, 3), (9, 5), length=9)])
  task = fields()._replace(train=train)
  for replica in (0, 1):
    result = Result(2.0, 0.5, task.labels.clip(1))
    atomic_files.write_npz(tmp_path / f"fields-{replica}.npz", result._asdict())
  with mock.patch.object(svm_baseline.logging, "warning"):
    assert svm_baseline.load_finished({"fields": task}, tmp_path).keys() == {("fields", 0)}


@pytest.fixture
def endless(monkeypatch):
  """Every search goes on until it is stopped, or 10 seconds are over; gives those that go on."""
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
    # The pool has yet to take note of the thread that it started last.
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
  # Threads meet where they would once in thousands of runs.
  sys.setswitchinterval(1e-5)
  try:
    with small_grids():
      finish(tasks, {}, tmp_path, cores=4)
  finally:
    sys.setswitchinterval(interval)
  assert warnings.filters == before
