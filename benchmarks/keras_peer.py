"""HResNet and CCNN in Keras on TensorFlow as used by the author of the letter: `fit`, `predict`."""

import os
from collections.abc import Callable, Sequence

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from benchmarks.job import Job, Samples, windows
from benchmarks.same_job import Weights

# Like our side: float32 on GPUs too.
tf.config.experimental.enable_tensor_float_32_execution(False)

_DROPOUT = 0.5
# All patches of a scene would need gigabytes of memory.
_STRIP_ROWS = 32

for _gpu in tf.config.list_physical_devices("GPU"):
  # All sides share the GPU.
  tf.config.experimental.set_memory_growth(_gpu, True)


def _convolution(width, size, padding="valid"):
  start = keras.initializers.RandomNormal(0, 0.01)
  return layers.Conv2D(width, size, padding=padding, kernel_initializer=start)


def _norm():
  return layers.BatchNormalization(momentum=0.9, epsilon=1e-3)


Named = dict[str, layers.Layer]
"""Layers with weights, by our names."""


def _hresnet(dropout: float) -> tuple[Named, Callable]:
  """Returns the layers, and the function from patches to features; HResNet has no dropout."""
  del dropout
  block = {"norm": _norm(), "conv1": _convolution(64, 3, "same"), "conv2": _convolution(64, 3, "same")}
  stem, flatten = _convolution(64, 3), layers.Flatten()
  relu = keras.activations.relu

  def features(patches):
    x = stem(patches)
    inner = block["conv2"](relu(block["conv1"](relu(block["norm"](x)))))
    return flatten(layers.add([x, inner]))

  return {"stem/conv": stem, **{f"backbone/residuals_0/{name}": x for name, x in block.items()}}, features


def _ccnn(dropout: float) -> tuple[Named, Callable]:
  """Returns the layers, and the function from patches to features."""
  bank = {f"conv{size}": _convolution(128, size) for size in (1, 3, 5)}
  named = {"norm1": _norm(), "conv1": _convolution(128, 1), "norm2": _norm()}
  for name in ("residual1_0", "residual1_1", "residual2_0", "residual2_1", "last_0", "last_1", "last_2"):
    named[name] = _convolution(128, 1)
  pool5, pool3 = layers.MaxPooling2D(5, 1), layers.MaxPooling2D(3, 1)
  drop, flatten = layers.Dropout(dropout), layers.Flatten()
  relu = keras.activations.relu

  def two(x, block):
    return named[f"{block}_1"](relu(named[f"{block}_0"](x)))

  def features(patches):
    scales = [pool5(bank["conv1"](patches)), pool3(bank["conv3"](patches)), bank["conv5"](patches)]
    x = named["conv1"](named["norm1"](relu(layers.concatenate(scales))))
    x = layers.add([x, two(named["norm2"](relu(x)), "residual1")])
    x = layers.add([x, two(relu(x), "residual2")])
    x = drop(relu(named["last_0"](relu(x))))
    x = drop(relu(named["last_1"](x)))
    return flatten(named["last_2"](x))

  backbone = {f"backbone/{name}": layer for name, layer in named.items()}
  return {**{f"stem/{name}": layer for name, layer in bank.items()}, **backbone}, features


_NETWORKS = {"hresnet": _hresnet, "ccnn": _ccnn}


