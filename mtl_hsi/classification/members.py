"""The members of a mixture on a region of a scene: the networks and, if there is one, the regression.

The weights of all members are one tree: "params" and "stats" of the network; if there are such members,
"local" with those of the network of smaller patches, and "mixture" with those of the regression.
"""

from collections.abc import Iterator

from jax import Array

from mtl_hsi.classification.logits import Logits
from mtl_hsi.classification.mixture import regression_logits
from mtl_hsi.models.multitask import Network


def network_logits(
  networks: tuple[Network, ...], logits: Logits, weights: dict, cube: Array, scene: Array
) -> Iterator[Array]:
  """Yields the logits `[H, W, C]` of each network.

  Args:
    networks: the network and, if there is one, that of smaller patches.
    logits: dense or by patches.
    weights: of all members.
    cube: channels `[H + P - 1, W + P - 1, B]`, padded for the first network.
    scene: index of the scene.
  """
  trees = (weights, weights.get("local"))
  for network, tree in zip(networks, trees, strict=False):
    yield logits(network, tree["params"], tree["stats"], cut(cube, networks[0].patch, network.patch), scene)


def cut(cube: Array, padded_for: int, patch: int) -> Array:
  """Returns a region padded for patches of a smaller side; a side of 1 leaves the pixels themselves."""
  margin = (padded_for - patch) // 2
  return cube[margin : cube.shape[0] - margin, margin : cube.shape[1] - margin]


def expert_logits(experts: dict, channels: Array) -> list[Array]:
  """Returns the logits `[H, W, C]` of the regression, if there is one, in a list."""
  return [regression_logits(experts, channels)] if "kernel" in experts else []
