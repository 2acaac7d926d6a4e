"""Settings and problems of small scenes."""

import dataclasses

import numpy as np

from mtl_hsi.experiment import problem
from mtl_hsi.scenes.scene import Scene
from tests import launching

BLUE_TO_RED = {"wavelengths": np.array([400.0, 450, 500, 550, 600, 650])}
GREEN_TO_INFRARED = {"wavelengths": np.arange(510.0, 810, 30), "widths": np.full(10, 60.0)}


def scene(name="fields", bands=6, sensor=None, **changes):
  cube = np.repeat(launching.cube(launching.FIELDS), -(-bands // 6), axis=2)[:, :, :bands]
  names = {1: "a", 4: "b", 9: "c"}
  return Scene(name=name, cube=cube, labels=launching.FIELDS, class_names=names, sensor=sensor, **changes)


def changed(settings, **changes):
  """The settings with other values; `split__file` is the key of `settings.split.file`."""
  for key, value in changes.items():
    group, _, name = key.rpartition("__")
    if group:
      name, value = group, dataclasses.replace(getattr(settings, group), **{name: value})
    settings = dataclasses.replace(settings, **{name: value})
  return settings


def prepare(settings, *scenes, **changes):
  """The problem of scenes made here."""
  loaders = {made.name: (lambda made=made: made) for made in scenes}
  return problem.prepare(changed(settings, scenes__loaders=loaders, **changes))


def svm(settings):
  return {"model": dataclasses.replace(settings.model, name="svm")}
