"""The parts of the benchmark that time nothing, and, where they are installed, that the peers do our job."""

import argparse
import dataclasses
import importlib
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import job as jobs
from benchmarks import paper_estimate, plot, rows, run, same_job, scaling
from benchmarks.job import Job, Work
from benchmarks.timing import Contender, clocked, interleave
from mtl_hsi.errors import RequestError
from tests.launching import ROOT


def contender(what: str, who: str, *seconds: float) -> Contender:
  return Contender(what, who, f"{who}'s way", run=lambda: 0.0, first=9.0, seconds=np.array(seconds))


def test_works_have_the_names_of_their_rows():
  assert Work("train", "hresnet", 1, 10).what == "train/hresnet/replicas=10"
  assert Work("train", "ccnn", 4, 1).what == "train/ccnn/scenes=4/replicas=1"
  assert Work("classify", "hresnet", replicas=10).what == "classify/indian_pines"
  assert Work("classify", "ccnn", replicas=10).what == "classify/indian_pines/ccnn"
  assert Work("classify", "ccnn").what == "classify/indian_pines/ccnn/replicas=1"


def test_contenders_are_called_in_turns_and_the_first_round_does_not_count():
  calls = []

  def runner(name, seconds):
    remaining = iter(seconds)
    return lambda: calls.append(name) or next(remaining)

  one = Contender("job", "ours", "", runner("one", [5.0, 1.0, 2.0]))
  other = Contender("job", "keras", "", runner("other", [6.0, 3.0, 4.0]))
  interleave([one, other], 2, title="")
  assert calls == ["one", "other"] * 3
  assert one.first == 5.0
  np.testing.assert_array_equal(other.seconds, [3.0, 4.0])


def test_seconds_are_per_unit():
  slow = clocked(lambda: sum(range(200_000)), 1)
  assert clocked(lambda: sum(range(200_000)), 1000)() < slow()


def test_the_best_has_the_smallest_median():
  slow, fast = contender("job", "ours", 1.0, 5.0, 6.0), contender("job", "ours", 4.0, 4.0, 4.0)
  assert rows.best([slow, fast, contender("other", "ours", 1.0)], "job", "ours") is fast
  assert rows.best([slow], "job", "keras") is None


def test_a_comparison_has_the_best_of_every_side_and_ratios_round_by_round():
  rivals = [
    contender("job", "ours", 1.0, 2.0, 4.0),
    contender("job", "keras", 9.0, 9.0, 9.0),
    contender("job", "keras", 3.0, 2.0, 8.0),
  ]
  made = rows.comparison(rivals, "job")
  assert [(row["what"], row["who"]) for row in made] == [
    ("job", "ours"),
    ("job", "keras"),
    ("job/ratio", "keras"),
  ]
  ours, keras, ratio = made
  assert ours == {
    "what": "job",
    "who": "ours",
    "variant": "ours's way",
    "median": 2.0,
    "min": 1.0,
    "max": 4.0,
    "unit": "s",
    "repeats": 3,
    "first_call": 9.0,
  }
  assert keras["median"] == 3.0
  assert (ratio["min"], ratio["median"], ratio["max"]) == (1.0, 2.0, 3.0)


def test_the_share_is_of_the_fastest_product():
  size, product = 10, 2 * 10**3
  rivals = [
    contender("matmul", "ours", 4.0, 4.0),
    contender("matmul", "pytorch", 2.0, 1.0),
    contender("job", "ours", 1.0, 1.0),
  ]
  (share,) = rows.shares(rivals, "job", "job/share", flop=500, size=size)
  assert (share["min"], share["max"]) == (500 / product, 1000 / product)
  speed = rows.product_speed(rivals, size)
  assert (speed["who"], speed["variant"], speed["unit"]) == ("machine", "pytorch", "GFLOP/s")
  assert speed["max"] == product / 1e9


def made_up_results() -> dict:
  """All rows that a plot can show."""
  names = [what for _, _, labels in plot._PANELS for what in labels]
  made = [
    rows.row(what, who, "some way", [own, own * 1.1], "s")
    for what in names
    for own, who in enumerate(rows.SIDES, start=1)
  ]
  made[-1]["estimated"] = True
  made.append(rows.row("matmul", "machine", "numpy", [170.0], "GFLOP/s"))
  return {"machine": {"cpu": "some CPU", "cores": 2, "backend": "cpu"}, "rows": made, "variants": []}


