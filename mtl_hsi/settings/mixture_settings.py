"""Settings of the mixture of experts that is chosen for every scene."""

import dataclasses
from typing import Any

from mtl_hsi.classification import mixture, smoothing
from mtl_hsi.settings.config_checks import one_of, require
from mtl_hsi.settings.model_settings import SVM


@dataclasses.dataclass(frozen=True)
class MixtureSettings:
  """What is chosen for every scene by the labels that the folds leave out.

  Attributes:
    experts: names of the spectral experts, from `mixture.EXPERTS`.
    smoothings: names of the strengths of smoothing to choose from, from `smoothing.STRENGTHS`; empty: none is
      chosen.
  """

  experts: tuple[str, ...]
  smoothings: tuple[str, ...]

  @property
  def chosen(self) -> bool:
    """Whether anything is chosen."""
    return bool(self.experts or self.smoothings)


def read(config: Any) -> MixtureSettings:
  """Reads and checks the keys `mixture.*`.

  Raises:
    RequestError: names the key, its value and what was expected.
  """
  experts, smoothings = tuple(config.mixture.experts), tuple(config.mixture.smoothings)
  for key, values, choices in (
    ("mixture.experts", experts, mixture.EXPERTS),
    ("mixture.smoothings", smoothings, tuple(smoothing.STRENGTHS)),
  ):
    for value in values:
      one_of(choices, key, value)
    require(len(set(values)) == len(values), key, values, "every name once")
  if not config.mnf_components:
    for name in experts:
      require(name == mixture.BANDS, "mixture.experts", experts, "only 'bands' without mnf_components")
  if experts:
    require(config.scaling == "per_band", "scaling", config.scaling, "'per_band' with mixture.experts")
  if config.model.name == SVM:
    mixed = config.folds or experts or smoothings
    require(not mixed, "folds", config.folds, "0, and no mixture, with model.name='svm'")
  return MixtureSettings(experts, smoothings)
