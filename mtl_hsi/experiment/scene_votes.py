"""Classifies the scenes of a run: which networks vote on each map, with which mixture and smoothing."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import jax
import numpy as np

from mtl_hsi.classification import classify
from mtl_hsi.classification.classify import SceneRegion
from mtl_hsi.classification.voting import Votes
from mtl_hsi.evaluation.probabilities import NONE
from mtl_hsi.experiment import probabilities
from mtl_hsi.experiment.mixtures import SceneMixture
from mtl_hsi.experiment.problem import Problem
from mtl_hsi.runtime import progress
from mtl_hsi.settings.experiment_settings import Settings
from mtl_hsi.training import health


def classify_scenes(
  settings: Settings,
  problem: Problem,
  snapshots: Sequence[dict],
  regions: Mapping[str, SceneRegion],
  chosen: Mapping[str, Sequence[SceneMixture]],
  folder: Path,
) -> dict[str, Votes]:
  """Returns the votes on every pixel of every map, by scene; writes all probabilities if they are requested.

  Args:
    settings: the settings.
    problem: the scenes.
    snapshots: {"params", "stats"} and "local" of all networks for every voting epoch.
    regions: the whole scenes.
    chosen: the mixtures of every scene, one for each map; empty if nothing is mixed.
    folder: of the maps of all scenes.

  Raises:
    RequestError: classification is not finite, or a file cannot be written.
  """
  ensemble = problem.ensemble
  if not chosen and ensemble.voters == 1:
    maps = jax.tree.map(lambda x: x[: ensemble.maps], snapshots)
    jobs = {name: [(region, maps, None)] for name, region in regions.items()}
  else:
    jobs = {
      name: [
        (region, list(_voters(snapshots, ensemble, drawn, chosen, name)), _smoothing(chosen, name, drawn))
        for drawn in range(ensemble.maps)
      ]
      for name, region in regions.items()
    }
  return _vote(settings, problem, jobs, folder)


def _voters(snapshots, ensemble, drawn, chosen, name):
  """Yields the networks that vote on one map, each with a leading axis of 1 and its share in the mixture."""
  mixed = {"mixture": chosen[name][drawn].parameters()} if chosen else {}
  for snapshot in snapshots:
    for position in ensemble.voters_of(drawn):
      yield jax.tree.map(lambda x, row=position: x[row : row + 1], snapshot) | mixed


def _smoothing(chosen, name, drawn):
  return chosen[name][drawn].smoothing if chosen else None


def _vote(settings, problem, jobs, folder):
  """Returns the votes of all maps, from the region, the voting networks and the smoothing of each.

  The probabilities of all classes are those of the first map.
  """
  inference, classifiers = settings.inference, {}
  for smoothing in {smoothing for of_scene in jobs.values() for *_, smoothing in of_scene}:
    options = inference.options if smoothing is None else inference.options._replace(smoothing=smoothing)
    classifiers[smoothing] = classify.Classifier(
      problem.networks,
      jax.devices(),
      inference.method,
      inference.tile_pixels,
      options,
      all_classes=settings.probabilities != NONE,
    )
  tiles = sum(len(classifiers[job[2]].tiles(job[0])) for of_scene in jobs.values() for job in of_scene)
  votes = {}
  with progress.bar("classifying", tiles, "tile") as bar:
    for name, of_scene in jobs.items():
      with probabilities.written(settings.probabilities, problem, name, folder / name) as take:
        found = []
        for region, networks, smoothing in of_scene:
          classifier = classifiers[smoothing]
          placed = classifier.place_snapshots(networks)
          found.append(classifier.vote(placed, region, bar.update, None if found else take))
        votes[name] = Votes(*(np.concatenate(parts) for parts in zip(*found, strict=True)))
        health.check_probabilities(votes[name].probability, name, settings.seed)
  return votes
