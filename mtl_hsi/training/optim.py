"""Optax optimisers by name, frozen parameter groups, and the moving average of weights."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
import optax

from mtl_hsi.errors import RequestError
from mtl_hsi.models.multitask import GROUPS

# Builds an optimiser from a learning rate.
Factory = Callable[[Any], optax.GradientTransformation]


def clipped_adamw(
  learning_rate: Any, max_norm: float = 1.0, weight_decay: float = 1e-4
) -> optax.GradientTransformation:
  """Returns AdamW on gradients whose global norm is at most `max_norm`."""
  return optax.chain(
    optax.clip_by_global_norm(max_norm), optax.adamw(learning_rate, weight_decay=weight_decay)
  )


# Optimisers that optax does not have, by name.
ADDED = {"clipped_adamw": clipped_adamw}


def optimizer(name: str, arguments: Mapping[str, Any]) -> Factory:
  """Finds an optimiser of optax or of `ADDED` by name and fixes its arguments.

  Args:
    name: an optimiser with a learning rate, such as "adadelta".
    arguments: all its other arguments by name.

  Returns:
    A function from the learning rate to the optimiser.

  Raises:
    RequestError: there is no such optimiser, or it does not accept the arguments.
  """
  if name not in known():
    raise RequestError(f"optimizer.name is {name!r}; expected one of {', '.join(known())}")
  factory = ADDED.get(name) or getattr(optax, name)
  accepted = [key for key in inspect.signature(factory).parameters if key != "learning_rate"]
  for key in arguments:
    if key not in accepted:
      raise RequestError(f"optimizer.{key}: {name} has no such argument; it has {', '.join(accepted)}")
  try:
    _try_out(factory(learning_rate=1.0, **arguments))
  # Optimisers reject wrong values with different exceptions.
  except Exception as error:
    raise RequestError(f"optimizer: {name} does not accept {dict(arguments)}: {error}") from error
  return lambda learning_rate: factory(learning_rate=learning_rate, **arguments)


def _try_out(transformation):
  """Traces one update: many wrong values only fail there."""
  params = {"kernel": jax.ShapeDtypeStruct((2, 3), np.float32)}
  state = jax.eval_shape(transformation.init, params)
  jax.eval_shape(transformation.update, params, state, params)


def phase_transformation(
  make: Factory, learning_rate: Any, frozen: tuple[str, ...]
) -> optax.GradientTransformation:
  """Returns an optimiser of all parameter groups that leaves the frozen ones unchanged.

  Args:
    make: from `optimizer`.
    learning_rate: a number, or a traced scalar, with which phases share a compiled program.
    frozen: parameter groups that do not train.
  """
  labels = {group: "frozen" if group in frozen else "trained" for group in GROUPS}
  return optax.multi_transform({"trained": make(learning_rate), "frozen": optax.set_to_zero()}, labels)


def known() -> list[str]:
  """Lists the optimisers: those added, and optax's functions of a learning rate that need only gradients."""
  return sorted(
    name
    for name, value in (vars(optax) | ADDED).items()
    if inspect.isfunction(value)
    and not name.startswith(("_", "scale_by"))
    # lbfgs needs the loss. noisy_sgd has a random key that is not the replica's and cannot be saved.
    and name not in ("lbfgs", "noisy_sgd")
    and next(iter(inspect.signature(value).parameters), None) == "learning_rate"
  )


def start_average(state: dict, decay: float) -> dict:
  """Adds to a training state the moving average of its weights, before the first step.

    a <- decay * a + (1 - decay) * w    from a = 0; the averaged network is a / (1 - decay^steps)

  The statistics of batch normalisation are averaged like weights.
  """
  return {**state, "average": optax.ema(decay).init(_averaged_parts(state))}


def update_average(state: dict, decay: float) -> dict:
  """Includes the present weights of a training state in its average."""
  _, average = optax.ema(decay).update(_averaged_parts(state), state["average"])
  return {**state, "average": average}


def averaged_network(state: dict, decay: float) -> dict:
  """Returns {"params", "stats"} of the averaged network, after one step or more."""
  average = state["average"]
  return optax.tree.bias_correction(average.ema, decay, average.count)


def _averaged_parts(state):
  return {key: state[key] for key in ("params", "stats")}
