"""Multinomial logistic regression at its optimum, against scikit-learn, with padding and missing classes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from mtl_hsi.training import spectral_regression

PENALTY = 0.5
PRESENT = np.ones(3, bool)
fit = jax.jit(spectral_regression.fit)


def problem(samples: int, bands: int, classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
  """Strongly correlated spectra `[n, B]` and classes `[n]` that overlap."""
  generator = np.random.default_rng(seed)
  ids = np.arange(samples, dtype=np.int32) % classes
  smooth = np.cumsum(generator.normal(size=(classes, bands)), axis=1) / 4
  noise = np.cumsum(generator.normal(size=(samples, bands)), axis=1) / 2
  return (smooth[ids] + noise + 0.5).astype(np.float32), ids


def all_valid(spectra: np.ndarray) -> np.ndarray:
  return np.ones(len(spectra), bool)


def probabilities(expert, spectra, present=PRESENT) -> np.ndarray:
  return np.exp(spectral_regression.log_probabilities(expert, spectra, present))


# With fewer samples than bands, with more, and with as many.
@pytest.fixture(params=[(12, 20), (60, 8), (9, 9)], ids=["few", "many", "equal"])
def data(request):
  return problem(*request.param)


def test_the_gradient_at_the_fit_is_zero(data):
  spectra, classes = data
  expert = fit(spectra, classes, all_valid(spectra), PRESENT, PENALTY)
  residual = probabilities(expert, spectra) - np.eye(3)[classes]
  start = np.abs(spectra.T @ (np.full_like(residual, 1 / 3) - np.eye(3)[classes])).max()
  assert np.abs(spectra.T @ residual + PENALTY * expert["kernel"]).max() < 1e-4 * start
  assert np.abs(residual.sum(axis=0)).max() < 1e-4 * len(spectra)


def test_the_fit_is_that_of_scikit_learn(data):
  spectra, classes = data
  expert = fit(spectra, classes, all_valid(spectra), PRESENT, PENALTY)
  theirs = LogisticRegression(C=1 / PENALTY, tol=1e-8, max_iter=5000).fit(spectra.astype(np.float64), classes)
  np.testing.assert_allclose(expert["kernel"], theirs.coef_.T, atol=2e-3)
  np.testing.assert_allclose(probabilities(expert, spectra), theirs.predict_proba(spectra), atol=1e-3)


@pytest.mark.parametrize("padding", [3, 30])
def test_rows_of_padding_change_nothing(padding):
  spectra, classes = problem(12, 20)
  padded = np.concatenate([spectra, np.full((padding, 20), np.nan, np.float32)])
  ids = np.concatenate([classes, np.full(padding, 2, np.int32)])
  expert = fit(spectra, classes, all_valid(spectra), PRESENT, PENALTY)
  with_padding = fit(padded, ids, np.arange(len(ids)) < 12, PRESENT, PENALTY)
  for name in expert:
    np.testing.assert_allclose(with_padding[name], expert[name], atol=1e-3)


def test_problems_side_by_side_are_fitted_as_one_by_one():
  problems = [problem(24, 10, seed=seed) for seed in range(4)]
  spectra, classes = (np.stack(parts) for parts in zip(*problems))
  # Problems of different sizes, of which the first is finished at once.
  valid = np.arange(24) < np.array([[1], [9], [18], [24]])
  fit_all = jax.jit(jax.vmap(spectral_regression.fit, in_axes=(0, 0, 0, None, None)))
  together = fit_all(spectra, classes, valid, PRESENT, PENALTY)
  for index in range(4):
    alone = fit(spectra[index], classes[index], valid[index], PRESENT, PENALTY)
    for name in alone:
      np.testing.assert_allclose(together[name][index], alone[name], atol=1e-3)


def test_an_absent_class_has_probability_zero_and_changes_nothing():
  spectra, classes = problem(12, 20)
  present = np.array([True, False, True, True])
  expert = fit(spectra, classes + (classes > 0), all_valid(spectra), present, PENALTY)
  without = fit(spectra, classes, all_valid(spectra), PRESENT, PENALTY)
  found = probabilities(expert, spectra, present)
  assert (found[:, 1] == 0).all()
  np.testing.assert_allclose(found[:, present], probabilities(without, spectra), atol=1e-3)
  assert all(np.isfinite(leaf).all() for leaf in expert.values())


def test_a_class_without_samples_has_a_finite_log_probability_that_is_low_everywhere():
  spectra, classes = problem(12, 20)
  ids = classes + (classes > 0)
  expert = fit(spectra, ids, all_valid(spectra), np.ones(4, bool), PENALTY)
  far = np.concatenate([spectra, -10 * spectra, np.zeros_like(spectra)])
  found = np.asarray(spectral_regression.log_probabilities(expert, far, np.ones(4, bool)))
  assert np.isfinite(found).all()
  assert (found[:, 1] <= np.log(spectral_regression.UNSEEN_PROBABILITY) + 1e-3).all()
  without = fit(spectra, classes, all_valid(spectra), PRESENT, PENALTY)
  np.testing.assert_allclose(np.exp(found[:12, [0, 2, 3]]), probabilities(without, spectra), atol=1e-3)


def test_without_any_samples_all_present_classes_are_equally_likely():
  spectra, classes = problem(12, 20)
  expert = fit(spectra, classes, np.zeros(12, bool), np.array([True, True, False]), PENALTY)
  found = probabilities(expert, spectra, np.array([True, True, False]))
  np.testing.assert_allclose(found, np.tile([0.5, 0.5, 0], (12, 1)), atol=1e-6)


def test_the_same_problem_has_the_same_fit_bit_for_bit():
  arguments = (*problem(60, 8), np.ones(60, bool), PRESENT, PENALTY)
  first, second = fit(*arguments), fit(*arguments)
  assert all((first[name] == second[name]).all() for name in first)


def test_a_region_has_the_log_probabilities_of_its_pixels():
  spectra, classes = problem(12, 20)
  expert = fit(spectra, classes, all_valid(spectra), PRESENT, PENALTY)
  region = spectral_regression.log_probabilities(expert, jnp.asarray(spectra).reshape(3, 4, 20), PRESENT)
  pixels = spectral_regression.log_probabilities(expert, spectra, PRESENT)
  assert region.dtype == jnp.float32
  np.testing.assert_allclose(region.reshape(12, 3), pixels, atol=1e-5)
