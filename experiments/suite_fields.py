"""The recipe of configs/fields.py, from the networks of a run of the default.

Both recipes train the same networks of 9 x 9 patches on the same pixels, bit for bit (a test holds this). So
their map without experts needs no training: each network classifies alone, and its probabilities are smoothed
as in configs/fields.py.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import jax
import numpy as np

from configs import fields
from experiments.suite_scenes import Part
from mtl_hsi.classification import classify
from mtl_hsi.evaluation import metrics
from mtl_hsi.models import products
from mtl_hsi.runs.trained_run import read_run
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.settings import inference_settings
from mtl_hsi.training import patches


def measure(run: Path, scene: Scene, parts: Sequence[Part]) -> dict:
  """Returns the scores of the networks of a finished run of the default, each alone.

  Args:
    run: work directory of the run, with one replica.
    scene: its scene.
    parts: training and test pixels: one part for a random split, one for every fold otherwise.

  Returns:
    `overall_accuracy`, `average_accuracy`, `kappa` as fractions of 1, and `seconds` of classification.
  """
  start, trained = time.perf_counter(), read_run(run)
  inputs = trained.scenes[scene.name].inputs
  settings = inference_settings.read(fields.get_config(scene.name))
  classifier = classify.Classifier(
    (trained.network,), jax.devices(), settings.method, settings.tile_pixels, settings.options
  )
  _, (padded,) = patches.lay_out([patches.Layer(scene.cube, inputs, scene.nodata)], trained.network.patch)
  region = classify.SceneRegion(padded, 0, inputs.contrast, scene.measured)
  tree = trained.networks(trained.snapshot_epochs[-1])
  networks = {key: jax.tree.map(np.asarray, tree[key]) for key in ("params", "stats")}
  ensemble, truth, predicted = trained.ensemble, [], []
  for fold, part in enumerate(parts):
    position = ensemble.voters_of(0)[0] if len(parts) == 1 else ensemble.without_fold(0, fold)
    network = jax.tree.map(lambda x, row=position: x[row : row + 1], networks)
    with products.precision(trained.precision):
      votes = classifier.vote(classifier.place_snapshots([network]), region, lambda: None)
    pixels = tuple(part.test.T)
    truth.append(scene.labels[pixels])
    predicted.append(scene.class_ids[votes.labels[0]][pixels])
  confusion = metrics.confusion(np.concatenate(truth), np.concatenate(predicted), scene.class_ids)
  found = metrics.score(confusion)
  scores = {key: found[key] for key in ("overall_accuracy", "average_accuracy", "kappa")}
  return {**scores, "seconds": round(time.perf_counter() - start, 2)}