def test_the_plot_takes_all_rows_or_a_few(tmp_path):
  results = made_up_results()
  plot.draw(results, tmp_path / "all.png")
  few = {**results, "rows": [row for row in results["rows"] if row["what"] == "memory"]}
  plot.draw(few, tmp_path / "few.png")
  for name in ("all", "few"):
    assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")
  plot.draw({**results, "rows": []}, tmp_path / "none.png")
  assert not (tmp_path / "none.png").exists()


def test_every_kind_of_row_has_its_place_in_the_plot():
  shown = {what for _, _, labels in plot._PANELS for what in labels}
  trained = {
    Work("train", network, scenes, replicas).what
    for network in jobs.NETWORKS
    for scenes in (1, 4)
    for replicas in (1, jobs.MANY)
  }
  classified = {
    Work("classify", network, replicas=replicas).what
    for network in jobs.NETWORKS
    for replicas in (1, jobs.MANY)
  }
  assert trained | classified | {"end_to_end", "memory", "start/cold", "start/warm"} <= shown


def test_the_table_marks_estimates():
  text = rows.table([rows.row("end_to_end", "keras", "fit", [700.0], "s", estimated=True)])
  assert "fit (estimated)" in text


@pytest.fixture
def asked(monkeypatch) -> list:
  """What the only side, which does nothing, was asked."""
  asked = []

  class Ours:
    def ask(self, method, *_):
      asked.append(method)
      return {"cpu": "", "cores": 2, "backend": "cpu", "packages": {}}

  monkeypatch.setattr(run.Workers, "get", lambda self, who, networks=1: Ours())
  return asked


def measured(only: str) -> list[dict]:
  return list(
    run.measure(argparse.Namespace(only=only, repeats=1, runs=1, quick=False, who=("ours", "keras")))
  )


def test_a_prefix_of_no_row_is_refused(asked):
  with pytest.raises(RequestError, match="--only=nothing is the beginning of no row"):
    measured("nothing")
  assert asked == ["machine"]


def test_only_what_is_asked_for_is_measured(asked, monkeypatch):
  monkeypatch.setattr(run.whole_processes, "_whole", lambda *_: (60.0, 2 * 10**9))
  (results,) = measured("memory")
  assert results.keys() == {"machine", "rows", "variants"}
  assert [(row["what"], row["who"], row["median"], row["unit"]) for row in results["rows"]] == [
    ("memory", "ours", 2.0, "GB"),
    ("memory", "keras", 2.0, "GB"),
  ]
  assert asked == ["machine", "prepare"]


def tiny_job(network: str, scenes: int) -> Job:
  generator = np.random.default_rng(0)
  patch, bands = {"hresnet": 9, "ccnn": 5}[network], 3
  shapes = [(10 + scene, 12, bands) for scene in range(scenes)]
  return Job(
    network=network,
    patch=patch,
    batch_size=4,
    class_counts=tuple(range(3, 3 + scenes)),
    learning_rates=(1.0, 0.1),
    epochs=(2, 1),
    snapshot_epochs=2,
    snapshots=2,
    rho=0.95,
    epsilon=1e-7,
    flop_per_epoch=1,
    padded=[generator.random((h + patch - 1, w + patch - 1, b), np.float32) for h, w, b in shapes],
    centres=[generator.integers(0, 10, (2, 3 + scene, 2)) for scene in range(scenes)],
    classes=[generator.integers(0, 3, (2, 3 + scene)) for scene in range(scenes)],
  )


def test_a_job_is_told_whole(tmp_path):
  job = tiny_job("hresnet", 2)
  jobs.save(job, tmp_path / "job.npz")
  told = jobs.load(tmp_path / "job.npz")
  for field in dataclasses.fields(job):
    np.testing.assert_equal(getattr(told, field.name), getattr(job, field.name))


def test_training_sets_are_cut_and_mirrored():
  job = tiny_job("ccnn", 2)
  samples = job.samples(1)[1]
  count = job.classes[1].shape[1]
  assert samples.patches.shape == (4 * count, 5, 5, 3)
  row, column = job.centres[1][1, 0]
  original = job.padded[1][row : row + 5, column : column + 5]
  for index, expected in enumerate([original[::-1], original[:, ::-1], original[::-1, ::-1], original]):
    np.testing.assert_array_equal(samples.patches[index * count], expected)
    assert samples.classes[index * count] == job.classes[1][1, 0]


class Copy:
  """A peer that is what it is given."""

  def __init__(self, reference: same_job.Reference):
    self._reference = reference

  def logits(self, _):
    return self._reference.logits

  def step(self, *_):
    return self._reference.loss

  def weights(self):
    return self._reference.updated


