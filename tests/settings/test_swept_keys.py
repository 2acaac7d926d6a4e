import re

import pytest

from configs import own
from mtl_hsi.errors import RequestError
from mtl_hsi.settings import swept_keys


@pytest.fixture
def config():
  return own.get_config("fields").lock()


def test_values_have_the_types_of_their_keys(config):
  texts = (
    *("replicas=1,5", "phases.phase1.learning_rate=1,2e-3", "split=folds,blocks", "balanced=True,False"),
    *("snapshots=(0,),(-2, 0),4", "bands=None,103", "optimizer.weight_decay=0.01", "scaling=5000"),
  )
  found = {key: list(values.values()) for key, values in swept_keys.read(texts, config).items()}
  assert found == {
    "replicas": [1, 5],
    "phases.phase1.learning_rate": [1.0, 2e-3],
    "split": ["folds", "blocks"],
    "balanced": [True, False],
    "snapshots": [(0,), (-2, 0), (4,)],
    "bands": [None, 103],
    "optimizer.weight_decay": [0.01],
    "scaling": ["5000"],
  }


def test_all_combinations_are_made_and_the_last_key_varies_fastest(config):
  grid = swept_keys.read(("seed=0,10", "model.width=8,16"), config)
  assert swept_keys.combinations(grid) == [
    {"seed": "0", "model.width": "8"},
    {"seed": "0", "model.width": "16"},
    {"seed": "10", "model.width": "8"},
    {"seed": "10", "model.width": "16"},
  ]


def test_a_changed_config_differs_in_these_values_only(config):
  changed = swept_keys.changed(config, {"model.width": 16, "bands": 103})
  expected = config.to_dict()
  expected["model"]["width"], expected["bands"] = 16, 103
  assert (changed.to_dict(), changed.is_locked) == (expected, True)


def test_another_optimiser_has_only_its_own_arguments(config):
  values = {"optimizer.name": "sgd", "optimizer.momentum": 0.9}
  assert swept_keys.changed(config, values).optimizer.to_dict() == {"name": "sgd", "momentum": 0.9}
  name = config.optimizer.name
  assert swept_keys.changed(config, {"optimizer.name": name}).optimizer == config.optimizer


@pytest.mark.parametrize(
  ("texts", "message"),
  [
    (["seed"], "--over is 'seed'; expected KEY=VALUE,VALUE"),
    (["seed="], "expected KEY=VALUE,VALUE"),
    (["seed=1,,2"], "expected KEY=VALUE,VALUE"),
    (["=1,2"], "expected KEY=VALUE,VALUE"),
    (["seed=1,1"], "expected different values"),
    (["seed=1", "seed=2"], "--over names seed twice"),
    (["learning_rate=1"], "did you mean 'phases.phase1.learning_rate'"),
    (["model=hresnet"], "is a group"),
    (["seed=1.5"], "expected a whole number"),
    (["seed=True"], "expected a whole number"),
    (["phases.phase1.learning_rate=fast"], "expected a number"),
    (["balanced=yes"], "expected True or False"),
    (["seed=None"], "expected a whole number"),
    (["check_only=True,False"], "--over cannot vary check_only"),
    (
      [f"seed={','.join(map(str, range(200)))}", f"proposals={','.join(map(str, range(99)))}"],
      "at most 10000",
    ),
  ],
)
def test_other_texts_are_refused(config, texts, message):
  with pytest.raises(RequestError, match=re.escape(message)):
    swept_keys.read(texts, config)


def test_text_that_python_cannot_read_stays_text(config):
  brackets = "(" * 10_000
  assert swept_keys.read([f"snapshots={brackets}"], config) == {"snapshots": {brackets: (brackets,)}}
