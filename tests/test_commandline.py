import json
import os
import re
import signal
import subprocess
import sys
from unittest import mock

import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.experiment import run as run_module
from mtl_hsi.reproduction import paper_grid
from tests import launching

IN = f"--config={launching.ROOT / 'configs' / 'mtl.py'}:in"

# Runs launch.py, then prints whether JAX was imported.
LAUNCH = """
import runpy, sys
try:
  runpy.run_path("launch.py", run_name="__main__")
finally:
  print("jax" in sys.modules)
"""


@pytest.fixture
def resolved(monkeypatch):
  """Returns a function from a command line to its config and work directory; nothing is run."""

  def resolve(*command):
    with mock.patch.object(run_module, "run_experiment") as run:
      outcome = launching.launch(*command)
    assert outcome == (0, "", "")
    config, workdir, _ = run.call_args.args
    return config, workdir

  return resolve


def test_overrides_of_every_type_arrive(resolved):
  config, _ = resolved(
    IN,
    "--config.samples_per_class=5",
    "--config.phases.phase2.learning_rate=0.25",
    "--config.model.norm=joint",
    "--config.model.pool=True",
    "--noconfig.spectral_knowledge",
    "--config.phases.phase2.frozen=stem",
    "--config.phases.phase2.frozen=backbone",
    "--config.snapshots=(1, 3)",
    "--config.bands",
    "103",
  )
  assert config.samples_per_class == 5
  assert config.phases.phase2.to_dict() == {
    "epochs": 30,
    "learning_rate": 0.25,
    "frozen": ("stem", "backbone"),
  }
  assert config.phases.phase1.frozen == ()
  assert (config.model.norm, config.model.pool, config.spectral_knowledge) == ("joint", True, False)
  assert (config.snapshots, config.bands) == ((1, 3), 103)
  assert config.is_locked


@pytest.mark.parametrize(
  ("overrides", "expected"),
  [
    ([], {"name": "adadelta", "rho": 0.95, "eps": 1e-7}),
    (["rho=0.9"], {"name": "adadelta", "rho": 0.9, "eps": 1e-7}),
    (
      ["name=adadelta", "weight_decay=0.1"],
      {"name": "adadelta", "rho": 0.95, "eps": 1e-7, "weight_decay": 0.1},
    ),
    (["name=adam"], {"name": "adam"}),
    (["name=adam", "b1=0.8"], {"name": "adam", "b1": 0.8}),
    (["b1=0.8", "eps=1e-6", "name=adam"], {"name": "adam", "b1": 0.8, "eps": 1e-6}),
    (["name=sgd", "momentum=0.9", "nesterov=True"], {"name": "sgd", "momentum": 0.9, "nesterov": True}),
  ],
)
def test_another_optimiser_drops_the_defaults_of_the_first(resolved, overrides, expected):
  config, _ = resolved(IN, *(f"--config.optimizer.{override}" for override in overrides))
  assert config.optimizer.to_dict() == expected


def test_the_optimiser_is_saved_in_config_json(inputs, tmp_path):
  command = launching.arguments(inputs, tmp_path / "run", **{"optimizer.name": "adam", "optimizer.b1": 0.8})
  with mock.patch("mtl_hsi.experiment.execution.execute", side_effect=RequestError("far enough")):
    assert launching.launch(*command).err == "error: far enough\n"
  config = json.loads((tmp_path / "run" / "config.json").read_text())
  assert config["optimizer"] == {"name": "adam", "b1": 0.8}


@pytest.mark.parametrize(
  ("command", "name"),
  [
    ([], "mtl-in"),
    (["--config.seed=3", "--config.samples_per_class=5"], "mtl-in-samples_per_class=5-seed=3"),
    (["--config.split=/a b/split.npz"], "mtl-in-split=_a_b_split.npz"),
    (["--config.snapshots=(2, 4)"], "mtl-in-snapshots=_2_4_"),
  ],
)
def test_the_work_directory_is_named_after_the_config(resolved, command, name):
  _, workdir = resolved(IN, *command)
  assert str(workdir) == f"runs/{name}"


def test_long_names_of_work_directories_are_shortened_but_differ(resolved):
  names = [resolved(IN, f"--config.split=/{'x' * 200}{i}.npz")[1].name for i in range(2)]
  assert names[0] != names[1]
  assert max(map(len, names)) < 120


def test_a_work_directory_can_be_named(resolved, tmp_path):
  assert resolved(IN, f"--workdir={tmp_path}")[1] == tmp_path


@pytest.mark.parametrize(
  "form", [("--config=configs/own.py:fields", "--help"), ("-help", "--config", "configs/own.py")]
)
def test_help_on_a_config_shows_what_it_does_and_its_keys(form, monkeypatch):
  monkeypatch.chdir(launching.ROOT)
  outcome = launching.launch(*form)
  assert (outcome.status, outcome.err) == (0, "")
  assert outcome.out.startswith("Your own scenes, from files.\n")
  assert "configs/own.py:fields,town \\\n" in outcome.out
  lines = outcome.out.splitlines()
  for entry in ("samples_per_class = 0", "phases.phase1.epochs = 20", "snapshots = (0,)"):
    assert f"  {entry}" in lines
  assert ("  files.fields.cube = ''" in lines) == ("fields" in form[0])


