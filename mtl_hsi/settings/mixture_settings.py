"""Settings of the mixture of experts that is chosen for every scene."""

import dataclasses
from typing import Any

from mtl_hsi.channels import scaling
from mtl_hsi.classification import mixture, smoothing
from mtl_hsi.settings.config_checks import one_of, require
from mtl_hsi.settings.model_settings import SVM


@dataclasses.dataclass(frozen=True)
class MixtureSettings:
  """What is chosen for every scene by the labels that the folds leave out.

  Attributes:
    local_patch: side of the patches of the second network, or 0 for none.
    regression: channels among which the regression chooses, from `mixture.CHANNELS`; empty: no regression.
    smoothings: names of the strengths of smoothing to choose from, from `smoothing.STRENGTHS`; empty: none is
      chosen.
  """

  local_patch: int
  regression: tuple[str, ...]
  smoothings: tuple[str, ...]

  @property
  def chosen(self) -> bool:
    """Whether anything is chosen."""
    return bool(self.local_patch or self.regression or self.smoothings)

  @property
  def members(self) -> tuple[str, ...]:
    """Names of the members, the network first."""
    local = (mixture.LOCAL,) if self.local_patch else ()
    return (mixture.NETWORK, *local, *((mixture.REGRESSION,) if self.regression else ()))


def read(config: Any) -> MixtureSettings:
  """Reads and checks the keys `mixture.*`.

  Raises:
    RequestError: names the key, its value and what was expected.
  """
  mixed = config.mixture
  regression, smoothings, local = tuple(mixed.regression), tuple(mixed.smoothings), mixed.local_patch
  for key, values, choices in (
    ("mixture.regression", regression, mixture.CHANNELS),
    ("mixture.smoothings", smoothings, tuple(smoothing.STRENGTHS)),
  ):
    for value in values:
      one_of(choices, key, value)
    require(len(set(values)) == len(values), key, values, "every name once")
  if regression:
    expected = "'per_band' or 'per_band_joint' with mixture.regression"
    require(config.scaling in scaling.STANDARDISED, "scaling", config.scaling, expected)
    # Choices that need MNF components are dropped together with these.
    usable = tuple(name for name in regression if config.mnf_components or name == mixture.BANDS)
    require(usable, "mixture.regression", regression, "'bands' without mnf_components")
    regression = usable
  if local:
    require(config.model.name == "vresnet", "mixture.local_patch", local, "0 unless model.name='vresnet'")
    fits = local % 2 and 3 <= local < config.model.patch
    largest = config.model.patch - 2
    odd = f"an odd number from 3 to {largest}, or 0" if largest >= 3 else f"0 with model.patch={largest + 2}"
    require(fits, "mixture.local_patch", local, odd)
  if config.model.name == SVM:
    chosen = config.folds or regression or smoothings
    require(not chosen, "folds", config.folds, "0, and no mixture, with model.name='svm'")
  return MixtureSettings(local, regression, smoothings)
