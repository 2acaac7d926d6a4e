"""Invalid values are refused by key."""

import functools
import re
import sys

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.settings import experiment_settings, model_settings
from mtl_hsi.settings.scene_options import OPTIONS
from tests.settings.configs_of_two_scenes import config

_BY_SCENES = {"split": "scenes", "samples_per_class": 0, "legend": "shared", "model__norm": "joint"}


@pytest.mark.parametrize(
  ("changes", "message"),
  [
    ({"files__fields__scale": "0"}, "files.fields.scale is '0'; expected a finite number other than 0"),
    ({"files__fields__offset": "inf"}, "files.fields.offset is 'inf'; expected a finite number"),
    ({"files__fields__wavelength_unit": "cm"}, "wavelength_unit is 'cm'; expected one of 'nm', 'um'"),
    (
      {"files__fields__wavelength_unit": "um"},
      "wavelength_unit is 'um'; expected no value, because it is the unit of a CSV file",
    ),
    ({"scenes": ()}, r"scenes is \(\); expected the names of one scene or more"),
    ({"scenes": ("fields", "fields")}, "expected every scene once"),
    ({"legend": "common"}, "legend is 'common'; expected one of 'separate', 'shared'"),
    ({"legend": "shared"}, "model.norm is 'per_scene'; expected 'joint' with legend='shared'"),
    (
      {"legend": "shared", "model__norm": "joint", "spectral_knowledge": False},
      "spectral_knowledge is False; expected True with legend='shared'",
    ),
    (
      {"split": "scenes", "samples_per_class": 0},
      "legend is 'separate'; split='scenes' leaves out one scene at a time",
    ),
    (
      {**_BY_SCENES, "scenes": ("fields",)},
      r"scenes is \('fields',\); expected two or more with split='scenes'",
    ),
    ({**_BY_SCENES, "folds": 5}, "folds is 5; expected 0 with split='scenes', where every scene is a fold"),
    ({"mnf_components": -1}, r"mnf_components is -1; expected 0 \(none\) or more"),
    (
      {"mnf_components": 3},
      "config key mnf_components is 3 and scaling is 'maximum'; components need scaling='per_band' or "
      "'per_band_joint'",
    ),
    (
      {"scaling": "minimum"},
      "scaling is 'minimum'; expected 'maximum', 'per_band', 'per_band_joint' or a positive number",
    ),
    ({"scaling": "-3"}, "scaling is '-3'; expected"),
    ({"scaling": "nan"}, "scaling is 'nan'; expected"),
    (
      {"probabilities": "uint8", "model__name": "svm"},
      "probabilities is 'uint8', but model.name=svm has no probabilities; expected 'none'",
    ),
    ({"last_batch": "full"}, "last_batch is 'full'; expected one of 'partial', 'dropped'"),
    ({"precision": "float16"}, "precision is 'float16'; expected one of 'float32', 'tf32', 'bfloat16'"),
    (
      {"model__convolution": "xla", "precision": "bfloat16"},
      "model.convolution is 'xla'; expected 'products' with precision='bfloat16'",
    ),
    ({"model__convolution": "fft"}, "model.convolution is 'fft'; expected one of 'products', 'xla'"),
    ({"model__init": "he"}, "model.init is 'he'; expected one of 'normal', 'glorot'"),
    (
      {"scenes": ("fields", "atlantis")},
      "unknown scene 'atlantis'; the public scenes are indian_pines, salinas, ",
    ),
    (
      {"files__fields__cube": ""},
      r"unknown scene 'fields'; .*, or --config.files.fields.cube=<file> for a scene",
    ),
    ({"target": "indian_pines"}, "target is 'indian_pines'; expected one of 'salinas', 'fields'"),
    ({"reversed": ("village",)}, "reversed is 'village'; expected one of 'salinas', 'fields'"),
    ({"alignment": "wavelength", "bands": 103}, "bands is 103, which belongs to alignment=index"),
    ({"grid": "400:900:10"}, "grid is '400:900:10', which belongs to alignment=wavelength"),
    *(
      ({"alignment": "wavelength", "grid": text}, f"grid is '{text}'; expected 'first:last:step' in nm")
      for text in (
        "400:900",
        "900:400:10",
        "400:900:0",
        "0.4:0.9:0.01",
        "wide",
        "-5,400",
        "400,,500",
        "1:inf:1",
      )
    ),
    ({"classify__smoothing__steps": -1}, "classify.smoothing.steps is -1; expected 0"),
    ({"classify__smoothing__restart": 1.0}, "smoothing.restart is 1.0; expected a number between"),
    ({"classify__smoothing__sharpness": 0.0}, "smoothing.sharpness is 0.0; expected a positive number"),
    ({"block_size": 0}, "block_size is 0; expected 1 or more"),
    (
      {"files__fields__test": "t.npz", "split": __file__},
      f"files.fields.test and split='{__file__}' both give test pixels",
    ),
    (
      {"files__fields__split_column": "use", "split": __file__},
      f"files.fields.split_column and split='{__file__}' both give test pixels",
    ),
    (
      {"files__fields__test": "t.npz", "split": "block"},
      "split is 'block', but there is no file /.*/block; expected 'random', 'blocks', 'folds', 'scenes' or",
    ),
    (
      {"files__fields__split_column": "use", "files__fields__test": "t.npz"},
      "files.fields.test and .split_column both give test pixels; leave one of them out",
    ),
    (
      {"files__fields__test_key": "visited"},
      "files.fields.test_key is 'visited' and there is no files.fields.test",
    ),
    (
      {"files__salinas": {**dict.fromkeys(OPTIONS, ""), "bands": "0:100", "test": "t.npz"}},
      "files.salinas.test is 't.npz' and there is no files.salinas.cube: a public scene has its own files",
    ),
    (
      {"files__fields__test": "t.npz", "samples_per_class": 0, "split": "blocks"},
      "samples_per_class is 0; expected 1 or more",
    ),
    ({"alignment": "magic"}, "alignment is 'magic'; expected one of 'index', 'wavelength'"),
    ({"samples_per_class": 0, "split": "foo"}, "config key split is 'foo', but there is no file"),
    ({"samples_per_class": 0, "split": "s.npz"}, "samples_per_class is 0; expected 1 or more"),
    ({"samples_per_class": -1}, "samples_per_class is -1; expected 1 or more, or 0 for all"),
    ({"replicas": 0}, "replicas is 0; expected 1 or more"),
    ({"batch_size": -1}, "batch_size is -1; expected 1 or more"),
    ({"seed": -1}, "seed is -1; expected 0 to 2147483638"),
    ({"bands": 0}, "bands is 0; expected 1 or more, or None"),
    ({"model__name": "resnet"}, "model.name is 'resnet'; expected one of 'hresnet', 'ccnn', 'vresnet', "),
    (
      {"model__name": "svm", "model__pool": True},
      "model.pool is True, but svm has no such option; set it to False",
    ),
    (
      {"model__name": "svm", "model__blocks": 2},
      "model.blocks is 2, but svm has no such option; set it to 1",
    ),
    (
      {"model__name": "svm", "samples_per_class": 2},
      "samples_per_class is 2; expected 3 or more with svm, which is cross-validated in as many parts",
    ),
    (
      {"model__name": "svm", "model__width": 64},
      "model.width is 64, but svm has no such option; start from a config without it",
    ),
    ({"model__name": "vresnet"}, "model.patch is None; vresnet needs a number of 1 or more, as in configs"),
    ({"steps_per_epoch": 0}, "steps_per_epoch is 0; expected 1 or more, or None"),
    (
      {"augmentation": "symmetries"},
      "augmentation is 'symmetries', which needs a number of steps_per_epoch; .* leave it at 'mirrors'",
    ),
    ({"patch_shift": 1}, "patch_shift is 1, which needs a number of steps_per_epoch; .* leave it at 0"),
    ({"patch_shift": -1}, "patch_shift is -1; expected 0 or more"),
    ({"balanced": True}, "balanced is True, which needs a number of steps_per_epoch; .* leave it at False"),
    ({"augmentation": "all"}, "augmentation is 'all'; expected one of 'none', 'mirrors', 'symmetries'"),
    ({"label_smoothing": 1.0}, "label_smoothing is 1.0; expected 0 or more and less than 1"),
    ({"warmup": -0.1}, "warmup is -0.1; expected 0 or more and less than 1"),
    ({"weight_averaging": np.nan}, "weight_averaging is nan; expected 0 or more and less than 1"),
    ({"band_dropout": 1.0}, "band_dropout is 1.0; expected 0 or more and less than 1"),
    ({"radiometric_jitter": -0.1}, "radiometric_jitter is -0.1; expected 0 or more"),
    ({"learning_rate_decay": "step"}, "learning_rate_decay is 'step'; expected one of 'none', 'cosine'"),
    ({"model__norm": "none"}, "model.norm is 'none'; expected one of 'per_scene', 'joint'"),
    ({"batch": "big"}, "batch is 'big'; expected one of 'per_scene', 'mixed'"),
    ({"classify__method": "slow"}, "classify.method is 'slow'; expected one of 'dense', 'patches'"),
    ({"classify__tile_pixels": 0}, "classify.tile_pixels is 0; expected 1 or more"),
    ({"checkpoint_seconds": -1.0}, "checkpoint_seconds is -1.0; expected 0 or more"),
    ({"checkpoint_seconds": np.inf}, "checkpoint_seconds is inf; expected 0 or more"),
    ({"snapshots": ()}, r"snapshots is \(\); expected ascending epochs, at least one"),
    ({"snapshots": (4, 2)}, r"snapshots is \(4, 2\); expected ascending epochs"),
    ({"snapshots": (2, 2)}, r"snapshots is \(2, 2\); expected ascending epochs"),
    ({"snapshots": (-130, 0)}, "snapshots starts 130 epochs before the end, before the first epoch is done"),
    ({"snapshots": ("2",)}, r"snapshots is \('2',\); expected whole numbers of epochs"),
    ({"phases__phase1__epochs": 0}, "phases.phase1.epochs is 0; expected 1 or more"),
    (
      {"phases__phase1__learning_rate": 0.0},
      "phases.phase1.learning_rate is 0.0; expected a positive number",
    ),
    (
      {"phases__phase2__learning_rate": np.nan},
      "phases.phase2.learning_rate is nan; expected a positive number",
    ),
    (
      {"phases__phase2__frozen": ("steam",)},
      r"phases.phase2.frozen names \['steam'\]; .* stem, backbone, heads",
    ),
    (
      {"phases__phase2__frozen": ("stem", "backbone", "heads")},
      "phases.phase2.frozen names every parameter group; nothing would train",
    ),
    (
      {"optimizer__name": "adadelto"},
      "optimizer.name is 'adadelto'; expected one of .*adadelta, .*adam, .*sgd",
    ),
    ({"optimizer__name": "scale_by_adam"}, "optimizer.name is 'scale_by_adam'; expected one of "),
    (
      {"optimizer__name": "adam"},
      "optimizer.eps|optimizer.rho: adam has no such argument; it has b1, b2",
    ),
    ({"optimizer__rho": "high"}, r"adadelta does not accept \{.*'rho': 'high'.*\}: "),
    ({"files__fields__bands": "5"}, "files.fields.bands is '5'; expected 'first:end'"),
    ({"files__fields__bands": "9:5"}, "files.fields.bands is '9:5'; expected 'first:end'"),
    ({"files__fields__bands": "-3:5"}, "files.fields.bands is '-3:5'; expected 'first:end'"),
    ({"files__fields__bands": "a:b"}, "files.fields.bands is 'a:b'; expected 'first:end'"),
  ],
)
def test_what_cannot_be_is_refused_by_key(changes, message):
  made = config()
  with made.ignore_type():
    made.update_from_flattened_dict({key.replace("__", "."): value for key, value in changes.items()})
  with pytest.raises(RequestError, match=message) as error:
    experiment_settings.read(made)
  assert "\n" not in str(error.value)


