"""The networks of a run, from its settings and the channels and classes of its scenes."""

import dataclasses
from collections.abc import Iterable

from mtl_hsi.channels.inputs import Inputs
from mtl_hsi.models.multitask import Network
from mtl_hsi.models.registry import make_network
from mtl_hsi.scenes.legend import Legend
from mtl_hsi.settings.mixture_settings import MixtureSettings
from mtl_hsi.settings.model_settings import ModelSettings


def make_networks(
  model: ModelSettings, mixture: MixtureSettings, inputs: Iterable[Inputs], legend: Legend
) -> tuple[Network, Network | None]:
  """Returns the network, and the one of smaller patches that is mixed with it, or None.

  The second one reads only the bands, and has as many blocks as its patches allow.

  Args:
    model: settings of the network.
    mixture: settings of the mixture.
    inputs: of all scenes, with equal numbers of channels.
    legend: classes of all scenes.

  Raises:
    RequestError: the network cannot be built.
  """
  inputs, options = list(inputs), dataclasses.asdict(model)
  options["class_counts"] = [len(classes) for classes in legend.scenes.values()]
  options["shared_outputs"] = legend.outputs()
  network = make_network(bands=inputs[0].channels, **options)
  if not mixture.local_patch:
    return network, None
  options |= {"patch": mixture.local_patch, "blocks": mixture.local_patch // 2}
  bands = max(of_scene.spectral_channels for of_scene in inputs)
  return network, make_network(bands=bands, **options)
