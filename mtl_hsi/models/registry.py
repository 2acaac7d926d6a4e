"""The registry of models: `MODELS` maps the values of `model.name` to modules.

To add a model, write a module with the functions `check` and `build` (see `backbone.Model`) and add it here.
"""

from collections.abc import Sequence

from mtl_hsi.errors import RequestError
from mtl_hsi.models import ccnn, hresnet, vresnet
from mtl_hsi.models.backbone import Layout, Model, ModelOptions
from mtl_hsi.models.convolution import FORMS
from mtl_hsi.models.multitask import Network

# Every block is built in Python before the size of a network is known.
_MOST_BLOCKS = 1000

MODELS: dict[str, Model] = {"hresnet": hresnet, "ccnn": ccnn, "vresnet": vresnet}


def make_network(
  name: str,
  *,
  bands: int,
  class_counts: Sequence[int],
  spectral_knowledge: bool,
  norm_per_scene: bool,
  blocks: int,
  pool: bool,
  glorot: bool,
  convolution: str,
  patch: int | None = None,
  width: int | None = None,
  shared_outputs: Sequence[Sequence[int]] | None = None,
) -> Network:
  """Builds a network by name.

  Args:
    name: a key of `MODELS`.
    bands: input channels B, equal for all scenes.
    class_counts: number of classes of every scene.
    spectral_knowledge: whether all scenes share the first layer.
    norm_per_scene: whether batch statistics are kept per scene instead of jointly.
    blocks: see `backbone.ModelOptions`.
    pool: see `backbone.ModelOptions`.
    glorot: whether kernels start by Glorot and Bengio's rule instead of from N(0, 0.01).
    convolution: a key of `convolution.FORMS`.
    patch: see `backbone.ModelOptions`.
    width: see `backbone.ModelOptions`.
    shared_outputs: see `Network`.

  Raises:
    RequestError: the name is unknown, or the model cannot be built with these options.
  """
  options = ModelOptions(blocks, pool, patch, width)
  check_options(name, options)
  parts = MODELS[name].build(options, Layout(bands, len(class_counts), norm_per_scene, FORMS[convolution]))
  outputs = shared_outputs and tuple(map(tuple, shared_outputs))
  return Network(*parts, tuple(class_counts), spectral_knowledge, glorot, outputs)


def check_options(name: str, options: ModelOptions) -> None:
  """Checks the name of a model and its options.

  Raises:
    RequestError: the name is unknown, or the model cannot be built with these options.
  """
  if name not in MODELS:
    raise RequestError(f"model.name is {name!r}; expected one of {', '.join(MODELS)}")
  if options.blocks > _MOST_BLOCKS:
    raise RequestError(f"model.blocks is {options.blocks}; expected at most {_MOST_BLOCKS}")
  MODELS[name].check(options)
