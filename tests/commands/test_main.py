import json
import os
import re
import signal
import subprocess
import sys
from unittest import mock

import pytest

from mtl_hsi.commands.main import group
from mtl_hsi.errors import RequestError
from mtl_hsi.experiment import run as run_module
from tests.launching import ROOT, mtl_hsi

HEAVY = ("jax", "numpy", "scipy", "ml_collections", "rasterio", "geopandas", "matplotlib", "yaml")
MODULES = f"""
import sys
from mtl_hsi.commands.main import main
try: main(sys.argv[1:])
finally: print([name for name in {HEAVY} if name in sys.modules])
"""


def subcommands():
  """Yields the words and the command of every subcommand."""
  for name, command in group.commands.items():
    inner = getattr(command, "commands", None)
    if inner is None:
      yield (name,), command
    else:
      yield from (((name, of_group), found) for of_group, found in inner.items())


@pytest.mark.parametrize("words", [[], ["train"], ["assess", "draw"]])
def test_help_is_quick_as_it_imports_no_large_library(words):
  command = [sys.executable, "-c", MODULES, *words, "--help"]
  outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
  assert (outcome.returncode, outcome.stderr) == (0, "")
  assert outcome.stdout.endswith("\n[]\n")


def test_python_m_is_the_command():
  outcome = subprocess.run(
    [sys.executable, "-m", "mtl_hsi", "--version"], cwd=ROOT, capture_output=True, text=True
  )
  assert (outcome.returncode, outcome.stderr) == (0, "")
  assert re.fullmatch(r"mtl-hsi \d+\.\d+\.\d+\n", outcome.stdout)


def test_completion_names_the_subcommands():
  env = {**os.environ, "_MTL_HSI_COMPLETE": "bash_complete", "COMP_WORDS": "mtl-hsi pr", "COMP_CWORD": "1"}
  outcome = subprocess.run(
    [sys.executable, "-m", "mtl_hsi"], cwd=ROOT, env=env, capture_output=True, text=True
  )
  assert outcome.stdout == "plain,predict\n"


@pytest.mark.parametrize(("words", "command"), list(subcommands()), ids=str)
def test_the_help_of_a_subcommand_has_an_example_and_names_the_output(words, command):
  status, out, err = mtl_hsi(*words, "--help")
  assert (status, err) == (0, "")
  assert re.search(rf"\n  Examples?:\n    mtl-hsi {' '.join(words)}\s", out)
  assert "Output" in out


@pytest.mark.parametrize("name", ["train", "predict", "paper"])
def test_keys_are_listed(name):
  status, out, err = mtl_hsi(name, "--keys")
  assert (status, err) == (0, "")
  assert re.search(r"\n  classify\.method = 'dense'\n", out)


@pytest.mark.parametrize(
  ("words", "message"),
  [
    (["train", "--epochs", "3"], "no such option --epochs; did you mean --set phases.phase1.epochs=<value>?"),
    (["train", "--batch-size=3"], "no such option --batch-size; did you mean --set batch_size=<value>?"),
    (["train", "--lr", "3"], "no such option --lr; did you mean --set phases.phase1.learning_rate=<value>?"),
    (["predict", "--outptu", "x"], "no such option --outptu; did you mean --output?"),
    (["predict", "--xyz"], "no such option --xyz; see mtl-hsi predict --help"),
    (["predict", "runs/fields"], "missing argument 'IMAGE'; see mtl-hsi predict --help"),
    (["assess", "estimat"], "no such command 'estimat'"),
    (["nothing"], "no such command 'nothing'"),
    (["train", "--set", "folds"], "--set is 'folds'; expected KEY=VALUE, such as --set replicas=5"),
    (["train", "a.yaml", "--set", "folds=x"], "key folds is 'x'; expected a whole number"),
    (["train", "a.yaml", "--set", "seeed=1"], "unknown config key 'seeed'; did you mean 'seed'?"),
    (["train", "a.yaml", "--set", "nodata=1"], "it is an option of a scene, --set files.<scene>.nodata="),
    (["train", "a.yaml"], "no such file: "),
    (["map", "a.tif", "b.gpkg"], "no such file: "),
    (
      ["train"],
      "no scenes are given; give an image and its labels, mtl-hsi train fields.tif fields.gpkg",
    ),
    (
      ["train", "--recipe", "nothing"],
      "--recipe is 'nothing'; expected own, best, fields, letter, quickstart",
    ),
    (["map", "a.tif", "b.gpkg", "--name", "A b"], "'A b' is not a valid scene name"),
    (["train", "--recipe", "mtl:pu", "--scenes", "a"], "--recipe has the argument 'pu'"),
    (["predict", "nowhere", "a.tif", "--set", "replicas=x"], "key replicas is 'x'"),
    (["adapt", "nowhere", "a.tif"], "nowhere"),
    (["paper", "table9"], "has no 'table9'"),
    (["assess", "draw", "nowhere.tif"], "nowhere.tif"),
  ],
)
def test_a_refusal_is_one_line_with_the_options_of_the_command(words, message, tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  status, out, err = mtl_hsi(*words)
  assert (status, out) == (2, "")
  assert err.startswith("error: ")
  assert err.count("\n") == 1
  assert message in err
  assert "--config" not in err
  assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("words", [["train", "--epochs=3"], ["train", "a.yaml"], ["predict", "--json"]])
def test_a_refusal_as_json(words, tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  status, out, err = mtl_hsi(*words, "--json")
  content = json.loads(out)
  assert status == content["status"] == 2
  assert err == f"error: {content['error']}\n"


@pytest.mark.parametrize(
  ("signal_number", "word"), [(signal.SIGINT, "interrupted"), (signal.SIGTERM, "terminated")]
)
def test_signals_end_as_those_of_launch(signal_number, word):
  stopped = mock.Mock(side_effect=lambda *_: signal.raise_signal(signal_number))
  with mock.patch.object(run_module, "run_experiment", stopped):
    outcome = mtl_hsi("train", "--scenes", "indian_pines", "--json")
  line = f"{word}; run the same command again to resume from the last checkpoint"
  assert (outcome.status, outcome.err) == (128 + signal_number, f"{line}\n")
  assert json.loads(outcome.out) == {"status": 128 + signal_number, "error": line}


def test_messages_of_all_streams_name_the_options_of_the_command():
  def run(*_):
    print("note: use --config.split=blocks")
    raise RequestError("choose another --workdir")

  with mock.patch.object(run_module, "run_experiment", run):
    outcome = mtl_hsi("train", "--scenes", "indian_pines")
  assert outcome == (2, "note: use --set split=blocks\n", "error: choose another --output\n")
