"""The moving average of a network's weights over the steps of its training.

  a <- decay * a + (1 - decay) * w    from a = 0; the network is a / (1 - decay^steps)

Statistics of batch normalisation are averaged as weights are.
"""

import optax

_AVERAGED = ("params", "stats")


def start(state: dict, decay: float) -> dict:
  """A training state with an average, `average`, of no step yet."""
  return {**state, "average": optax.ema(decay).init(_weights(state))}


def move(state: dict, decay: float) -> dict:
  """Takes the weights of a state into its average."""
  _, average = optax.ema(decay).update(_weights(state), state["average"])
  return {**state, "average": average}


def network(state: dict, decay: float) -> dict:
  """{"params", "stats"} of the averaged network, after one step or more."""
  average = state["average"]
  return optax.tree.bias_correction(average.ema, decay, average.count)


def _weights(state):
  return {key: state[key] for key in _AVERAGED}
