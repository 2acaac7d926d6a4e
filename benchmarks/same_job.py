"""Checks that all sides do the same job, without which no time means anything."""

import dataclasses
from pathlib import Path
from typing import Protocol

import numpy as np

from mtl_hsi.errors import RequestError

Weights = dict[str, np.ndarray]
"""Our names to arrays, such as "stem/conv/kernel" `[O, k, k, D]` and "heads/0/kernel" `[D, C]`."""

# Of a scene's pixels, two rounding errors may tip as many into another class.
_TIES = 1e-3
# Relative and absolute. An update moves a parameter by some 1e-3.
_TOLERANCE = {"cpu": (1e-4, 5e-5), "gpu": (1e-3, 2e-4)}


@dataclasses.dataclass(frozen=True)
class Reference:
  """A random network of ours on one batch.

  Attributes:
    patches: `[T, N, P, P, B]`.
    classes: class indices `[T, N]`.
    logits: in use, of every scene `[N, C]`.
    loss: in training, before the update.
    weights: of the network.
    updated: after one update without dropout.
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
    """In use, of every scene `[N, C]`, of patches `[T, N, P, P, B]`."""

  def step(self, patches: np.ndarray, classes: np.ndarray) -> float:
    """Updates by one batch, without dropout; returns the loss before it."""

  def weights(self) -> Weights:
    """All there are."""


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
  """Reads what `save` wrote."""
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
  """Same logits in use, and same loss and parameters after an update, on one batch.

  Moving statistics are left out: training does not read them, and each library
  moves them in its own way.

  Args:
    peer: with the reference's weights.
    reference: ours.
    who: for errors.
    device: "cpu" or "gpu", whose precision counts.

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
  """Same label for every pixel but near-ties.

  Returns:
    How many differ, in words.

  Raises:
    RequestError: more than one pixel in a thousand differs.
  """
  different = int(np.sum(ours != peer))
  text = f"{who}: {different} of {peer.size} labels differ from ours"
  if different > _TIES * peer.size:
    raise RequestError(f"{text}: not the same job")
  return text
