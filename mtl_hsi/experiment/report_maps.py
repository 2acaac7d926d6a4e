"""The maps of all replicas and the left-out labels of a scene, as the report shows them."""

from collections.abc import Mapping

import numpy as np

from mtl_hsi.experiment.execution import Outcome
from mtl_hsi.experiment.problem import Problem
from mtl_hsi.report.run_report import LeftOutLabels, ReplicaMap
from mtl_hsi.splits.split import pixels_of


def replica_maps(problem: Problem, name: str, done: Outcome) -> list[ReplicaMap]:
  """Returns the maps of a scene, one for each draw of training pixels."""
  split = problem.splits[name]
  shares = probabilities = [None] * len(done.predictions[name])
  if done.votes is not None:
    shares, probabilities = done.votes[name].share, done.votes[name].probability
  parts = zip(done.predictions[name], split.train, split.test, shares, probabilities, strict=True)
  return [
    ReplicaMap(prediction, pixels_of(train), pixels_of(test), share, probability)
    for prediction, train, test, share, probability in parts
  ]


def left_out_labels(problem: Problem, name: str, metrics: Mapping, done: Outcome) -> LeftOutLabels | None:
  """Returns the left-out labels of a scene, or None if its accuracies are not those of such labels."""
  if "left_out" not in metrics:
    return None
  found = done.mixtures[name][0].left_out
  predicted = np.asarray(problem.legend.class_ids(name))[found.plain.argmax(axis=-1)]
  return LeftOutLabels(found.pixels, predicted, found.fold)
