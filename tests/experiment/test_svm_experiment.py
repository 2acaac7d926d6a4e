"""The SVM baseline from command line to report, on two scenes in files and a simulated one."""

import json
import re
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
from sklearn.svm import SVC

from tests import launching
from tests.small_grids import small_grids

SCENES = ["fields", "town", "village"]
KEPT = {f"{scene}-{replica}.npz" for scene in SCENES for replica in (0, 1)}

# Starts the run with small grids and kills it when it writes the result of the third job.
KILLED = """
import os, signal, sys
from mtl_hsi.storage import atomic_files
from tests import launching
from tests.small_grids import small_grids

write, written = atomic_files.write_npz, []

def write_or_die(path, arrays):
  if path.parent.name == "svm":
    written.append(path)
    if len(written) == 3:
      os.kill(os.getpid(), signal.SIGKILL)
  write(path, arrays)

atomic_files.write_npz = write_or_die
with small_grids():
  sys.exit(launching.launch(*sys.argv[1:]).status)
"""


def load(path):
  with np.load(path) as archive:
    return {key: archive[key] for key in archive.files}


def read(path):
  return json.loads(path.read_text())


def svm_arguments(inputs, run, **overrides):
  return launching.arguments(inputs, run, "tiny.py:letter", **{"model.name": "svm", **overrides})


def launch(inputs, run, **overrides):
  with small_grids():
    return launching.launch(*svm_arguments(inputs, run, **overrides))


@pytest.fixture(scope="module")
def svm_launched(inputs, tmp_path_factory):
  """Work directory and outcome of an undisturbed run."""
  run = tmp_path_factory.mktemp("svm") / "run"
  outcome = launch(inputs, run)
  assert outcome.status == 0, outcome.err
  return run, outcome


@pytest.fixture(scope="module")
def svm_finished(svm_launched):
  return svm_launched[0]


def test_the_work_directory_is_that_of_a_network(svm_finished, finished):
  def names(run):
    paths = (path.relative_to(run) for path in run.rglob("*") if path.is_file())
    return {str(path) for path in paths if path.parts[0] != "checkpoints"}

  # An SVM has no confidence and no epochs.
  of_networks = ("confidence", "history.csv", "tensorboard/")
  assert names(svm_finished) == {
    name for name in names(finished) if not any(part in name for part in of_networks)
  }
  assert {path.name for path in (svm_finished / "checkpoints").iterdir()} == {"svm"}
  assert {path.name for path in (svm_finished / "checkpoints" / "svm").iterdir()} == KEPT
  assert (svm_finished / "split.npz").read_bytes() == (finished / "split.npz").read_bytes()
  of_svm, of_network = (read(run / "scenes.json")["scenes"] for run in (svm_finished, finished))
  # An SVM maps no new images, to which ranges are compared.
  for scene in of_network.values():
    del scene["ranges"]
  assert of_svm == of_network


def test_every_pixel_has_the_class_of_an_svm_with_the_pair_that_is_told(svm_finished, inputs):
  chosen = read(svm_finished / "metrics.json")["svm"]
  predictions, split = load(svm_finished / "predictions.npz"), load(svm_finished / "split.npz")
  assert list(predictions) == list(chosen) == SCENES
  for name in ("fields", "town"):
    archive = load(inputs / f"{name}.npz")
    values = (archive["cube"] / np.float32(archive["cube"].max())).astype(np.float32)
    assert values.max() == 1
    for replica, prediction in enumerate(predictions[name]):
      pixels = tuple(split[f"{name}/train"][replica].T)
      C, gamma = (chosen[name][key][replica] for key in ("C", "gamma"))
      svm = SVC(C=C, gamma=gamma).fit(values[pixels], archive["label"][pixels])
      np.testing.assert_array_equal(prediction, [svm.predict(row) for row in values])
  for pairs in chosen.values():
    assert {key: len(values) for key, values in pairs.items()} == {"C": 2, "gamma": 2}


def test_metrics_are_those_of_a_network_and_the_pairs(svm_finished, finished):
  metrics = read(svm_finished / "metrics.json")
  assert metrics.keys() == {*read(finished / "metrics.json"), "svm"}
  assert metrics["leakage"] == dict.fromkeys(SCENES, 0)
  assert metrics["scenes"]["town"]["overall_accuracy"]["mean"] > 0.9
  seconds = metrics["seconds"]
  assert seconds.keys() == launching.SECONDS
  assert seconds["train"] + seconds["classify"] == pytest.approx(seconds["total"])
  assert 0 < seconds["train"] < seconds["total"]
  assert seconds["compile"] == seconds["compile_train"] == seconds["compile_classify"] == 0


def test_the_report_has_no_confidence_since_no_snapshots_voted(svm_finished):
  assert 'value="confidence"' not in (svm_finished / "report.html").read_text("utf-8")


def test_the_report_has_no_loss_curve(svm_finished, finished):
  assert "Training loss" in (finished / "report.html").read_text("utf-8")
  page = (svm_finished / "report.html").read_text("utf-8")
  assert "village (simulated)" in page
  assert "Training loss" not in page


def test_the_console_tells_of_jobs_and_no_epochs(svm_launched):
  run, outcome = svm_launched
  metrics = read(run / "metrics.json")
  assert "fields: 12 rows x 10 columns, 6 bands, 3 classes; 9 training and 99 test pixels\n" in outcome.out
  assert "\nModel svm. " in outcome.out
  assert "epoch" not in outcome.out
  assert f"{100 * metrics['scenes']['town']['overall_accuracy']['mean']:.2f} +- " in outcome.out
  lines = [line for line in outcome.err.replace("\r", "\n").splitlines() if line.strip()]
  assert all(line.startswith("svm: ") for line in lines)
  assert "svm: 100%" in lines[-1]
  assert " 6/6 [" in lines[-1]


