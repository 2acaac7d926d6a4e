"""Any optax optimiser by name, and parameter groups that it leaves alone."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
import optax

from mtl_hsi.errors import RequestError
from mtl_hsi.models.multitask import GROUPS

# From a learning rate to a transformation.
Factory = Callable[[Any], optax.GradientTransformation]


def optimizer(name: str, arguments: Mapping[str, Any]) -> Factory:
  """Finds an optax optimiser by name and fixes its arguments.

  Args:
    name: a function of optax that takes a learning rate, such as "adadelta".
    arguments: its other arguments by name.

  Returns:
    A function from the learning rate to the transformation.

  Raises:
    RequestError: no such optimiser, or it lacks one of the arguments.
  """
  if name not in known():
    raise RequestError(f"optimizer.name is {name!r}; optax has {', '.join(known())}")
  factory = getattr(optax, name)
  accepted = [key for key in inspect.signature(factory).parameters if key != "learning_rate"]
  for key in arguments:
    if key not in accepted:
      raise RequestError(f"optimizer.{key}: optax.{name} has no such argument; it has {', '.join(accepted)}")
  try:
    _try_out(factory(learning_rate=1.0, **arguments))
  # What a wrong value leads to differs from optimiser to optimiser.
  except Exception as error:
    raise RequestError(f"optimizer: optax.{name} does not accept {dict(arguments)}: {error}") from error
  return lambda learning_rate: factory(learning_rate=learning_rate, **arguments)


def _try_out(transformation):
  """One update by shapes alone; many wrong values show only there."""
  params = {"kernel": jax.ShapeDtypeStruct((2, 3), np.float32)}
  state = jax.eval_shape(transformation.init, params)
  jax.eval_shape(transformation.update, params, state, params)


def phase_transformation(
  make: Factory, learning_rate: Any, frozen: tuple[str, ...]
) -> optax.GradientTransformation:
  """Trains every parameter group with one optimiser but leaves the frozen ones as they are.

  Args:
    make: from `optimizer`.
    learning_rate: a number, or a traced scalar so that phases share a compilation.
    frozen: parameter groups that do not move.
  """
  labels = {group: "frozen" if group in frozen else "trained" for group in GROUPS}
  return optax.multi_transform({"trained": make(learning_rate), "frozen": optax.set_to_zero()}, labels)


def known() -> list[str]:
  """Names of optax's optimisers: its functions of a learning rate that need nothing but gradients."""
  return sorted(
    name
    for name, value in vars(optax).items()
    if inspect.isfunction(value)
    and not name.startswith(("_", "scale_by"))
    # One needs the loss; the other carries a random key, neither the replica's nor fit for a checkpoint.
    and name not in ("lbfgs", "noisy_sgd")
    and next(iter(inspect.signature(value).parameters), None) == "learning_rate"
  )
