"""What becomes of the spectra of training patches."""

import jax
import numpy as np
import pytest

from mtl_hsi.training.perturbation import perturb

X = np.random.default_rng(0).normal(2, 1, (2, 50, 3, 3, 40)).astype(np.float32)


def perturbed(**options):
  return np.asarray(perturb(X, jax.random.key(0), **{"jitter": 0.0, "band_dropout": 0.0, **options}))


def test_gain_and_offset_are_one_of_every_patch_and_of_the_deviation_given():
  result = perturbed(jitter=0.1)
  lines = [np.polyfit(x.ravel(), y.ravel(), 1) for x, y in zip(X.reshape(100, -1), result.reshape(100, -1))]
  gains, offsets = np.transpose(lines)
  for x, y, gain, offset in zip(X.reshape(100, -1), result.reshape(100, -1), gains, offsets, strict=True):
    np.testing.assert_allclose(y, gain * x + offset, atol=1e-4)
  assert gains.mean() == pytest.approx(1, abs=0.04)
  assert offsets.mean() == pytest.approx(0, abs=0.04)
  assert gains.std() == pytest.approx(0.1, rel=0.3)
  assert offsets.std() == pytest.approx(0.1, rel=0.3)
  assert abs(np.corrcoef(gains, offsets)[0, 1]) < 0.4


def test_bands_go_missing_in_the_whole_patch():
  result = perturbed(band_dropout=0.25)
  missing = (result == 0).all(axis=(2, 3))
  kept = ~missing[:, :, None, None, :] & np.ones(X.shape, bool)
  np.testing.assert_array_equal(result[kept], X[kept])
  assert not result[~kept].any()
  assert missing.mean() == pytest.approx(0.25, abs=0.03)
  assert len({tuple(row) for row in missing.reshape(100, -1)}) == 100


def test_a_missing_band_stays_missing_whatever_the_offset():
  result = perturbed(band_dropout=0.5, jitter=0.1)
  assert (result == 0).all(axis=(2, 3)).mean() == pytest.approx(0.5, abs=0.04)
