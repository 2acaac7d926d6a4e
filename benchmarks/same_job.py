"""Checks that all sides do the same job, so that their times can be compared."""

import dataclasses
from pathlib import Path
from typing import Protocol

import numpy as np

from mtl_hsi.errors import RequestError

Weights = dict[str, np.ndarray]
"""Arrays by our names, such as "stem/conv/kernel" `[O, k, k, D]` and "heads/0/kernel" `[D, C]`."""

# Largest share of the pixels of a scene whose class may change because of rounding.
_TIES = 1e-3
# Relative and absolute tolerance. An update changes a parameter by about 1e-3.
_TOLERANCE = {"cpu": (1e-4, 5e-5), "gpu": (1e-3, 2e-4)}


@dataclasses.dataclass(frozen=True)
class Reference:
  """Results of a random network of ours on one batch.

  Attributes:
    patches: `[T, N, P, P, B]`.
    classes: class indices `[T, N]`.
    logits: logits in inference of every scene, `[N, C]`.
    loss: training loss before the update.
    weights: weights of the network.
    updated: weights after one update without dropout.
  """

  patches: np.ndarray
  classes: np.ndarray
  logits: list[np.ndarray]
  loss: float
  weights: Weights
  updated: Weights


class Peer(Protocol):
  """A network of another side with the weights of a `Reference`."""

  def logits(self, patches: np.ndarray) -> list[np.ndarray]:
    """Returns the logits in inference `[N, C]` of every scene, from patches `[T, N, P, P, B]`."""

  def step(self, patches: np.ndarray, classes: np.ndarray) -> float:
    """Updates on one batch without dropout; returns the loss before the update."""

  def weights(self) -> Weights:
    """Returns all weights."""


def save(reference: Reference, path: Path) -> None:
  """Writes the reference as an uncompressed `.npz`."""
  np.savez(
    path,
    patches=reference.patches,
    classes=reference.classes,
    loss=reference.loss,
    **{f"logits/{scene}": logits for scene, logits in enumerate(reference.logits)},
    **{f"weights/{name}": x for name, x in reference.weights.items()},
    **{f"updated/{name}": x for name, x in reference.updated.items()},
  )


def load(path: Path) -> Reference:
  """Reads a reference that `save` wrote."""
  with np.load(path) as stored:

    def under(prefix):
      return {name[len(prefix) :]: stored[name] for name in stored.files if name.startswith(prefix)}

    logits = under("logits/")
    return Reference(
      patches=stored["patches"],
      classes=stored["classes"],
      logits=[logits[str(scene)] for scene in range(len(logits))],
      loss=float(stored["loss"]),
      weights=under("weights/"),
      updated=under("updated/"),
    )


def check(peer: Peer, reference: Reference, who: str, device: str) -> None:
  """Checks on one batch that logits in inference, and loss and parameters after an update, are equal.

  Moving statistics are excluded: training does not read them, and each library updates them differently.

  Args:
    peer: a network with the weights of the reference.
    reference: our results.
    who: name of the side, for errors.
    device: "cpu" or "gpu", which determines the tolerance.

  Raises:
    RequestError: they differ beyond rounding.
  """

  def compare(actual, expected, what):
    relative, absolute = _TOLERANCE[device]
    difference = np.abs(np.asarray(actual) - expected)
    if not (difference <= absolute + relative * np.abs(expected)).all():
      raise RequestError(
        f"{who}: {what} differ from ours by up to {np.max(difference):.2g}: not the same job"
      )

  for scene, logits in enumerate(peer.logits(reference.patches)):
    compare(logits, reference.logits[scene], f"logits of scene {scene}")
  compare(peer.step(reference.patches, reference.classes), reference.loss, "losses")
  updated = peer.weights()
  for name, expected in reference.updated.items():
    if not name.endswith(("/mean", "/var")):
      compare(updated[name], expected, f"{name} after an update")


def check_labels(ours: np.ndarray, peer: np.ndarray, who: str) -> str:
  """Checks that the labels of all pixels are equal, except for near-ties.

  Returns:
    Text with the number of labels that differ.

  Raises:
    RequestError: more than one pixel in a thousand differs.
  """
  different = int(np.sum(ours != peer))
  text = f"{who}: {different} of {peer.size} labels differ from ours"
  if different > _TIES * peer.size:
    raise RequestError(f"{text}: not the same job")
  return text