@pytest.mark.parametrize("changes", [{"samples_per_class": 3}, {"samples_per_class": 1, "split": "s.npz"}])
def test_an_svm_needs_three_samples_per_class_unless_they_are_given(changes):
  settings = experiment_settings.read(config(model__name="svm", **changes))
  assert settings.model.name == model_settings.SVM == "svm"


def test_an_svm_without_scikit_learn_is_refused(monkeypatch):
  monkeypatch.setitem(sys.modules, "sklearn", None)
  with pytest.raises(
    RequestError, match=r"^model.name=svm needs scikit-learn: pip install 'mtl_hsi\[svm\]'$"
  ):
    experiment_settings.read(config(model__name="svm", samples_per_class=3))


@pytest.mark.parametrize("key", ["replicas", "model.norm", "phases.phase1.frozen", "files.fields.sensor"])
def test_a_key_that_is_not_there_is_named(key):
  made = config()
  group, _, last = key.rpartition(".")
  del functools.reduce(lambda inner, name: inner[name], filter(None, group.split(".")), made)[last]
  with pytest.raises(
    RequestError, match=rf"the config has no key {re.escape(repr(last))}; .*configs/common.py"
  ):
    experiment_settings.read(made)


def test_simulated_bands_need_a_centre_and_a_width_each():
  made = config(scenes=("village",), target="village")
  made.simulate.village = {
    **{"height": 30, "width": 40, "sensor": "mine", "centres": (500.0, 600.0), "widths": (5.0,)},
    **{"classes": ("grass", "trees"), "seed": 2, "labelled_fraction": 0.5},
  }
  with pytest.raises(
    RequestError, match=r"simulate.village has 2 centres and 1 widths; expected one of each"
  ):
    experiment_settings.read(made)
