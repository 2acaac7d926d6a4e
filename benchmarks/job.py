"""What all sides do, and the file by which they are told.

numpy only: the sides live in processes of their own and share no library but this.
"""

import dataclasses
import json
import os
from pathlib import Path
from typing import NamedTuple

import numpy as np

NETWORKS = ("hresnet", "ccnn")


class Work(NamedTuple):
  """A thing to time.

  Attributes:
    kind: "train", "classify" or "matmul".
    network: one of `NETWORKS`.
    scenes: trained together.
    replicas: networks.
  """

  kind: str
  network: str = "hresnet"
  scenes: int = 1
  replicas: int = 1

  @property
  def what(self) -> str:
    """The name of its row, such as "train/hresnet/scenes=4/replicas=10"."""
    if self.kind == "matmul":
      return "matmul"
    if self.kind == "classify":
      network = "" if self.network == "hresnet" else f"/{self.network}"
      return f"classify/indian_pines{network}{'/replicas=1' if self.replicas == 1 else ''}"
    scenes = f"scenes={self.scenes}/" if self.scenes > 1 else ""
    return f"train/{self.network}/{scenes}replicas={self.replicas}"


MATMUL, MATMUL_SIZE = Work("matmul"), 2048
MANY = 10


class Samples(NamedTuple):
  """A training set cut out.

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
    batch_size: N, of every scene.
    class_counts: of every scene.
    learning_rates: of both phases.
    epochs: of both phases, without those of the snapshots.
    snapshot_epochs: between two snapshots, and from the end of the last phase to the first of them.
    snapshots: how many networks vote.
    rho: of Adadelta.
    epsilon: of Adadelta.
    flop_per_epoch: floating-point operations that the convolutions need in an epoch of one network.
    padded: every scene and its margin, float32 `[H + P - 1, W + P - 1, B]`.
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
    """Bands B."""
    return self.padded[0].shape[2]

  @property
  def replicas(self) -> int:
    """Replicas R."""
    return len(self.centres[0])

  def samples(self, replica: int) -> list[Samples]:
    """The training set of one replica, cut out of every scene."""
    return [
      Samples(cut(padded, centres[replica], self.patch), np.tile(classes[replica], 4))
      for padded, centres, classes in zip(self.padded, self.centres, self.classes, strict=True)
    ]


def cut(padded: np.ndarray, centres: np.ndarray, patch: int) -> np.ndarray:
  """Patches `[4 * M, P, P, B]` around pixels `[M, 2]`: rows mirrored, columns mirrored, both, neither."""
  one = np.ascontiguousarray(windows(padded, patch)[centres[:, 0], centres[:, 1]])
  return np.concatenate([one[:, ::-1], one[:, :, ::-1], one[:, ::-1, ::-1], one])


def windows(padded: np.ndarray, patch: int) -> np.ndarray:
  """The patch of every pixel `[H, W, P, P, B]`, a view."""
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
  """Reads what `save` wrote."""
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
  """Cores this process may run on; as in `mtl_hsi.runtime.devices`, which imports JAX."""
  if hasattr(os, "sched_getaffinity"):
    return len(os.sched_getaffinity(0))
  return os.cpu_count() or 1
