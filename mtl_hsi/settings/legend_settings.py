"""The setting of the legend: whether scenes share classes."""

from typing import Any

from mtl_hsi.errors import RequestError
from mtl_hsi.settings.config_checks import one_of, require
from mtl_hsi.settings.model_settings import SVM

_SEPARATE, _SHARED = "separate", "shared"


def read(config: Any) -> bool:
  """Returns whether scenes share the classes that have the same name.

  Raises:
    RequestError: the legend is unknown, or other keys do not allow it.
  """
  shared = one_of((_SEPARATE, _SHARED), "legend", config.legend) == _SHARED
  if shared:
    require(config.model.name != SVM, "model.name", SVM, "a network with legend='shared'")
    require(config.spectral_knowledge, "spectral_knowledge", False, "True with legend='shared'")
    expected = "'joint' with legend='shared': set --config.model.norm=joint"
    require(config.model.norm == "joint", "model.norm", config.model.norm, expected)
  if config.split == "scenes":
    if not shared:
      raise RequestError(
        f"config key legend is {config.legend!r}; split='scenes' leaves out one scene at a time, whose "
        "classes the others must share: set --config.legend=shared and --config.model.norm=joint"
      )
    one = "two or more with split='scenes', which leaves out one at a time"
    require(len(config.scenes) > 1, "scenes", tuple(config.scenes), one)
  return shared
