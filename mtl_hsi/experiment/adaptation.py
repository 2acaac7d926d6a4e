"""Networks for new scenes that start from those of a finished run."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from mtl_hsi.errors import RequestError
from mtl_hsi.models.multitask import Network
from mtl_hsi.runs.trained_run import TrainedRun
from mtl_hsi.runtime.replicas import Replicas
from mtl_hsi.training import patches
from mtl_hsi.training.batches import TrainingSet


def check(trained: TrainedRun, network: Network, *, replicas: int, new_stem: bool) -> None:
  """Refuses a network that cannot start from the run's.

  Raises:
    RequestError: the run has fewer replicas, or its stem reads another number of bands.
  """
  if replicas > trained.replicas:
    raise RequestError(
      f"{replicas} replicas are asked for and the run in {trained.directory} has {trained.replicas}; ask for "
      "at most as many (config key 'replicas')"
    )
  have, wanted = network.stem.bands, trained.network.stem.bands
  if not new_stem and have != wanted:
    raise RequestError(
      f"the new scenes have {have} bands and the first convolution of the run in {trained.directory} reads "
      f"{wanted}; choose as many by a band range, or train another one: --config.stem=new"
    )


def start(
  trained: TrainedRun,
  network: Network,
  replicas: Replicas,
  samples: TrainingSet,
  pixels: patches.Pixels,
  *,
  seed: int,
  new_stem: bool,
) -> dict:
  """{"params", "stats"} of R networks for new scenes, leading axis R, in numpy.

  Backbone and, unless it is new, stem are those of the run's last snapshot,
  heads are fresh. Statistics of batch normalisation, where every scene has its
  own, are those of the scene's training pixels, since a frozen backbone does
  not move them; in front of a new stem, whose output has yet to become what the
  backbone knows, and where all scenes share one set, they are the mean of the
  run's scenes.

  Args:
    trained: the finished run; replica r starts from its replica r.
    network: of the new scenes.
    replicas: R.
    samples: training pixels of all replicas, leading axis R.
    pixels: the new scenes.
    seed: of replica 0, for heads and a new stem.
    new_stem: whether the stem is fresh.

  Raises:
    RequestError: a snapshot is missing or damaged.
  """
  last = trained.networks(trained.snapshot_epochs[-1])
  known = jax.tree.map(lambda x: np.asarray(x)[: replicas.count], last)
  begin = replicas.spread(functools.partial(_start, network, new_stem), 3)
  return replicas.get(
    begin(replicas.keys(seed), replicas.put(known), replicas.put(samples), replicas.share(pixels))
  )


def _start(
  network: Network, new_stem: bool, key: Array, known: dict, samples: TrainingSet, pixels: patches.Pixels
) -> Any:
  """The same of one replica."""
  params, stats = network.init(key)
  params["backbone"] = known["params"]["backbone"]
  if new_stem or not network.norm_per_scene:
    mean = jax.tree.map(lambda own: jnp.mean(own, axis=0, keepdims=True), known["stats"])
    stats = jax.tree.map(lambda fresh, own: jnp.broadcast_to(own, fresh.shape), stats, mean)
  if not new_stem:
    params["stem"] = known["params"]["stem"]
    if network.norm_per_scene:
      stats = network.batch_statistics(params, stats, *_patches(network, samples, pixels))
  return {"params": params, "stats": stats}


def _patches(network, samples, pixels):
  """Patches of all training pixels `[T, N, P, P, B]`, and which of them are there `[T, N]`."""
  scenes, rows = samples.classes.shape
  scene = jnp.broadcast_to(jnp.arange(scenes).reshape(-1, 1), (scenes, rows))
  upright = jnp.zeros((scenes, rows), jnp.int32)
  valid = jnp.arange(rows).reshape(1, -1) < samples.counts.reshape(-1, 1)
  return patches.gather(pixels, scene, samples.centres, upright, network.patch), valid
