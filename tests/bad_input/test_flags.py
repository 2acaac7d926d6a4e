"""Unknown flags, unknown config keys and values of the wrong type."""

import re

import pytest

from tests.launching import ROOT

MTL = f"--config={ROOT / 'configs' / 'mtl.py'}"
QUICKSTART = f"--config={ROOT / 'configs' / 'quickstart.py'}"


@pytest.mark.parametrize(
  ("command", "message"),
  [
    ([], "no config given; .*--config=configs/mtl.py:in"),
    (["--config=nowhere.py"], "no config file /.*/nowhere.py; .*configs/mtl.py"),
    (["--config=/"], "no config file /; expected a Python file"),
    (["--config=configs/mtl"], "no config file .*/configs/mtl; expected a Python file"),
    ([f"{MTL}:xx"], "no cell 'xx'.*in, sa, pu, pc"),
    ([MTL], "has no cell ''"),
    ([f"{QUICKSTART}:x"], "quickstart.py takes no argument after a colon"),
    ([f"{MTL}:in", "--workdri=x"], "Unknown command line flag 'workdri'. Did you mean: workdir"),
    ([f"{MTL}:in", "config.seed=3"], "unexpected argument 'config.seed=3'; all arguments are flags"),
    (["--config.seed=3", f"{MTL}:in"], "--config.seed=3.*before.*--config"),
  ],
)
def test_flags(refusal, command, message):
  assert re.search(message, refusal(*command))


@pytest.mark.parametrize(
  ("key", "message"),
  [
    ("sampels_per_class", "unknown config key 'sampels_per_class'; did you mean 'samples_per_class'?"),
    ("phases.phase1.epoch", "key 'phases.phase1.epoch'; did you mean 'phases.phase1.epochs'?"),
    ("phases.phase3.epochs", "unknown config key 'phases.phase3.epochs'; did you mean"),
    ("lr", "did you mean 'phases.phase1.learning_rate' or 'phases.phase2.learning_rate'?"),
    ("learning_rate", "did you mean 'phases.phase1.learning_rate' or 'phases.phase2.learning_rate'?"),
    ("epochs", "did you mean 'phases.phase1.epochs' or 'phases.phase2.epochs'?"),
    ("files.mine.cube", "unknown config key 'files.mine.cube'"),
    ("optimizer", "'optimizer' is a group; its keys are optimizer.eps, optimizer.name, optimizer.rho"),
  ],
)
def test_unknown_keys(refusal, key, message):
  assert message in refusal(f"{MTL}:in", f"--config.{key}=3")


def test_options_of_a_scene_that_is_not_named(refusal):
  own = f"--config={ROOT / 'configs' / 'own.py'}"
  for given, proposed in (("", ":fields"), (":town", ":town,fields")):
    line = refusal(f"{own}{given}", "--config.files.fields.cube=x")
    assert f"'files.fields.cube': name the scene as well, {own}{proposed}\n" in line
  line = refusal(f"{own}:fields", "--config.files.feilds.cube=x")
  assert "did you mean 'files.fields.cube'?" in line


@pytest.mark.parametrize(
  ("override", "expected"),
  [
    ("samples_per_class=few", "a whole number"),
    ("samples_per_class=1.5", "a whole number"),
    ("phases.phase1.learning_rate=x", "a number"),
    ("optimizer.rho=x", "a number"),
    ("spectral_knowledge=maybe", "True or False"),
    ("snapshots=1, /", "one value, or several by repeating the flag"),
  ],
)
def test_values_of_another_type(refusal, override, expected):
  key, _, value = override.partition("=")
  assert f"config key {key} is {value!r}; expected {expected}\n" in refusal(
    f"{MTL}:in", f"--config.{override}"
  )


def test_a_key_with_values_of_different_types(refusal):
  # Fuzzing the command line found this one.
  flags = ("--config.optimizer.weight_decay=0.1", "--config.optimizer.weight_decay=x")
  assert "a key is given twice, with values of different types; give it once" in refusal(f"{MTL}:in", *flags)
