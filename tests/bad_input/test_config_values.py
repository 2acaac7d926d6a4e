"""Values of config keys that have the right type but cannot be used."""

import re

import pytest

from tests.launching import ROOT

MTL = f"--config={ROOT / 'configs' / 'mtl.py'}"
OWN = f"--config={ROOT / 'configs' / 'own.py'}"


@pytest.mark.parametrize(
  ("overrides", "message"),
  [
    (["scenes=atlantis"], "unknown scene 'atlantis'; the public scenes are indian_pines"),
    (["reversed=salinas"], "reversed is 'salinas'; expected one of 'indian_pines'"),
    (["target=salinas"], "target is 'salinas'; expected one of 'indian_pines'"),
    (["bands=17"], "'indian_pines' has 200 bands and 17 are wanted.*know 103 and 160"),
    (["samples_per_class=3000"], "largest class has 2455 pixels.*choose a number below 2455"),
    (
      ["split=block"],
      "split is 'block', but there is no file /.*/block; expected 'random', 'blocks', 'folds', 'scenes' or "
      "the path of the split.npz",
    ),
    (["optimizer.name=adadelto"], "optimizer.name is 'adadelto'; expected one of.*adadelta"),
    (["optimizer.foo=1"], "optimizer.foo: adadelta has no such argument; it has rho, eps"),
    (["optimizer.name=adam", "optimizer.rho=1"], "optimizer.rho: adam has no such argument"),
    (["optimizer.name=adam", "optimizer.b1=x"], r"adam does not accept \{'b1': 'x'\}: "),
    (["optimizer.eps=1e999"], "the config does not fit into config.json"),
    (["model.name=resnet"], "model.name is 'resnet'; expected one of 'hresnet', 'ccnn', 'vresnet', 'svm'"),
    (["model.name=ccnn", "model.pool=True"], "model.pool is True, but ccnn has no such option"),
    (["model.name=svm", "samples_per_class=2"], "samples_per_class is 2; expected 3 or more with svm"),
    (["phases.phase1.epochs=0"], "phases.phase1.epochs is 0; expected 1 or more"),
    (["snapshots="], "snapshots is .*; expected whole numbers of epochs"),
  ],
)
def test_values(refusal, overrides, message):
  assert re.search(message, refusal(f"{MTL}:in", *(f"--config.{override}" for override in overrides)))


def test_a_public_scene_that_is_not_there(refusal, tmp_path):
  error = refusal(f"{MTL}:pu", f"--config.data_dir={tmp_path / 'data'}")
  assert "scene 'pavia_university': PaviaU.mat and PaviaU_gt.mat not found; download from http" in error
  assert f"into {tmp_path / 'data'}, or add --config.download=True" in error


def test_a_scene_that_is_neither_public_nor_has_files(refusal):
  error = refusal(f"{OWN}:atlantis")
  assert re.search("unknown scene 'atlantis'.*indian_pines.*--config.files.atlantis.cube=<file>", error)


def test_no_scenes_at_all(refusal):
  assert "expected the names of one scene or more, as in --config=configs/own.py:fields" in refusal(OWN)
  assert "no such file: " in refusal(OWN, "--config.scenes_file=nowhere.yaml")
