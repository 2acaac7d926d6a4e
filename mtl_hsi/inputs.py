"""From the pixels of an image to what a network reads: bands chosen, scaled and, where asked, resampled.

A run keeps these numbers in `scenes.json`, so that a new image is treated as the
scene was in training; nothing is fitted again.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import sparse

from mtl_hsi.scaling import Scaling


@dataclasses.dataclass(frozen=True, eq=False)
class Inputs:
  """What becomes of an image's pixels on their way into a network.

  Attributes:
    bands: bands that an image must have.
    chosen: the bands that are read, in their order, int `[b]`.
    scaling: of the bands that are read, `[b]` each.
    weights: of the bands that are read in every input channel, float32 `[b, B]`, applied after scaling;
      None where every band that is read is a channel.
    empty: channels of zeros behind the others.
    contrast: between neighbouring pixels of the scene (`smoothing.contrast`); None without smoothing.
  """

  bands: int
  chosen: np.ndarray
  scaling: Scaling
  weights: np.ndarray | None
  empty: int = 0
  contrast: float | None = None

  @property
  def channels(self) -> int:
    """Input channels B of the network."""
    return self.empty + (len(self.chosen) if self.weights is None else self.weights.shape[1])

  def reversed(self) -> "Inputs":
    """The same with the channels in the opposite order (the paper's INVERSE columns)."""
    if self.weights is not None:
      return dataclasses.replace(self, weights=self.weights[:, ::-1])
    scaling = Scaling(*(numbers[::-1] for numbers in self.scaling))
    return dataclasses.replace(self, chosen=self.chosen[::-1], scaling=scaling)

  def __call__(self, values: np.ndarray, nodata: np.ndarray | None) -> np.ndarray:
    """What a network reads of a block of pixels; a pixel's result does not depend on the block around it.

    Args:
      values: of the image `[..., bands]`.
      nodata: pixels that become 0, bool `[...]`, or None.

    Returns:
      float32 `[..., B]`.
    """
    offset, scale = (numbers.astype(np.float32) for numbers in self.scaling)
    scaled = (values[..., self.chosen].astype(np.float32) - offset) / scale
    if self.weights is not None:
      # Sparse products add up a pixel's bands in one order, whatever the number of pixels; BLAS does not.
      mixed = sparse.csr_array(self.weights.T) @ scaled.reshape(-1, len(self.chosen)).T
      scaled = np.ascontiguousarray(mixed.T).reshape(*scaled.shape[:-1], -1)
    if nodata is not None:
      scaled[nodata] = 0
    if self.empty:
      scaled = np.pad(scaled, [(0, 0)] * (scaled.ndim - 1) + [(0, self.empty)])
    return scaled


def make_inputs(bands: int, chosen: np.ndarray, scaling: Scaling, weights: np.ndarray | None) -> Inputs:
  """From the scaling of all bands of an image and the weights `[b, B]` of those chosen.

  Bands that weigh nothing are not read.
  """
  if weights is not None:
    used = weights.any(axis=1)
    chosen, weights = chosen[used], weights[used]
  return Inputs(bands, chosen, Scaling(*(numbers[chosen] for numbers in scaling)), weights)


def entry(inputs: Inputs) -> dict[str, Any]:
  """The part of a scene's entry in `scenes.json` that `read_inputs` needs, beside `shape`."""
  written = {
    "bands": inputs.chosen.tolist(),
    "offset": inputs.scaling.offset.tolist(),
    "scale": inputs.scaling.scale.tolist(),
  }
  if inputs.weights is not None:
    written["weights"] = inputs.weights.tolist()
  if inputs.empty:
    written["empty"] = inputs.empty
  if inputs.contrast is not None:
    written["contrast"] = inputs.contrast
  return written


def read_inputs(entry: Mapping[str, Any]) -> Inputs:
  """Restores what was done to a scene's pixels from its entry in `scenes.json`, to the bit."""
  weights = entry.get("weights")
  return Inputs(
    bands=entry["shape"][2],
    chosen=np.array(entry["bands"], np.int32),
    scaling=Scaling(np.array(entry["offset"], np.float64), np.array(entry["scale"], np.float64)),
    weights=None if weights is None else np.array(weights, np.float32),
    empty=entry.get("empty", 0),
    contrast=entry.get("contrast"),
  )
