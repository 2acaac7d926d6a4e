"""Tests of the command that checks and times networks on a GPU, on the CPU with tiny sizes."""

import json
import re

import numpy as np
import pytest

from benchmarks import core_job, gpu_parts, on_gpu
from benchmarks.gpu_parts import Disagreement, Measures, Part, Unavailable
from configs import best
from mtl_hsi.settings import model_settings, training_settings
from tests import import_guard

CORE = ("numpy", "scipy", "jax", "flax", "optax", "orbax-checkpoint")


def test_the_default_is_that_of_the_config():
  config = best.get_config("indian_pines")
  training, kind = training_settings.read(config), core_job.DEFAULT
  model = vars(model_settings.read(config))
  assert {key: model[key] for key in kind.model} == kind.model
  assert model["convolution"] == "products"
  assert training.recipe == kind.recipe
  assert (training.batch_size, training.mixed) == (kind.batch_size, False)
  (phase,) = training.schedule.phases
  assert (phase.learning_rate, phase.epochs) == (kind.learning_rate, 20)
  assert config.optimizer.to_dict() == {"name": kind.optimizer[0], **kind.optimizer[1]}
  assert config.classify.tile_pixels == core_job._TILE_PIXELS


def test_it_runs_with_the_jax_core_alone(tmp_path):
  out = tmp_path / "on_gpu.json"
  code = (
    "import sys, benchmarks.gpu_parts, mtl_hsi.reproduction.cost\n"
    "from benchmarks import on_gpu\n"
    f"sys.argv = ['on_gpu', '--tiny', '--only=product/,pytorch/float32', {f'--out={out}'!r}]\n"
    "on_gpu.main()\n"
  )
  done = import_guard.run(code, CORE)
  assert done.returncode == 0, done.stderr
  written = json.loads(out.read_text())
  assert [one["status"] for one in written["parts"]] == ["done"] * 3 + ["skipped"]
  assert written["parts"][3]["reason"] == "PyTorch is not installed"
  assert written["parts"][0]["figures"]["median"] > 0
  assert written["machine"]["packages"]["jax"]
  assert written["plan"]["size"]["side"] == core_job.TINY.side


@pytest.mark.parametrize(
  ("flags", "message"),
  [
    (["--only=traning/"], "error: no part starts with --only=traning/; the parts are check/dense/vresnet, "),
    (["--only=product/", "--out=/dev/null/x.json"], "error: cannot write /dev/null/x.json: "),
  ],
)
def test_what_cannot_be_done_is_one_line(monkeypatch, capsys, flags, message):
  monkeypatch.setattr("sys.argv", ["on_gpu", "--tiny", *flags])
  with pytest.raises(SystemExit) as ended:
    on_gpu.main()
  assert ended.value.code == 2
  (line,) = capsys.readouterr().err.splitlines()
  assert line.startswith(message)


def record(tmp_path, *names):
  return on_gpu.Record(tmp_path / "out.json", {"minutes": 1}, names)


def stored(tmp_path):
  return json.loads((tmp_path / "out.json").read_text())["parts"]


def test_every_part_is_written_as_done_failed_or_skipped(tmp_path):
  def out_of_memory():
    raise RuntimeError("out of memory\nand a long explanation")

  def missing():
    raise Unavailable("PyTorch is not installed")

  def look():
    seen.append(stored(tmp_path))
    return {"median": 2.0}

  seen, times = [], iter([9.0, 8.0, 7.0, 0.0])
  parts = [Part("a", out_of_memory), Part("b", missing), Part("c", look), Part("d", look)]
  made = record(tmp_path, *"abcd")
  on_gpu.do_parts(parts, made, lambda: next(times))
  assert [(one["part"], one["status"]) for one in stored(tmp_path)] == [
    ("a", "failed"),
    ("b", "skipped"),
    ("c", "done"),
    ("d", "skipped"),
  ]
  assert [one.get("error") or one.get("reason") for one in stored(tmp_path)] == [
    "RuntimeError: out of memory",
    "PyTorch is not installed",
    None,
    on_gpu.NO_TIME,
  ]
  assert stored(tmp_path)[2]["figures"] == {"median": 2.0}
  # A part that runs counts as failed, in case the process is killed.
  ((*_, running, _),) = seen
  assert (running["status"], running["error"]) == ("failed", on_gpu.UNFINISHED)
  assert made.failed() == ["a"]
  assert made.summary() == "1 done, 1 failed, 2 skipped"


def test_training_on_one_device_agrees_with_itself():
  measures = Measures(gpu_parts.TINY)
  figures = measures.training_agrees("vresnet")
  assert figures["gradient"] == 0
  assert figures["losses_cpu"] == figures["losses_device"]
  assert np.isfinite(figures["losses_cpu"]).all()


def test_a_difference_beyond_rounding_is_an_error():
  assert gpu_parts._checked({"loss": 0.5, "other": 9.0}, {"loss": 1.0}) == {"loss": 0.5, "other": 9.0}
  for wrong in (1.5, float("nan")):
    message = re.escape(f"beyond rounding: loss {wrong:.2g} (limit 1)")
    with pytest.raises(Disagreement, match=message):
      gpu_parts._checked({"loss": wrong}, {"loss": 1.0})


def test_the_most_important_parts_come_first_and_every_name_is_unique():
  names = [part.name for part in gpu_parts.parts(gpu_parts.FULL)]
  assert names[:2] == ["check/dense/vresnet", "check/training/vresnet"]
  assert len(set(names)) == len(names)
  assert {f"train/vresnet/float32/products/networks={count}" for count in (1, 10, 100)} <= set(names)


@pytest.mark.slow
def test_every_part_works_on_a_cpu(tmp_path):
  parts = gpu_parts.parts(gpu_parts.TINY)
  made = record(tmp_path, *(part.name for part in parts))
  on_gpu.do_parts(parts, made, lambda: 1.0)
  assert not made.failed(), stored(tmp_path)


@pytest.mark.slow
def test_the_operations_of_the_grid_are_those_of_the_estimate():
  from benchmarks import paper_estimate
  from configs import paper
  from mtl_hsi.reproduction import paper_grid

  plan = paper_grid.make_plan(paper.get_config("tables"))
  assert len(plan.flop) == gpu_parts.GRID_RUNS
  assert paper_estimate.by_model(plan.flop) == pytest.approx(gpu_parts.GRID_FLOP, rel=1e-4)
