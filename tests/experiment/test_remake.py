"""The report of a finished run, made again from its networks."""

import json
import re
import shutil

import numpy as np
import pytest

from tests import launching


@pytest.fixture
def run(finished, tmp_path):
  """A copy of a finished run, which a test may change."""
  return shutil.copytree(finished, tmp_path / "run")


def test_a_report_is_made_again_with_the_same_results(run, finished, monkeypatch):
  # Work directories may be given relative to where the user is.
  monkeypatch.chdir(run.parent)
  before = launching.contents(run)
  outcome = launching.mtl_hsi("report", "run", "--json")
  assert outcome.status == 0, outcome.err
  after = launching.contents(run)
  # Event files are named after the time at which they are written.
  assert _without_events(after) == _without_events(before)
  assert all(after[name][0] > before[name][0] for name in ("report.html", "metrics.json", "SHA256SUMS"))
  same = ("predictions.npz", "confidence.npz", "config.json", "scenes.json", "split.npz")
  assert [name for name in same if after[name][1] != before[name][1]] == []
  metrics, old = (json.loads((place / "metrics.json").read_text()) for place in (run, finished))
  assert metrics["scenes"] == old["scenes"]
  assert metrics["seconds"]["train"] == old["seconds"]["train"]
  assert "training:" not in outcome.err
  assert json.loads(outcome.out)["metrics"] == metrics
  environment, first = (json.loads((place / "environment.json").read_text()) for place in (run, finished))
  assert [environment[key] for key in ("command", "directory")] == [
    first[key] for key in ("command", "directory")
  ]
  assert len(environment["starts"]) == len(first["starts"]) + 1


def _without_events(contents):
  return {name for name in contents if not str(name).startswith("tensorboard/")}


def test_a_run_whose_scenes_have_changed_stays_as_it_is(run, inputs, tmp_path):
  town = dict(np.load(inputs / "town.npz"))
  np.savez(tmp_path / "town.npz", **{**town, "cube": town["cube"] + 1})
  config = json.loads((run / "config.json").read_text())
  config["files"]["town"]["cube"] = str(tmp_path / "town.npz")
  (run / "config.json").write_text(json.dumps(config))
  launching.list_metrics_only(run)
  before = launching.contents(run)
  outcome = launching.mtl_hsi("report", str(run))
  assert (outcome.status, outcome.err.count("\n")) == (2, 1)
  assert "started with a different scenes.json" in outcome.err
  assert launching.contents(run) == before


def test_a_run_of_an_earlier_version_lacks_keys(run):
  config = json.loads((run / "config.json").read_text())
  for key in ("tensorboard", "unknown", "unknown_rate"):
    del config[key]
  (run / "config.json").write_text(json.dumps(config))
  launching.list_metrics_only(run)
  outcome = launching.mtl_hsi("report", str(run))
  assert outcome.status == 0, outcome.err


def test_an_unfinished_run_names_its_command(run):
  (run / "metrics.json").unlink()
  outcome = launching.mtl_hsi("report", str(run))
  assert outcome.status == 2
  assert re.search(r"is not finished; continue it with python \S*launch\.py --config=", outcome.err)


@pytest.mark.parametrize(
  ("key", "value", "message"),
  [
    ("in_memory", {}, "were in memory; train again with the same Python program"),
    ("replicas", "x", "config.json"),
    ("phases", 3, "start from configs/common.py"),
  ],
)
def test_a_config_that_cannot_be_used(run, key, value, message):
  config = json.loads((run / "config.json").read_text())
  (run / "config.json").write_text(json.dumps({**config, key: value}))
  launching.list_metrics_only(run)
  before = launching.contents(run)
  outcome = launching.mtl_hsi("report", str(run))
  assert (outcome.status, outcome.err.count("\n")) == (2, 1)
  assert message in outcome.err
  assert launching.contents(run) == before


@pytest.mark.parametrize(
  ("flags", "message"),
  [
    ([], "no run to report on; name a finished work directory with --config.report_of=<path>"),
    (["--config.report_of=nowhere"], "no such directory: "),
    (
      [f"--config.report_of={__file__}"],
      "test_remake.py is a file; expected the work directory of a finished run",
    ),
    (["--config.report_of=x", "--workdir=y"], "in the work directory of its run; remove"),
  ],
)
def test_requests_of_launch_that_are_refused(flags, message):
  outcome = launching.launch(f"--config={launching.ROOT / 'configs' / 'report.py'}", *flags)
  assert (outcome.status, outcome.out, outcome.err.count("\n")) == (2, "", 1)
  assert message in outcome.err


def test_an_exported_run_has_no_report_to_make(tmp_path):
  (tmp_path / "fields.mtlhsi").write_bytes(b"")
  config = launching.ROOT / "configs" / "report.py"
  outcome = launching.launch(f"--config={config}", f"--config.report_of={tmp_path / 'fields.mtlhsi'}")
  assert outcome.status == 2
  assert "is an exported run; expected the work directory of the run" in outcome.err


def test_an_interrupted_report_leaves_the_run_as_it_was(run, monkeypatch):
  def interrupted(*_):
    raise KeyboardInterrupt

  monkeypatch.setattr("mtl_hsi.experiment.execution.execute", interrupted)
  before = launching.contents(run)
  assert launching.mtl_hsi("report", str(run)).status == 130
  assert launching.contents(run) == before
