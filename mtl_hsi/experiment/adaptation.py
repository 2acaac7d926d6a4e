"""Initial networks for new scenes, from those of a finished run."""

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
  """Refuses a network that cannot start from the run.

  Raises:
    RequestError: the run has fewer replicas, or its stem reads another number of bands.
  """
  if replicas > trained.voters:
    raise RequestError(
      f"replicas={replicas}, but the run in {trained.path} has only {trained.voters}; set "
      f"--config.replicas={trained.voters} or less"
    )
  have, wanted = network.stem.bands, trained.network.stem.bands
  if not new_stem and have != wanted:
    raise RequestError(
      f"the new scenes have {have} bands, but the first layer of the run in {trained.path} reads "
      f"{wanted}; select that number with a band range, or train another first layer with --config.stem=new"
    )


def start(
  trained: TrainedRun,
  network: Network,
  replicas: Replicas,
  samples: TrainingSet,
  pixels: patches.Pixels,
  *,
  seed: int,
  streams: np.ndarray,
  new_stem: bool,
  local: bool = False,
  known_outputs: np.ndarray | None = None,
) -> dict:
  """Returns {"params", "stats"} of R networks for new scenes, leading axis R, in numpy.

  The backbone and, unless it is new, the stem are those of the run's last snapshot;
  the heads are new, except for the outputs of classes that a shared legend of the run
  has too. Batch normalisation statistics that are kept per scene are those of the
  scene's training pixels, because a frozen backbone does not move them. With a new
  stem, whose output the backbone does not know yet, and with joint statistics, they
  are the mean over the run's scenes.

  Args:
    trained: the finished run.
    network: the network of the new scenes.
    replicas: R.
    samples: training pixels of all replicas, leading axis R.
    pixels: the new scenes.
    seed: seed of replica 0, for heads and a new stem.
    streams: replica and stream of every network, see `Replicas.keys`; replica r starts from that of the run.
    new_stem: whether the stem is new.
    local: whether these are the networks of smaller patches.
    known_outputs: for every output of a shared head, that of the run's shared head for the same class, int32
      `[C]`, -1 for a new class; None: the heads are new.

  Raises:
    RequestError: a snapshot is missing or damaged.
  """
  last = trained.networks(trained.snapshot_epochs[-1])
  last = last["local"] if local else {key: last[key] for key in ("params", "stats")}
  known = jax.tree.map(lambda x: np.asarray(x)[streams[:, 0]], last)
  # A new stem feeds the backbone with other values, so the run's head does not fit.
  kept = None if new_stem else known_outputs
  begin = replicas.spread(functools.partial(_start, network, new_stem, kept), 3)
  return replicas.get(
    begin(replicas.keys(seed, streams), replicas.put(known), replicas.put(samples), replicas.share(pixels))
  )


def _start(
  network: Network,
  new_stem: bool,
  kept: np.ndarray | None,
  key: Array,
  known: dict,
  samples: TrainingSet,
  pixels: patches.Pixels,
) -> Any:
  """Returns the network of one replica."""
  params, stats = network.init(key)
  params["backbone"] = known["params"]["backbone"]
  if kept is not None:
    params["heads"] = jax.tree.map(
      lambda new, old: jnp.where(kept.reshape((1,) * (new.ndim - 1) + (-1,)) < 0, new, old[..., kept]),
      params["heads"],
      known["params"]["heads"],
    )
  if new_stem or not network.norm_per_scene:
    mean = jax.tree.map(lambda rows: jnp.mean(rows, axis=0, keepdims=True), known["stats"])
    stats = jax.tree.map(lambda new, rows: jnp.broadcast_to(rows, new.shape), stats, mean)
  if not new_stem:
    params["stem"] = known["params"]["stem"]
    if network.norm_per_scene:
      stats = network.batch_statistics(params, stats, *_patches(network, samples, pixels))
  return {"params": params, "stats": stats}


def _patches(network, samples, pixels):
  """Returns the patches of all training pixels `[T, N, P, P, B]`, and which are valid `[T, N]`."""
  scenes, rows = samples.classes.shape
  scene = jnp.broadcast_to(jnp.arange(scenes).reshape(-1, 1), (scenes, rows))
  upright = jnp.zeros((scenes, rows), jnp.int32)
  valid = jnp.arange(rows).reshape(1, -1) < samples.counts.reshape(-1, 1)
  return patches.gather(pixels, scene, samples.centres, upright, network.patch), valid