def test_help_on_a_config_that_needs_an_argument_shows_what_it_does(monkeypatch):
  monkeypatch.chdir(launching.ROOT)
  outcome = launching.launch("--config=configs/mtl.py", "--help")
  assert outcome.status == 0
  assert outcome.out.startswith("One experiment of the letter, named by its scenes.\n")
  assert "Its keys cannot be listed: " in outcome.out
  outcome = launching.launch("--config=configs/nothing.py", "--help")
  assert (outcome.status, outcome.out) == (2, "")
  assert "no config file" in outcome.err


def test_help_on_a_config_does_not_wait_for_jax():
  command = [sys.executable, "-c", LAUNCH, "--config=configs/predict.py", "--help"]
  outcome = subprocess.run(command, cwd=launching.ROOT, capture_output=True, text=True)
  assert (outcome.returncode, outcome.stderr) == (0, "")
  assert outcome.stdout.endswith("False\n")


def test_every_config_is_named_by_help():
  out = launching.launch("--help").out
  for path in (launching.ROOT / "configs").glob("*.py"):
    assert path.stem in ("__init__", "common", "named") or path.name in out


def test_help_shows_every_flag():
  status, out, err = launching.launch("--help")
  assert (status, err) == (0, "")
  assert "Add --config=<file> to --help to see what a config does" in out
  assert "python launch.py --config=configs/mtl.py" in out
  for name in ("config", "workdir", "compile_cache"):
    assert f"--{name}: " in out


@pytest.mark.parametrize(
  ("overrides", "left"),
  [
    ([], "run the same command again to resume from the last checkpoint"),
    (["--config.check_only=True"], "nothing was written"),
  ],
)
def test_an_interrupt_ends_without_a_traceback(overrides, left):
  with mock.patch.object(run_module, "run_experiment", side_effect=KeyboardInterrupt):
    outcome = launching.launch(IN, *overrides)
  assert outcome == (128 + signal.SIGINT, "", f"interrupted; {left}\n")


def test_an_interrupt_before_the_flags_are_read_ends_without_a_traceback():
  with mock.patch("mtl_hsi.commandline._ConfigFile.parse", side_effect=KeyboardInterrupt):
    outcome = launching.launch(IN)
  assert outcome.status == 128 + signal.SIGINT
  assert "Traceback" not in outcome.err


def test_sigterm_ends_without_a_traceback():
  before = signal.getsignal(signal.SIGTERM)
  stopped = mock.Mock(side_effect=lambda *_: signal.raise_signal(signal.SIGTERM))
  with mock.patch.object(run_module, "run_experiment", stopped):
    outcome = launching.launch(IN)
  assert outcome == (
    128 + signal.SIGTERM,
    "",
    "terminated; run the same command again to resume from the last checkpoint\n",
  )
  assert signal.getsignal(signal.SIGTERM) == before


def test_errors_of_many_lines_become_one():
  with mock.patch.object(run_module, "run_experiment", side_effect=RequestError("one\n  two")):
    assert launching.launch(IN) == (2, "", "error: one two\n")


def test_a_bad_request_is_refused_before_jax_is_imported():
  command = [sys.executable, "-c", LAUNCH, "--config=configs/mtl.py:in", "--config.sampels_per_class=3"]
  result = subprocess.run(command, cwd=launching.ROOT, env=os.environ, capture_output=True, text=True)
  assert result.returncode == 2
  assert result.stderr == "error: unknown config key 'sampels_per_class'; did you mean 'samples_per_class'?\n"
  assert result.stdout == "False\n"


@pytest.mark.parametrize(
  ("arguments", "directory"),
  [
    (["table1"], "runs/paper"),
    (["tables", "--config.cells=svm", "--config.samples_per_class=5", "--shard=2/3"], "runs/paper"),
    (["table5", "--config.replicas=2", "--config.dry_run=True"], "runs/paper-replicas=2"),
  ],
)
def test_all_selections_of_a_grid_share_a_directory(arguments, directory):
  what, *overrides = arguments
  config = f"--config={launching.ROOT / 'configs' / 'paper.py'}:{what}"
  with mock.patch.object(paper_grid, "run") as run:
    assert launching.launch(config, *overrides) == (0, "", "")
  assert str(run.call_args.args[1]) == directory


@pytest.mark.parametrize("variable", ["JAX_NUM_CPU_DEVICES", "JAX_ENABLE_X64"])
def test_a_variable_that_jax_cannot_read_is_one_line(variable):
  command = [sys.executable, "launch.py", "--config=configs/mtl.py:in", "--config.check_only=True"]
  env = os.environ | {variable: "some"}
  result = subprocess.run(command, cwd=launching.ROOT, env=env, capture_output=True, text=True)
  assert (result.returncode, result.stdout) == (2, "")
  assert re.fullmatch(r"error: JAX cannot read an environment variable: .*; unset it\n", result.stderr)
