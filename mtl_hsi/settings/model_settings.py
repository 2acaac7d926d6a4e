"""Settings of the model: a network, or an SVM."""

import dataclasses
import importlib.util
from typing import Any

from mtl_hsi.errors import RequestError
from mtl_hsi.models import convolution, registry
from mtl_hsi.models.backbone import ModelOptions
from mtl_hsi.settings.config_checks import one_of, require
from mtl_hsi.training import svm_baseline

SVM = "svm"


@dataclasses.dataclass(frozen=True)
class ModelSettings:
  """Arguments of `models.registry.make_network` that a config sets; the name `SVM` stands for no network."""

  name: str
  spectral_knowledge: bool
  norm_per_scene: bool
  blocks: int
  pool: bool
  glorot: bool
  convolution: str
  patch: int | None
  width: int | None


def read(config: Any) -> ModelSettings:
  """Reads and checks the model.

  Raises:
    RequestError: names the key, its value and what was expected.
  """
  model = config.model
  options = ModelOptions(model.blocks, model.pool, model.patch, model.width)
  if one_of((*registry.MODELS, SVM), "model.name", model.name) == SVM:
    _check_svm(config)
    options.refuse_unused(SVM)
  else:
    registry.check_options(model.name, options)
  return ModelSettings(
    name=model.name,
    spectral_knowledge=config.spectral_knowledge,
    norm_per_scene=one_of(("per_scene", "joint"), "model.norm", model.norm) == "per_scene",
    blocks=model.blocks,
    pool=model.pool,
    glorot=one_of(("normal", "glorot"), "model.init", model.init) == "glorot",
    convolution=_convolution(config),
    patch=model.patch,
    width=model.width,
  )


def _convolution(config):
  name = one_of(tuple(convolution.FORMS), "model.convolution", config.model.convolution)
  require(
    name == "products" or config.precision != "bfloat16",
    "model.convolution",
    name,
    "'products' with precision='bfloat16'",
  )
  return name


def _check_svm(config):
  if importlib.util.find_spec("sklearn") is None:
    raise RequestError("model.name=svm needs scikit-learn: pip install 'mtl_hsi[svm]'")
  drawn, number = config.split in ("random", "blocks", "folds"), config.samples_per_class
  require(
    # 0 trains on all given pixels, which are counted once they are read.
    not drawn or number == 0 or number >= svm_baseline.FOLDS,
    "samples_per_class",
    number,
    f"{svm_baseline.FOLDS} or more with svm, which is cross-validated in as many parts",
  )
