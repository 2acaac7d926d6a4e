"""Input channels: the bands of an image are chosen, scaled and, for some configs, combined linearly.

A run saves these numbers in `scenes.json`, so a new image is processed like the scene in training, without
another fit.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from mtl_hsi.channels.scaling import Scaling

_MATRICES = ("weights", "components", "ranges")
# Pixels combined at once: their bands stay in a core's cache, which is five times as fast as larger blocks.
_CACHED = 1024


@dataclasses.dataclass(frozen=True, eq=False)
class Inputs:
  """The map from an image's pixels to the input channels of a network.

  Attributes:
    bands: number of bands that an image must have.
    chosen: indices of the bands to use, in their order, int `[b]`.
    scaling: of the bands in use, `[b]` each.
    weights: weights of the scaled bands in every input channel, float32 `[b, B]`, or None: every band is a
      channel.
    components: weights of these channels in every MNF component, float32 `[B, k]` (see `mnf.components`), or
      None: no MNF components are added as channels.
    empty: number of channels of zeros, the last ones.
    contrast: typical difference of neighbouring pixels (`smoothing.contrast`); None without smoothing.
    ranges: low end, median and high end of every channel in the scene, float32 `[3, B]` (see
      `ranges.channel_ranges`); None if unknown.
  """

  bands: int
  chosen: np.ndarray
  scaling: Scaling
  weights: np.ndarray | None
  components: np.ndarray | None = None
  empty: int = 0
  contrast: float | None = None
  ranges: np.ndarray | None = None

  @property
  def spectral_channels(self) -> int:
    """Number of channels that are bands; MNF components and empty channels follow them."""
    return len(self.chosen) if self.weights is None else self.weights.shape[1]

  @property
  def channels(self) -> int:
    """Number of input channels of the network."""
    return self.spectral_channels + (0 if self.components is None else self.components.shape[1]) + self.empty

  def reversed(self) -> "Inputs":
    """Returns inputs with the channels in reverse order (the letter's INVERSE columns), before MNF."""
    if self.weights is not None:
      return dataclasses.replace(self, weights=self.weights[:, ::-1])
    scaling = Scaling(*(numbers[::-1] for numbers in self.scaling))
    return dataclasses.replace(self, chosen=self.chosen[::-1], scaling=scaling)

  def __call__(self, values: np.ndarray, nodata: np.ndarray | None) -> np.ndarray:
    """Computes the input channels of a block of pixels; a pixel's result does not depend on the block.

    Args:
      values: values of the image `[..., bands]`.
      nodata: True for pixels that become 0, bool `[...]`, or None.

    Returns:
      float32 `[..., B]`.
    """
    offset, scale = (numbers.astype(np.float32) for numbers in self.scaling)
    scaled = (values[..., self.chosen].astype(np.float32) - offset) / scale
    if self.weights is not None:
      scaled = _combined(scaled, self.weights)
    if nodata is not None:
      scaled[nodata] = 0
    if self.components is not None:
      scaled = np.concatenate([scaled, _combined(scaled, self.components)], axis=-1)
    if self.empty:
      scaled = np.pad(scaled, [(0, 0)] * (scaled.ndim - 1) + [(0, self.empty)])
    return scaled


def _combined(values, weights):
  """Combines the bands of every pixel linearly, `[..., b]` to `[..., B]`."""
  from scipy import sparse

  # Sparse products add up a pixel's bands in the same order for any number of pixels; BLAS does not.
  matrix, pixels = sparse.csr_array(weights.T), values.reshape(-1, len(weights))
  combined = np.empty((len(pixels), weights.shape[1]), np.float32)
  for start in range(0, len(pixels), _CACHED):
    block = slice(start, start + _CACHED)
    combined[block] = (matrix @ pixels[block].T).T
  return combined.reshape(*values.shape[:-1], -1)


def make_inputs(bands: int, chosen: np.ndarray, scaling: Scaling, weights: np.ndarray | None) -> Inputs:
  """Builds inputs; bands whose weights are all 0 are not read.

  Args:
    bands: number of bands of the image.
    chosen: indices of the bands to use, int `[b]`.
    scaling: of all bands of the image, `[bands]` each.
    weights: weights of the chosen bands in every channel, `[b, B]`, or None.
  """
  if weights is not None:
    used = weights.any(axis=1)
    chosen, weights = chosen[used], weights[used]
  return Inputs(bands, chosen, Scaling(*(numbers[chosen] for numbers in scaling)), weights)


def entry(inputs: Inputs) -> dict[str, Any]:
  """Returns the part of a scene's entry in `scenes.json` that `read_inputs` needs in addition to `shape`."""
  written = {
    "bands": inputs.chosen.tolist(),
    "offset": inputs.scaling.offset.tolist(),
    "scale": inputs.scaling.scale.tolist(),
  }
  for key in _MATRICES:
    if getattr(inputs, key) is not None:
      written[key] = getattr(inputs, key).tolist()
  if inputs.empty:
    written["empty"] = inputs.empty
  if inputs.contrast is not None:
    written["contrast"] = inputs.contrast
  return written


def read_inputs(entry: Mapping[str, Any]) -> Inputs:
  """Restores a scene's inputs from its entry in `scenes.json`, bit for bit."""
  matrices = {key: entry.get(key) for key in _MATRICES}
  return Inputs(
    bands=entry["shape"][2],
    chosen=np.array(entry["bands"], np.int32),
    scaling=Scaling(np.array(entry["offset"], np.float64), np.array(entry["scale"], np.float64)),
    **{key: None if rows is None else np.array(rows, np.float32) for key, rows in matrices.items()},
    empty=entry.get("empty", 0),
    contrast=entry.get("contrast"),
  )