def test_a_complete_directory_is_left_alone(svm_finished, inputs):
  before = launching.contents(svm_finished)
  outcome = launch(inputs, svm_finished)
  assert (outcome.status, outcome.err) == (0, "")
  assert outcome.out.startswith(f"{svm_finished} is complete; nothing to do.")
  assert launching.contents(svm_finished) == before


def assert_same_results(run, undisturbed):
  """Equal files, but for what tells of the run's own time and place."""
  own = dict.fromkeys(["environment.json", "metrics.json", "report.html", "SHA256SUMS"])
  ours, theirs = (
    {name: data for name, (_, data) in launching.contents(directory).items()}
    for directory in (run, undisturbed)
  )
  assert {**ours, **own} == {**theirs, **own}
  ours, theirs = (read(directory / "metrics.json") for directory in (run, undisturbed))
  assert ours.pop("seconds").keys() == theirs.pop("seconds").keys()
  assert ours == theirs


def test_a_killed_run_goes_on_to_the_same_results(svm_finished, inputs, tmp_path):
  run = tmp_path / "run"
  command = [sys.executable, "-c", KILLED, *svm_arguments(inputs, run)]
  assert subprocess.run(command, cwd=launching.ROOT, check=False).returncode == -signal.SIGKILL
  assert len(list((run / "checkpoints" / "svm").glob("*.npz"))) == 2
  assert not (run / "metrics.json").exists()
  outcome = launch(inputs, run)
  assert outcome.status == 0, outcome.err
  assert re.match(r"\s*svm: +33%\|[^|]*\| 2/6 \[", outcome.err), "it did not go on after two jobs"
  assert_same_results(run, svm_finished)


def test_a_damaged_result_is_computed_anew(svm_finished, inputs, tmp_path):
  run = tmp_path / "run"
  shutil.copytree(svm_finished, run)
  (run / "metrics.json").unlink()
  damaged = run / "checkpoints" / "svm" / "town-1.npz"
  damaged.write_bytes(damaged.read_bytes()[:-30])
  outcome = launch(inputs, run)
  assert outcome.status == 0, outcome.err
  assert outcome.err.startswith(f"checkpoint {damaged} is damaged; it is computed again\n")
  assert " 5/6 [" in outcome.err
  assert_same_results(run, svm_finished)


def test_scenes_share_nothing_not_even_their_number_of_bands(svm_finished, inputs, tmp_path):
  run = tmp_path / "run"
  outcome = launch(inputs, run, **{"files.town.bands": "0:5"})
  assert outcome.status == 0, outcome.err
  ours, theirs = (load(directory / "predictions.npz") for directory in (run, svm_finished))
  for name in ("fields", "village"):
    np.testing.assert_array_equal(ours[name], theirs[name])


def test_replicas_are_those_of_their_seeds(svm_finished, inputs, tmp_path):
  run = tmp_path / "run"
  changes = {"scenes": "fields", "seed": 1, "replicas": 1}
  assert launch(inputs, run, **changes).status == 0
  ours, theirs = (load(directory / "predictions.npz")["fields"] for directory in (run, svm_finished))
  np.testing.assert_array_equal(ours[0], theirs[1])


@pytest.mark.parametrize(
  ("changes", "message"),
  [
    ({"samples_per_class": 2}, "config key samples_per_class is 2; expected 3 or more with svm"),
    ({"model.pool": True}, "model.pool is True, but svm has no such option; set it to False"),
    ({"model.blocks": 2}, "model.blocks is 2, but svm has no such option; set it to 1"),
  ],
)
def test_what_an_svm_cannot_do_is_refused(inputs, tmp_path, changes, message):
  status, out, err = launch(inputs, tmp_path / "run", **changes)
  assert (status, out) == (2, "")
  assert err.startswith("error: ")
  assert err.count("\n") == 1
  assert message in err
  assert not (tmp_path / "run").exists()


def test_a_split_with_too_few_pixels_of_a_class_is_refused(svm_finished, inputs, tmp_path):
  arrays = load(svm_finished / "split.npz")
  # The last two of replica 1 are of class 9; a split file may leave pixels out.
  arrays["fields/train"][1, -2:] = -1
  np.savez(tmp_path / "split.npz", **arrays)
  outcome = launch(inputs, tmp_path / "run", split=tmp_path / "split.npz")
  assert (outcome.status, outcome.out) == (2, "")
  assert "error: scene 'fields': class 9 (" in outcome.err
  assert ") has 1 training pixel in replica 1 and svm needs 3 for " in outcome.err
  assert outcome.err.count("\n") == 1
  assert not (tmp_path / "run").exists()


def test_a_split_from_a_file_needs_no_number_of_samples(svm_finished, inputs, tmp_path):
  run = tmp_path / "run"
  outcome = launch(inputs, run, split=svm_finished / "split.npz", samples_per_class=1)
  assert outcome.status == 0, outcome.err
  assert (run / "predictions.npz").read_bytes() == (svm_finished / "predictions.npz").read_bytes()


def test_networks_do_without_scikit_learn():
  """It takes a second to import."""
  code = "import sys; from mtl_hsi.experiment import run; assert 'sklearn' not in sys.modules"
  subprocess.run([sys.executable, "-c", code], cwd=launching.ROOT, check=True)
