"""Optimisers by name, Keras's Adadelta, frozen groups."""

import jax
import numpy as np
import optax
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.training import optim

KERAS = {"rho": 0.95, "eps": 1e-7}


def parameters(seed: int = 0) -> dict:
  generator = np.random.default_rng(seed)
  shapes = {"stem": (3, 4), "backbone": (4, 5), "heads": (2, 5, 3)}
  return {
    group: {"kernel": generator.normal(size=shape).astype(np.float32)} for group, shape in shapes.items()
  }


def stepper(name, arguments=KERAS, frozen=()):
  """A jitted `step(params, state, grads, learning_rate)` and the initial state."""
  make = optim.optimizer(name, arguments)

  @jax.jit
  def step(params, state, grads, learning_rate):
    updates, state = optim.phase_transformation(make, learning_rate, frozen).update(grads, state, params)
    return optax.apply_updates(params, updates), state

  return step, optim.phase_transformation(make, 1.0, frozen).init(parameters())


def test_adadelta_is_the_recurrence_of_keras():
  step, state = stepper("adadelta")
  params = parameters()
  kernel = params["stem"]["kernel"].astype(np.float64)
  squares, deltas = np.zeros_like(kernel), np.zeros_like(kernel)
  for index, rate in enumerate([1.0, 1.0, 0.1, 0.1, 1.0]):
    grads = parameters(seed=index + 1)
    params, state = step(params, state, grads, np.float32(rate))
    grad = grads["stem"]["kernel"].astype(np.float64)
    squares = 0.95 * squares + 0.05 * grad**2
    delta = grad * np.sqrt(deltas + 1e-7) / np.sqrt(squares + 1e-7)
    deltas = 0.95 * deltas + 0.05 * delta**2
    kernel = kernel - rate * delta
    start = parameters()["stem"]["kernel"]
    np.testing.assert_allclose(params["stem"]["kernel"] - start, kernel - start, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("frozen", [("stem",), ("stem", "backbone"), ("heads",)])
def test_frozen_groups_do_not_move_and_carry_no_accumulators(frozen):
  # Weight decay would move a group whose gradients are zero.
  step, state = stepper("adamw", {"weight_decay": 0.1}, frozen)
  params = parameters()
  for seed in (1, 2):
    params, state = step(params, state, parameters(seed), np.float32(0.1))
  for group, before in parameters().items():
    moved = (params[group]["kernel"] != before["kernel"]).any()
    assert moved == (group not in frozen)
  shapes = [leaf.shape for leaf in jax.tree.leaves(state)]
  for group, before in parameters().items():
    assert shapes.count(before["kernel"].shape) == (0 if group in frozen else 2)


@pytest.mark.filterwarnings("ignore:.*optimistic_adam:DeprecationWarning")
@pytest.mark.parametrize("name", sorted(set(optim.known()) - set(optim.ADDED)))
def test_every_optimiser_of_optax_does_what_optax_does(name):
  rate, params = 0.25, parameters()
  make, plain = optim.optimizer(name, {}), getattr(optax, name)(rate)

  @jax.jit
  def both(learning_rate):
    """Does two steps with a traced learning rate and two with the transformation of optax."""
    results = []
    for start, transformation in (
      (optim.phase_transformation(make, rate, ()), optim.phase_transformation(make, learning_rate, ())),
      (plain, plain),
    ):
      moved, state = params, start.init(params)
      for grads in (parameters(1), parameters(2)):
        updates, state = transformation.update(grads, state, moved)
        moved = optax.apply_updates(moved, updates)
      results.append(moved)
    return results

  ours, theirs = both(np.float32(rate))
  for group, before in params.items():
    assert (ours[group]["kernel"] != before["kernel"]).any()
    np.testing.assert_allclose(ours[group]["kernel"], theirs[group]["kernel"], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["adadelta", "adam", "adamw", "sgd", "rmsprop", "lamb", "lion"])
def test_the_usual_optimisers_are_known(name):
  assert name in optim.known()


@pytest.mark.parametrize(
  "name", ["adadelte", "lbfgs", "noisy_sgd", "scale_by_learning_rate", "apply_updates"]
)
def test_unknown_optimisers_are_refused(name):
  with pytest.raises(RequestError, match=f"optimizer.name is '{name}'; expected one of adabelief, adadelta"):
    optim.optimizer(name, {})


def test_private_functions_of_optax_are_no_optimisers():
  assert not [name for name in optim.known() if name.startswith("_")]


def test_unknown_arguments_are_refused():
  with pytest.raises(RequestError, match=r"optimizer\.rate: adadelta has no such argument; it has rho, eps"):
    optim.optimizer("adadelta", {"rate": 0.1})


def test_an_argument_of_the_wrong_kind_is_refused():
  with pytest.raises(RequestError, match=r"sgd does not accept"):
    optim.optimizer("sgd", {"momentum": "much"})


def training_state(weight, mean):
  return {"params": {"w": np.float32(weight)}, "stats": {"mean": np.float32(mean)}, "opt": np.float32(9)}


def test_the_average_of_one_step_is_its_network():
  moved = optim.update_average(optim.start_average(training_state(5, 50), 0.9), 0.9)
  found = optim.averaged_network(moved, 0.9)
  assert found["params"]["w"] == pytest.approx(5)
  assert found["stats"]["mean"] == pytest.approx(50)


def test_later_steps_weigh_more_in_the_average():
  moved = optim.start_average(training_state(7, 70), 0.5)
  for weight in (1, 2, 4):
    moved = optim.update_average({**moved, **training_state(weight, 10 * weight)}, 0.5)
  # Weights 1/8, 1/4 and 1/2 of a sum of 7/8; what there was before the first step does not count.
  expected = (1 / 8 + 2 / 4 + 4 / 2) / (7 / 8)
  found = optim.averaged_network(moved, 0.5)
  assert found["params"]["w"] == pytest.approx(expected)
  assert found["stats"]["mean"] == pytest.approx(10 * expected)
  assert moved["params"]["w"] == 4
