"""A map whose mixture is chosen: the labels and the library of its scene, the networks without each fold."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mtl_hsi.channels.padded import channels_at
from mtl_hsi.classification import left_out
from mtl_hsi.classification.classify import SceneRegion
from mtl_hsi.classification.left_out import Candidates
from mtl_hsi.experiment.problem import Problem, library_channels, library_classes
from mtl_hsi.experiment.regressions import Regressions, Samples
from mtl_hsi.experiment.training_pixels import SceneFolds
from mtl_hsi.scenes.legend import outputs_of
from mtl_hsi.settings.experiment_settings import Settings


class Case(NamedTuple):
  """One map of one scene, and the networks without each fold."""

  settings: Settings
  problem: Problem
  name: str
  drawn: int
  folds: SceneFolds
  region: SceneRegion
  networks: Sequence[dict]

  @property
  def present(self) -> np.ndarray:
    """Which classes the left-out pixels can get, bool `[C]`."""
    return np.asarray(self.problem.network.present)[self.region.scene]

  def classes(self, pixels: np.ndarray) -> np.ndarray:
    """Returns the outputs for the classes of pixels, int32 `[n]`."""
    labels = self.problem.scenes[self.name].labels[tuple(pixels.T)]
    return outputs_of(self.problem.legend.class_ids(self.name), labels).astype(np.int32)

  def samples(self, pixels: np.ndarray) -> Samples:
    """Returns channels and classes of pixels."""
    channels = channels_at(self.region.padded, pixels + self.problem.patch // 2)
    return Samples(channels, self.classes(pixels))

  def library(self) -> Samples:
    """Returns the spectra of the scene's library."""
    ids = library_classes(self.problem.scenes[self.name])
    classes = outputs_of(self.problem.legend.class_ids(self.name), ids).astype(np.int32)
    return Samples(library_channels(self.problem, self.name), classes)

  def trains_without_folds(self, train: np.ndarray) -> np.ndarray:
    """Returns which training pixels `[n, 2]` train without each fold, bool `[k, n]`."""
    masks = [np.zeros(self.problem.scenes[self.name].labels.shape, bool) for _ in self.folds.train]
    for mask, pixels in zip(masks, self.folds.train, strict=True):
      mask[tuple(pixels.T)] = True
    return np.stack([mask[tuple(train.T)] for mask in masks])

  def evaluate(self, regression: Regressions | None, candidates: Candidates) -> tuple[np.ndarray, np.ndarray]:
    """Returns members `[M, n, C]` and candidates `[W, S, n, C]` of the left-out pixels of all folds."""
    inference, parts = self.settings.inference, []
    for fold, (network, pixels) in enumerate(zip(self.networks, self.folds.left_out, strict=True)):
      parts.append(
        left_out.evaluate(
          self.problem.networks,
          network,
          {} if regression is None else regression.without_fold[fold],
          self.region,
          pixels,
          candidates,
          method=inference.method,
          symmetric=inference.options.symmetric,
          tile_pixels=inference.tile_pixels,
        )
      )
    members, mixed = zip(*parts, strict=True)
    return np.concatenate(members, axis=1), np.concatenate(mixed, axis=2)


def make_case(
  settings: Settings,
  problem: Problem,
  name: str,
  drawn: int,
  region: SceneRegion,
  networks: Sequence[dict],
) -> Case:
  """Returns one map of one scene. A scene that is left out as a whole is like a new image."""
  folds = problem.folds[name][drawn]
  if folds.whole_scene:
    region = region._replace(scene=problem.network.new_scene)
  return Case(settings, problem, name, drawn, folds, region, networks)
