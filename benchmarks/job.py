"""The job of all sides, and the file from which they read it.

This module imports only numpy, the one library that the separate processes of the sides share.
"""

import dataclasses
import json
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

NETWORKS = ("hresnet", "ccnn")


class Work(NamedTuple):
  """One measurement.

  Attributes:
    kind: "train", "classify", "matmul", or a method of `default_sides` for a row of the default.
    network: one of `NETWORKS`.
    scenes: number of scenes trained together.
    replicas: number of networks.
  """

  kind: str
  network: str = "hresnet"
  scenes: int = 1
  replicas: int = 1

  @property
  def what(self) -> str:
    """The name of the row in the results, such as "train/hresnet/scenes=4/replicas=10"."""
    if self.kind == "matmul":
      return "matmul"
    if self.kind.startswith("default_"):
      networks = f"/networks={self.replicas}" if self.kind == "default_train" else ""
      return self.kind.replace("_", "/") + networks
    if self.kind == "classify":
      network = "" if self.network == "hresnet" else f"/{self.network}"
      return f"classify/indian_pines{network}{'/replicas=1' if self.replicas == 1 else ''}"
    scenes = f"scenes={self.scenes}/" if self.scenes > 1 else ""
    return f"train/{self.network}/{scenes}replicas={self.replicas}"


MATMUL, MATMUL_SIZE = Work("matmul"), 2048
MANY = 10


class Samples(NamedTuple):
  """The patches and classes of a training set.

  Attributes:
    patches: all mirror images, float32 `[M, P, P, B]`.
    classes: class indices, int32 `[M]`.
  """

  patches: np.ndarray
  classes: np.ndarray


@dataclasses.dataclass(frozen=True)
class Job:
  """A network, its scenes and the training pixels of its replicas.

  Attributes:
    network: one of `NETWORKS`.
    patch: side P.
    batch_size: samples N of every scene.
    class_counts: number of classes of every scene.
    learning_rates: those of both phases.
    epochs: those of both phases, without the epochs of the snapshots.
    snapshot_epochs: epochs between snapshots, and between the end of the last phase and the first snapshot.
    snapshots: number of snapshots that vote.
    rho: parameter of Adadelta.
    epsilon: parameter of Adadelta.
    flop_per_epoch: floating-point operations that the convolutions need in an epoch of one network.
    padded: every scene with its margin, float32 `[H + P - 1, W + P - 1, B]`.
    centres: training pixels of every scene, int32 `[R, M, 2]`.
    classes: their class indices, int32 `[R, M]`.
  """

  network: str
  patch: int
  batch_size: int
  class_counts: tuple[int, ...]
  learning_rates: tuple[float, float]
  epochs: tuple[int, int]
  snapshot_epochs: int
  snapshots: int
  rho: float
  epsilon: float
  flop_per_epoch: int
  padded: list[np.ndarray]
  centres: list[np.ndarray]
  classes: list[np.ndarray]

  @property
  def bands(self) -> int:
    """Number of bands B."""
    return self.padded[0].shape[2]

  @property
  def replicas(self) -> int:
    """Number of replicas R."""
    return len(self.centres[0])

  def samples(self, replica: int) -> list[Samples]:
    """Returns the training set of one replica for every scene."""
    return [
      Samples(cut(padded, centres[replica], self.patch), np.tile(classes[replica], 4))
      for padded, centres, classes in zip(self.padded, self.centres, self.classes, strict=True)
    ]


def cut(padded: np.ndarray, centres: np.ndarray, patch: int) -> np.ndarray:
  """Returns patches `[4 * M, P, P, B]` around pixels `[M, 2]`: mirrored rows, columns, both, neither."""
  one = np.ascontiguousarray(windows(padded, patch)[centres[:, 0], centres[:, 1]])
  return np.concatenate([one[:, ::-1], one[:, :, ::-1], one[:, ::-1, ::-1], one])


def windows(padded: np.ndarray, patch: int) -> np.ndarray:
  """Returns a view of the patches of all pixels, `[H, W, P, P, B]`."""
  views = np.lib.stride_tricks.sliding_window_view(padded, (patch, patch), axis=(0, 1))
  return views.transpose(0, 1, 3, 4, 2)


def save(job: Job, path: Path) -> None:
  """Writes the job as an uncompressed `.npz`."""
  facts = {field.name: getattr(job, field.name) for field in dataclasses.fields(job)}
  arrays = {
    f"{name}/{scene}": array
    for name in ("padded", "centres", "classes")
    for scene, array in enumerate(facts.pop(name))
  }
  np.savez(path, facts=json.dumps(facts), **arrays)


def load(path: Path) -> Job:
  """Reads a job that `save` wrote."""
  with np.load(path) as stored:
    facts = json.loads(str(stored["facts"]))
    scenes = range(len(facts["class_counts"]))
    arrays = {
      name: [stored[f"{name}/{scene}"] for scene in scenes] for name in ("padded", "centres", "classes")
    }
  for name in ("class_counts", "learning_rates", "epochs"):
    facts[name] = tuple(facts[name])
  return Job(**facts, **arrays)


def usable_cores() -> int:
  """Returns the number of usable cores, as `mtl_hsi.runtime.devices` does, which imports JAX."""
  if hasattr(os, "sched_getaffinity"):
    return len(os.sched_getaffinity(0))
  return os.cpu_count() or 1
