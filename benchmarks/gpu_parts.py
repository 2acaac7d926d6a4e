"""The parts of `benchmarks/on_gpu.py`: checks and measurements, in order of importance."""

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import jax
import numpy as np

from benchmarks import core_job
from benchmarks.core_job import LETTER_BANDS, Kind, Size, Training
from mtl_hsi.models import products

PRECISIONS = tuple(products.PRECISIONS)

# Floating-point operations of the networks of Tables I to IV, and number of runs, as counted by
# benchmarks/paper_estimate.py; a slow test compares.
GRID_FLOP, GRID_RUNS = {"hresnet": 2.6323e16, "ccnn": 2.3546e15}, 246
# Loading, compilation and report of a run, as in benchmarks/paper_estimate.py.
_RUN_SECONDS = 60

# Largest differences that rounding explains: of logits and gradients, relative to their largest value; of the
# mean loss of some steps; and the share of pixels that get another class.
_LOGITS, _GRADIENT, _LOSS, _LABELS = 1e-4, 1e-4, 1e-2, 1e-3

_REPEATS = 3


class Unavailable(Exception):
  """What a part needs is not installed."""


class Disagreement(Exception):
  """A check found a difference that rounding does not explain."""


class Part(NamedTuple):
  """A check or a measurement.

  Attributes:
    name: such as "train/vresnet/float32/products/networks=10".
    measure: runs it; returns figures by name.
  """

  name: str
  measure: Callable[[], dict]


class Plan(NamedTuple):
  """Sizes of the parts.

  Attributes:
    kinds: networks by name.
    size: of scene and training.
    checked: the same for checks, which compute every patch separately.
    numbers: numbers of networks at once, in the parts that vary it.
    usual: number of networks at once in all other parts.
    product: rows and columns of the matrices of the product.
  """

  kinds: Mapping[str, Kind]
  size: Size
  checked: Size
  numbers: Sequence[int]
  usual: int
  product: int


_CHECKED = core_job.INDIAN_PINES._replace(side=48, steps=20)
_NUMBERS = 1, 100, 30, 3
FULL = Plan(core_job.KINDS, core_job.INDIAN_PINES, _CHECKED, _NUMBERS, usual=10, product=8192)
_SMALL = {**core_job.KINDS, "vresnet": core_job.SMALL}
TINY = Plan(_SMALL, core_job.TINY, core_job.TINY, (1, 3), usual=2, product=64)


def parts(plan: Plan) -> list[Part]:
  """Lists all parts; the most important ones come first."""
  measures = Measures(plan)

  def training(precision, form, networks):
    name = f"train/vresnet/{precision}/{form}/networks={networks}"
    return Part(name, lambda: measures.training("vresnet", precision, form, networks))

  def each(name, measure, values):
    return [Part(f"{name}{value}", functools.partial(measure, value)) for value in values]

  return [
    *each("check/dense/", measures.dense_equals_patchwise, ["vresnet"]),
    *each("check/training/", measures.training_agrees, ["vresnet"]),
    *each("product/", measures.product, PRECISIONS),
    *(training(precision, "products", plan.usual) for precision in PRECISIONS),
    # XLA's convolutions have no bfloat16 with sums in float32.
    *(training(precision, "xla", plan.usual) for precision in PRECISIONS if precision != "bfloat16"),
    *each("classify/smoothing=none/", functools.partial(measures.classify, "none"), PRECISIONS),
    *each("classify/smoothing=strong/", functools.partial(measures.classify, "strong"), PRECISIONS),
    Part("paper_grid", measures.paper_grid),
    *(training("float32", "products", networks) for networks in plan.numbers),
    *each("pytorch/", measures.pytorch, PRECISIONS),
    *each("check/dense/", measures.dense_equals_patchwise, core_job.LETTER),
    *each("check/training/", measures.training_agrees, core_job.LETTER),
  ]