class Model:
  """A compiled model with an input and an output per scene, which share all layers except the heads.

  Args:
    job: what to do.
    weights: to start from; without them all as in the author's code.
    dropout: of CCNN.
  """

  def __init__(self, job: Job, weights: Weights | None, dropout: float = _DROPOUT):
    self._job = job
    self._layers, features = _NETWORKS[job.network](dropout)
    start = keras.initializers.RandomNormal(0, 0.01)
    for scene, count in enumerate(job.class_counts):
      self._layers[f"heads/{scene}"] = layers.Dense(count, kernel_initializer=start)
    patches = [keras.Input((job.patch, job.patch, job.bands)) for _ in job.class_counts]
    logits = [self._layers[f"heads/{scene}"](features(x)) for scene, x in enumerate(patches)]
    self.model = keras.Model(patches, logits) if len(patches) > 1 else keras.Model(patches[0], logits[0])
    for name, variable in self._variables().items():
      if weights:
        variable.assign(_from_ours(name, weights[name]))
    self.start_phase(0)

  def start_phase(self, phase: int) -> None:
    """Compiles again with new accumulators and the learning rate of a phase."""
    job = self._job
    optimizer = keras.optimizers.Adadelta(job.learning_rates[phase], rho=job.rho, epsilon=job.epsilon)
    losses = [keras.losses.SparseCategoricalCrossentropy(from_logits=True) for _ in job.class_counts]
    self.model.compile(optimizer=optimizer, loss=losses if len(losses) > 1 else losses[0])

  def logits(self, patches: np.ndarray) -> list[np.ndarray]:
    """See `same_job.Peer`."""
    logits = self.model.predict_on_batch(_one_or_list(patches))
    return logits if isinstance(logits, list) else [logits]

  def step(self, patches: np.ndarray, classes: np.ndarray) -> float:
    """See `same_job.Peer`."""
    # With several outputs, the separate losses follow their sum.
    return float(np.ravel(self.model.train_on_batch(_one_or_list(patches), _one_or_list(classes)))[0])

  def weights(self) -> Weights:
    """See `same_job.Peer`."""
    return {name: _to_ours(name, variable.numpy()) for name, variable in self._variables().items()}

  def classify(self, padded: np.ndarray, batch: int) -> np.ndarray:
    """Returns class indices `[H, W]` of a scene with its margin, with one `predict` per strip."""
    views = windows(padded, self._job.patch)
    labels = []
    for top in range(0, len(views), _STRIP_ROWS):
      patches = np.ascontiguousarray(views[top : top + _STRIP_ROWS]).reshape(-1, *views.shape[2:])
      labels.append(self.model.predict(patches, batch_size=batch, verbose=0).argmax(1))
    return np.concatenate(labels).reshape(views.shape[:2])

  def classify_by_row(self, padded: np.ndarray) -> np.ndarray:
    """Does the same with one `predict` per row in Keras's default batches, as the author does."""
    rows = windows(padded, self._job.patch)
    return np.stack([self.model.predict(np.ascontiguousarray(row), verbose=0).argmax(1) for row in rows])

  def _variables(self):
    named = {}
    for path, layer in self._layers.items():
      if isinstance(layer, layers.BatchNormalization):
        arrays = {"scale": layer.gamma, "bias": layer.beta}
        arrays |= {"mean": layer.moving_mean, "var": layer.moving_variance}
      else:
        arrays = {"kernel": layer.kernel, "bias": layer.bias}
      named |= {f"{path}/{name}": variable for name, variable in arrays.items()}
    return named


class Training:
  """A model in training, with its training set in memory.

  Args:
    model: to train.
    sets: its training set of every scene; shorter ones wrap around to the length of the longest.
    batch_size: N, of every scene.
  """

  def __init__(self, model: Model, sets: Sequence[Samples], batch_size: int):
    self.model, self._batch_size = model, batch_size
    longest = np.arange(max(len(one.classes) for one in sets))
    wrapped = [longest % len(one.classes) for one in sets]
    self._patches = _one_or_list([one.patches[index] for one, index in zip(sets, wrapped, strict=True)])
    self._classes = _one_or_list([one.classes[index] for one, index in zip(sets, wrapped, strict=True)])

  def epochs(self, count: int) -> float:
    """Trains `count` epochs in one `fit`; returns the mean loss of the last one."""
    history = self.model.model.fit(
      self._patches, self._classes, batch_size=self._batch_size, epochs=count, verbose=0
    )
    return history.history["loss"][-1]

  def first_step(self) -> float:
    """Trains on one batch with `fit`; returns its loss."""
    history = self.model.model.fit(
      self._patches, self._classes, batch_size=self._batch_size, steps_per_epoch=1, verbose=0
    )
    return history.history["loss"][-1]


def product(size: int) -> Callable[[], object]:
  """Returns a function that multiplies two square float32 matrices."""
  square = tf.random.normal((size, size))
  multiply = tf.function(lambda: tf.reduce_max(tf.matmul(square, square)))
  return lambda: float(multiply())


def _one_or_list(rows):
  return rows[0] if len(rows) == 1 else list(rows)


def _from_ours(name, array):
  """Converts convolution kernels `[O, k, k, D]` to the layout of Keras, `[k, k, D, O]`."""
  return array.transpose(1, 2, 3, 0) if array.ndim == 4 else array


def _to_ours(name, array):
  return array.transpose(3, 0, 1, 2) if array.ndim == 4 else array