def reference() -> same_job.Reference:
  weights = {"stem/conv/kernel": np.ones((2, 3)), "backbone/norm/mean": np.ones(2)}
  return same_job.Reference(
    patches=np.zeros((1, 2, 1, 1, 1)),
    classes=np.zeros((1, 2), int),
    logits=[np.ones((2, 3))],
    loss=1.0,
    weights=weights,
    updated=weights,
  )


def test_a_reference_is_told_whole(tmp_path):
  same_job.save(reference(), tmp_path / "reference.npz")
  told = same_job.load(tmp_path / "reference.npz")
  for field in dataclasses.fields(told):
    np.testing.assert_equal(getattr(told, field.name), getattr(reference(), field.name))


@pytest.mark.parametrize(
  ("changes", "complaint"),
  [
    ({"logits": [np.full((2, 3), 1.001)]}, "logits of scene 0"),
    ({"loss": 1.001}, "losses"),
    ({"updated": {"stem/conv/kernel": np.full((2, 3), 1.001)}}, "stem/conv/kernel after an update"),
  ],
)
def test_another_job_is_refused(changes, complaint):
  ours = reference()
  same_job.check(Copy(ours), ours, "keras", "cpu")
  with pytest.raises(RequestError, match=f"keras: {complaint} differ from ours by up to 0.001"):
    same_job.check(Copy(dataclasses.replace(ours, **changes)), ours, "keras", "cpu")


def test_labels_may_differ_in_one_pixel_of_a_thousand():
  ours = np.zeros((40, 50), int)
  peer = ours.copy()
  peer[0, :2] = 1
  assert same_job.check_labels(ours, peer, "keras") == "keras: 2 of 2000 labels differ from ours"
  peer[0, 2] = 1
  with pytest.raises(RequestError, match="keras: 3 of 2000"):
    same_job.check_labels(ours, peer, "keras")


@pytest.mark.parametrize("library", ["pytorch", "keras"])
@pytest.mark.parametrize("network", jobs.NETWORKS)
def test_a_peer_trains_several_scenes_and_gives_its_weights_back(library, network):
  pytest.importorskip({"pytorch": "torch", "keras": "tensorflow"}[library])
  peer = importlib.import_module(f"benchmarks.{library}_peer")
  layout = {"layout": peer.LAYOUTS["channels last"]} if library == "pytorch" else {}
  job = tiny_job(network, 2)
  model = peer.Model(job, None, **layout)
  started = model.weights()
  copied = peer.Model(job, started, **layout).weights()
  for name, own in started.items():
    np.testing.assert_array_equal(copied[name], own, err_msg=name)
  assert np.isfinite(peer.Training(model, job.samples(0), job.batch_size).epochs(1))
  assert all(np.any(model.weights()[name] != own) for name, own in started.items() if "heads" in name)


def test_the_cost_of_twice_the_size_is_a_power():
  linear = [{"size": size, "median": 0.5 * size} for size in (8, 2, 4)]
  constant = [{"size": size, "median": 3.0} for size in (2, 8)]
  assert scaling.exponent(linear) == pytest.approx(1)
  assert scaling.exponent(constant) == 0


def test_every_size_is_drawn(tmp_path):
  made = [
    rows.row(f"scaling/{name}={size}", "ours", "", [0.1 * size], "s", quantity=name, size=size, compile=3.0)
    for name, sizes in scaling.SIZES.items()
    for size in sizes
  ]
  scaling.draw(made, tmp_path / "scaling.png")
  assert os.path.getsize(tmp_path / "scaling.png") > 1000


def test_sizes_include_the_usual_one():
  assert scaling.SIZES.keys() == scaling.USUAL.keys()
  assert all(scaling.USUAL[name] in sizes for name, sizes in scaling.SIZES.items())


def test_the_tables_take_their_arithmetic_and_a_minute_a_run():
  flop = paper_estimate.by_model(
    {"hresnet-in-160-n5": 3e12, "hresnet-in+sa-160-n5": 4e12, "ccnn-in-160-n5": 1e12, "svm-in-160-n5": 9e12}
  )
  assert flop == {"hresnet": 7e12, "ccnn": 1e12}
  assert paper_estimate.hours(flop, {"hresnet": 7e9, "ccnn": 5e8}, runs=60) == pytest.approx(
    (1000 + 2000 + 3600) / 3600
  )


@pytest.mark.slow
@pytest.mark.parametrize("job", ["train", "classify"])
def test_a_profiler_sees_one_job(job):
  command = [sys.executable, "-m", "benchmarks.profiled", job, "--networks=2", "--seconds=0"]
  done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True)
  assert float(re.search(r"([\d.]+) s per network", done.stdout)[1]) > 0