class Measures:
  """The measurements of a plan, on the first device of JAX.

  Args:
    plan: sizes.
  """

  def __init__(self, plan: Plan):
    self._plan, self._device = plan, jax.devices()[0]

  def dense_equals_patchwise(self, name: str) -> dict:
    """Compares the logits of every pixel by both methods, in every precision.

    Raises:
      Disagreement: in float32, they differ by more than rounding.
    """
    kind, given, network = self._job(name, self._plan.checked)
    training = Training(kind, given, core_job.initial_weights(network, 1), self._device)
    # Logits of new networks of the letter are nearly equal.
    training.run()
    weights, figures = training.weights(), {}
    for precision in PRECISIONS:
      dense, patchwise = (
        core_job.scene_logits(network, weights, given, method, precision) for method in ("dense", "patches")
      )
      figures[f"logits/{precision}"] = _difference(dense, patchwise)
      figures[f"labels/{precision}"] = float(np.mean(dense.argmax(-1) != patchwise.argmax(-1)))
    return _checked(figures, {"logits/float32": _LOGITS, "labels/float32": _LABELS})

  def training_agrees(self, name: str) -> dict:
    """Trains one network on the CPU and on the default device, from the same weights and with the same draws.

    Raises:
      Disagreement: gradient or losses differ by more than rounding.
    """
    kind, given, network = self._job(name, self._plan.checked)
    start, losses, gradients = core_job.initial_weights(network, 1), [], []
    for device in (jax.local_devices(backend="cpu")[0], self._device):
      gradients.append(core_job.gradient(network, start, given, device))
      training = Training(kind, given, start, device)
      losses.append([training.run()[0] for _ in range(2)])
    figures = {
      "gradient": _difference(*gradients),
      "loss": float(np.max(np.abs(np.subtract(*losses)) / np.abs(losses[0]))),
      "losses_cpu": np.array(losses[0]).tolist(),
      "losses_device": np.array(losses[1]).tolist(),
    }
    return _checked(figures, {"gradient": _GRADIENT, "loss": _LOSS})

  def product(self, precision: str) -> dict:
    """Times a product of two square matrices."""
    size = self._plan.product
    square = jax.random.normal(jax.random.key(0), (size, size))
    with products.precision(precision):
      multiply = jax.jit(products.matmul)
      figures = _timed(lambda: multiply(square, square).block_until_ready(), 1, "s")
    return {**figures, "tflops": 2 * size**3 / figures["median"] / 1e12}

  def training(self, name: str, precision: str, form: str, networks: int) -> dict:
    """Times training."""
    kind, given, network = self._job(name, self._plan.size, networks)
    start = core_job.initial_weights(network, networks)
    training = Training(kind, given, start, self._device, precision=precision, convolution=form)
    return _timed(training.run, networks * given.size.steps / 100, "s per 100 steps and network")

  def classify(self, smoothing: str, precision: str) -> dict:
    """Times the classification of every pixel by one network."""
    _, given, network = self._job("vresnet", self._plan.size)
    weights, options = core_job.initial_weights(network, 1), {"smoothing": smoothing, "precision": precision}
    return _timed(core_job.classifier(network, weights, given, self._device, **options), 1, "s")

  def paper_grid(self) -> dict:
    """Estimates the hours of Tables I to IV from the speed at which the letter's networks train."""
    from mtl_hsi.reproduction import cost

    figures, seconds = {}, GRID_RUNS * _RUN_SECONDS
    for name, flop in GRID_FLOP.items():
      size = self._plan.size._replace(channels=LETTER_BANDS)
      kind, given, network = self._job(name, size, self._plan.usual)
      start = core_job.initial_weights(network, self._plan.usual)
      found = _timed(Training(kind, given, start, self._device).run, self._plan.usual, "s per network")
      plan = {
        "batch_size": kind.batch_size,
        "mixed": False,
        "drop_last": False,
        "epochs": 1,
        "steps": size.steps,
      }
      speed = cost.training(network, [size.samples * size.classes], **plan) / found["median"]
      figures |= {f"{name}/{key}": value for key, value in found.items()}
      figures[f"{name}/tflops"] = speed / 1e12
      seconds += flop / speed
    return {**figures, "hours": seconds / 3600}

  def pytorch(self, precision: str) -> dict:
    """Times the training of the same network in PyTorch, one at a time, compiled, with channels last.

    Raises:
      Unavailable: PyTorch is not installed.
    """
    try:
      import torch
    except ImportError:
      raise Unavailable("PyTorch is not installed") from None
    from benchmarks import pytorch_default

    kind, given, _ = self._job("vresnet", self._plan.size)
    job = core_job.context_job(kind, given)
    training = pytorch_default.Training(job, 0, compiled=True, precision=precision)
    steps = given.size.steps
    figures = _timed(lambda: training.steps(steps), steps / 100, "s per 100 steps and network")
    return {**figures, "version": torch.__version__, "device": str(pytorch_default.DEVICE)}

  def _job(self, name, size, replicas=1):
    """Returns kind, scene with training pixels, and network."""
    kind = self._plan.kinds[name]
    network = core_job.network(kind, size)
    return kind, _data(size, network.patch, replicas), network


_data = functools.lru_cache(2)(core_job.data)


def _timed(run: Callable[[], object], units: float, unit: str) -> dict:
  """Returns seconds per unit of several calls; the first call, which compiles, is separate."""
  seconds = []
  for _ in range(1 + _REPEATS):
    start = time.perf_counter()
    run()
    seconds.append(time.perf_counter() - start)
  first, *counted = seconds
  counted = np.array(counted) / units
  return {
    "median": float(np.median(counted)),
    "min": float(counted.min()),
    "max": float(counted.max()),
    "unit": unit,
    "first_call": first,
  }


def _difference(one: np.ndarray, other: np.ndarray) -> float:
  """Returns the largest difference, relative to the largest value."""
  return float(np.max(np.abs(one - other)) / np.max(np.abs(other)))


def _checked(figures: dict, limits: Mapping[str, float]) -> dict:
  wrong = [
    f"{name} {figures[name]:.2g} (limit {limit:g})"
    for name, limit in limits.items()
    if not figures[name] <= limit
  ]
  if wrong:
    raise Disagreement(f"differences beyond rounding: {', '.join(wrong)}")
  return figures
