"""From the pixels of an image to what a network reads: bands chosen, scaled and, where asked, mixed.

A run keeps these numbers in `scenes.json`, so that a new image is treated as the
scene was in training; nothing is fitted again.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import sparse

from mtl_hsi.channels.scaling import Scaling

_MIXING = ("weights", "components")
# Pixels mixed at once, whose bands stay in a core's cache; five times as fast as a hundred times as many.
_CACHED = 1024


@dataclasses.dataclass(frozen=True, eq=False)
class Inputs:
  """What becomes of an image's pixels on their way into a network.

  Attributes:
    bands: bands that an image must have.
    chosen: the bands that are read, in their order, int `[b]`.
    scaling: of the bands that are read, `[b]` each.
    weights: of the bands that are read in every input channel, float32 `[b, B]`, applied after scaling;
      None where every band that is read is a channel.
    components: of these channels in every further one, float32 `[B, k]` (see `mnf.components`); None: there
      are no further ones.
    empty: channels of zeros behind the others.
    contrast: between neighbouring pixels of the scene (`smoothing.contrast`); None without smoothing.
  """

  bands: int
  chosen: np.ndarray
  scaling: Scaling
  weights: np.ndarray | None
  components: np.ndarray | None = None
  empty: int = 0
  contrast: float | None = None

  @property
  def channels(self) -> int:
    """Input channels of the network."""
    own = len(self.chosen) if self.weights is None else self.weights.shape[1]
    return own + (0 if self.components is None else self.components.shape[1]) + self.empty

  def reversed(self) -> "Inputs":
    """The same in the opposite order (the paper's INVERSE columns), before more channels join the bands."""
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
      scaled = _mixed(scaled, self.weights)
    if nodata is not None:
      scaled[nodata] = 0
    if self.components is not None:
      scaled = np.concatenate([scaled, _mixed(scaled, self.components)], axis=-1)
    if self.empty:
      scaled = np.pad(scaled, [(0, 0)] * (scaled.ndim - 1) + [(0, self.empty)])
    return scaled


def _mixed(values, weights):
  """Sparse products add up a pixel's bands in one order, whatever the number of pixels; BLAS does not."""
  matrix, pixels = sparse.csr_array(weights.T), values.reshape(-1, len(weights))
  mixed = np.empty((len(pixels), weights.shape[1]), np.float32)
  for start in range(0, len(pixels), _CACHED):
    block = slice(start, start + _CACHED)
    mixed[block] = (matrix @ pixels[block].T).T
  return mixed.reshape(*values.shape[:-1], -1)


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
  for key in _MIXING:
    if getattr(inputs, key) is not None:
      written[key] = getattr(inputs, key).tolist()
  if inputs.empty:
    written["empty"] = inputs.empty
  if inputs.contrast is not None:
    written["contrast"] = inputs.contrast
  return written


def read_inputs(entry: Mapping[str, Any]) -> Inputs:
  """Restores what was done to a scene's pixels from its entry in `scenes.json`, to the bit."""
  mixing = {key: entry.get(key) for key in _MIXING}
  return Inputs(
    bands=entry["shape"][2],
    chosen=np.array(entry["bands"], np.int32),
    scaling=Scaling(np.array(entry["offset"], np.float64), np.array(entry["scale"], np.float64)),
    **{key: None if rows is None else np.array(rows, np.float32) for key, rows in mixing.items()},
    empty=entry.get("empty", 0),
    contrast=entry.get("contrast"),
  )
