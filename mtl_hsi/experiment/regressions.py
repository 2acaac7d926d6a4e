"""Fits the regression of a scene: channels and penalty are those most likely for left-out pixels."""

from collections.abc import Sequence
from typing import NamedTuple

import jax
import numpy as np

from mtl_hsi.channels.inputs import Inputs
from mtl_hsi.classification import mixture
from mtl_hsi.training import spectral_regression

# Penalties to choose from.
PENALTIES = (1.0, 10.0, 100.0)
# Most pixels that a regression is fitted to; more change little and take long.
_MOST_PIXELS = 10_000


class Samples(NamedTuple):
  """Labelled pixels of a scene.

  Attributes:
    channels: float32 `[n, B]`.
    classes: positions of their classes, int32 `[n]`.
  """

  channels: np.ndarray
  classes: np.ndarray


class Regressions(NamedTuple):
  """A regression on all training pixels, and the same without each fold.

  Attributes:
    whole: "kernel" `[B, C]` and "bias" `[C]`.
    without_fold: k of them.
    channels: what it reads, a name of `mixture.CHANNELS`.
    penalty: of its weights.
  """

  whole: dict[str, np.ndarray]
  without_fold: Sequence[dict[str, np.ndarray]]
  channels: str
  penalty: float


def fit_regressions(
  train: Samples,
  in_fold_set: np.ndarray,
  left_out: Sequence[Samples],
  *,
  choices: Sequence[str],
  inputs: Inputs,
  present: np.ndarray,
  generator: np.random.Generator,
) -> Regressions:
  """Fits a regression with the channels and the penalty of the largest likelihood of left-out pixels.

  Args:
    train: all training pixels.
    in_fold_set: which of them train without each fold, bool `[k, n]`.
    left_out: pixels of each fold.
    choices: names in `mixture.CHANNELS`.
    inputs: says which channels are bands and which MNF components.
    present: classes that the scene has, bool `[C]`.
    generator: draws pixels if there are too many.
  """
  if len(train.classes) > _MOST_PIXELS:
    rows = np.sort(generator.choice(len(train.classes), _MOST_PIXELS, replace=False))
    train, in_fold_set = Samples(*(values[rows] for values in train)), in_fold_set[:, rows]
  valid = np.concatenate([np.ones((1, len(train.classes)), bool), in_fold_set])
  best, most = None, -np.inf
  for name in choices:
    part = channels_of(name, inputs)
    for penalty in PENALTIES:
      fitted = jax.tree.map(
        np.asarray, _fit_all(train.channels[:, part], train.classes, valid, present, penalty)
      )
      each = [_widened(fitted, row, part, train.channels.shape[1]) for row in range(len(valid))]
      likelihood = sum(_log_likelihood(*pair, present) for pair in zip(each[1:], left_out, strict=True))
      if likelihood > most:
        best, most = Regressions(each[0], each[1:], name, penalty), likelihood
  return best


def channels_of(name: str, inputs: Inputs) -> slice:
  """Returns the channels that a regression reads; empty channels come last and are never read."""
  bands = inputs.spectral_channels
  end = inputs.channels - inputs.empty
  return {mixture.BANDS: slice(0, bands), mixture.MNF: slice(bands, end)}.get(name, slice(0, end))


@jax.jit
def _fit_all(spectra, classes, valid, present, penalty):
  """Fits one regression for every row of `valid`."""
  return jax.vmap(spectral_regression.fit, in_axes=(None, None, 0, None, None))(
    spectra, classes, valid, present, penalty
  )


def _widened(fitted, row, part, channels):
  """Returns one of the regressions with a weight for every channel, 0 for those that it does not read."""
  kernel = np.zeros((channels, fitted["kernel"].shape[-1]), np.float32)
  kernel[part] = fitted["kernel"][row]
  return {"kernel": kernel, "bias": fitted["bias"][row]}


def _log_likelihood(regression, samples, present):
  log_p = spectral_regression.log_probabilities(regression, samples.channels, present)
  true = np.asarray(log_p)[np.arange(len(samples.classes)), samples.classes]
  return float(np.maximum(true, mixture.FLOOR).sum())
