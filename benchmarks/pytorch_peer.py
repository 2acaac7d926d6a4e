"""HResNet and CCNN in idiomatic PyTorch: training, and classification patch by patch."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.job import Job, Samples
from benchmarks.same_job import Weights

LAYOUTS = {"channels first": torch.contiguous_format, "channels last": torch.channels_last}
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")

# Like our side: float32 on GPUs too.
torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False

_DROPOUT = 0.5


def norm(width: int) -> nn.BatchNorm2d:
  """Returns a batch normalisation with the constants of our networks."""
  # In PyTorch, momentum is the weight of the new batch; in Keras, that of the moving average.
  return nn.BatchNorm2d(width, eps=1e-3, momentum=0.1)


class Network(nn.Module):
  """Base of both networks: heads, several scenes in one batch, our names of the layers.

  A joined batch has the same number of samples of every scene, one scene after another.
  """

  def __init__(self, class_counts: Sequence[int], features: int):
    super().__init__()
    self.heads = nn.ModuleList(nn.Linear(features, count) for count in class_counts)

  def forward(self, joined: Tensor) -> list[Tensor]:
    """Returns the logits `[N, C]` of every scene from patches `[T * N, B, P, P]`."""
    features = self.features(joined).flatten(1).chunk(len(self.heads))
    return [head(x) for head, x in zip(self.heads, features, strict=True)]

  def normalised(self, norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """Normalises each scene separately; all update one set of averages, like one layer in Keras."""
    scenes = len(self.heads)
    return norm(x) if scenes == 1 else torch.cat([norm(part) for part in x.chunk(scenes)])

  def arrays(self) -> dict[str, Tensor]:
    """Returns views of the tensors in our shapes, by our names."""
    named = {}
    for path, layer in self.layers().items():
      if isinstance(layer, nn.BatchNorm2d):
        tensors = {"mean": layer.running_mean, "var": layer.running_var, "scale": layer.weight}
      elif isinstance(layer, nn.Conv2d):
        tensors = {"kernel": layer.weight.permute(0, 2, 3, 1)}
      else:
        tensors = {"kernel": layer.weight[:, None, None, :]}
      named |= {f"{path}/{name}": x for name, x in {**tensors, "bias": layer.bias}.items()}
    for scene, head in enumerate(self.heads):
      # Our heads read positions row by row with the channels last; PyTorch's read channel by channel.
      kernel = head.weight.unflatten(1, (-1, *self.window)).permute(2, 3, 1, 0)
      named |= {f"heads/{scene}/kernel": kernel, f"heads/{scene}/bias": head.bias}
    return named


class HResNet(Network):
  """The network of `mtl_hsi/models/hresnet.py` with one residual block and a flattening head."""

  window = 7, 7

  def __init__(self, bands: int, class_counts: Sequence[int], dropout: float):
    super().__init__(class_counts, 7 * 7 * 64)
    del dropout  # HResNet has none.
    self.stem, self.norm = nn.Conv2d(bands, 64, 3), norm(64)
    self.conv1, self.conv2 = (nn.Conv2d(64, 64, 3, padding=1) for _ in range(2))

  def features(self, joined: Tensor) -> Tensor:
    """Returns features `[T * N, 64, 7, 7]`."""
    x = self.stem(joined)
    inner = functional.relu(self.conv1(functional.relu(self.normalised(self.norm, x))))
    return x + self.conv2(inner)

  def layers(self) -> Mapping[str, nn.Module]:
    """Returns the layers by our names."""
    block = {f"backbone/residuals_0/{name}": getattr(self, name) for name in ("norm", "conv1", "conv2")}
    return {"stem/conv": self.stem, **block}


class CCNN(Network):
  """The network of `mtl_hsi/models/ccnn.py`; its 1x1 convolutions at a single position are linear layers."""

  window = 1, 1

  def __init__(self, bands: int, class_counts: Sequence[int], dropout: float):
    super().__init__(class_counts, 128)
    self.bank = nn.ModuleDict({f"conv{size}": nn.Conv2d(bands, 128, size) for size in (1, 3, 5)})
    self.norm1, self.conv1, self.norm2 = norm(384), nn.Linear(384, 128), norm(128)
    self.residual1, self.residual2 = (nn.ModuleList(nn.Linear(128, 128) for _ in range(2)) for _ in range(2))
    self.last = nn.ModuleList(nn.Linear(128, 128) for _ in range(3))
    self.dropout = dropout

  def features(self, joined: Tensor) -> Tensor:
    """Returns features `[T * N, 128]`."""
    scales = (
      functional.max_pool2d(self.bank["conv1"](joined), 5, 1),
      functional.max_pool2d(self.bank["conv3"](joined), 3, 1),
      self.bank["conv5"](joined),
    )
    x = self.normalised(self.norm1, functional.relu(torch.cat(scales, 1)))
    x = self.conv1(x.flatten(1))
    inner = self.normalised(self.norm2, functional.relu(x)[..., None, None]).flatten(1)
    x = x + self._two(inner, self.residual1)
    x = x + self._two(functional.relu(x), self.residual2)
    x = functional.relu(self.last[0](functional.relu(x)))
    x = functional.relu(self.last[1](functional.dropout(x, self.dropout, self.training)))
    return self.last[2](functional.dropout(x, self.dropout, self.training))

  @staticmethod
  def _two(x, layers):
    first, second = layers
    return second(functional.relu(first(x)))

  def layers(self) -> Mapping[str, nn.Module]:
    """Returns the layers by our names."""
    lists = {"residual1": self.residual1, "residual2": self.residual2, "last": self.last}
    listed = {f"{name}_{index}": layer for name, part in lists.items() for index, layer in enumerate(part)}
    layers = {"norm1": self.norm1, "conv1": self.conv1, "norm2": self.norm2, **listed}
    bank = {f"stem/{name}": layer for name, layer in self.bank.items()}
    return {**bank, **{f"backbone/{name}": layer for name, layer in layers.items()}}


_NETWORKS = {"hresnet": HResNet, "ccnn": CCNN}


class Model:
  """A network with weights, and its optimiser.

  Args:
    job: the job.
    weights: initial weights; None initialises as in the author's code.
    layout: memory format of the convolutions, a value of `LAYOUTS`.
    dropout: dropout rate of CCNN.
  """

  def __init__(
    self, job: Job, weights: Weights | None, layout: torch.memory_format, dropout: float = _DROPOUT
  ):
    self._job, self.layout = job, layout
    self.network = _NETWORKS[job.network](job.bands, job.class_counts, dropout)
    with torch.no_grad():
      for name, array in self.network.arrays().items():
        if weights:
          array.copy_(torch.from_numpy(weights[name]).reshape(array.shape))
        elif name.endswith("/kernel"):
          nn.init.normal_(array, 0, 0.01)
        elif name.endswith("/bias"):
          nn.init.zeros_(array)
    self.network.to(DEVICE, memory_format=layout)
    self.start_phase(0)

  def start_phase(self, phase: int) -> None:
    """Makes an optimiser with new accumulators and the learning rate of a phase."""
    job = self._job
    self._optimizer = torch.optim.Adadelta(
      self.network.parameters(), lr=job.learning_rates[phase], rho=job.rho, eps=job.epsilon
    )

  def update(self, patches: Tensor, classes: Sequence[Tensor]) -> Tensor:
    """Updates on a joined batch; returns the loss before the update."""
    self._optimizer.zero_grad()
    logits = self.network(patches)
    pairs = zip(logits, classes, strict=True)
    loss = sum(functional.cross_entropy(of_scene, right) for of_scene, right in pairs)
    loss.backward()
    self._optimizer.step()
    return loss.detach()

  def stored(self, patches: np.ndarray) -> Tensor:
    """Returns patches `[N, P, P, B]` in the layout of the convolutions, `[N, B, P, P]`."""
    return torch.from_numpy(patches).permute(0, 3, 1, 2).to(DEVICE).contiguous(memory_format=self.layout)

  @torch.inference_mode()
  def logits(self, patches: np.ndarray) -> list[np.ndarray]:
    """See `same_job.Peer`."""
    return [of_scene.cpu().numpy() for of_scene in self.network.eval()(self.stored(np.concatenate(patches)))]

  def step(self, patches: np.ndarray, classes: np.ndarray) -> float:
    """See `same_job.Peer`."""
    self.network.train()
    right = torch.from_numpy(classes).long().to(DEVICE)
    return float(self.update(self.stored(np.concatenate(patches)), right))

  def weights(self) -> Weights:
    """See `same_job.Peer`."""
    named = {name: x.detach().cpu().numpy().copy() for name, x in self.network.arrays().items()}
    heads = {name: x.reshape(-1, x.shape[-1]) for name, x in named.items() if "heads/" in name and x.ndim > 1}
    return {**named, **heads}

  @torch.inference_mode()
  def classify(self, padded: np.ndarray, rows: int) -> np.ndarray:
    """Returns the class indices `[H, W]` of all pixels, each classified from its patch.

    Args:
      padded: the scene with its margin, `[H + P - 1, W + P - 1, B]`.
      rows: rows of pixels in one batch.
    """
    self.network.eval()
    cube, patch = torch.from_numpy(padded).to(DEVICE), self._job.patch
    if self.layout == torch.contiguous_format:
      cube = cube.permute(2, 0, 1).contiguous().permute(1, 2, 0)
    views = cube.unfold(0, patch, 1).unfold(1, patch, 1)
    if self.layout == torch.channels_last:
      views = views.permute(0, 1, 3, 4, 2)
    labels = []
    for top in range(0, len(views), rows):
      patches = views[top : top + rows].flatten(0, 1)
      if self.layout == torch.channels_last:
        patches = patches.permute(0, 3, 1, 2)
      labels.append(self.network(patches)[0].argmax(1))
    return torch.cat(labels).reshape(views.shape[:2]).cpu().numpy()


class Training:
  """A network in training, with its training set in memory in the layout of the convolutions.

  Args:
    model: the network.
    sets: the training set of every scene.
    batch_size: samples N of every scene.
  """

  def __init__(self, model: Model, sets: Sequence[Samples], batch_size: int):
    self.model, self._batch_size = model, batch_size
    self._patches = [model.stored(one.patches) for one in sets]
    self._classes = [torch.from_numpy(one.classes).long().to(DEVICE) for one in sets]

  def epochs(self, count: int) -> float:
    """Trains `count` epochs; returns the mean loss of the last one."""
    self.model.network.train()
    return [self._epoch() for _ in range(count)][-1]

  def first_step(self) -> float:
    """Trains on one batch; returns its loss."""
    self.model.network.train()
    return float(self._step([torch.arange(self._batch_size, device=DEVICE)] * len(self._classes)))

  def _epoch(self):
    longest = torch.arange(max(map(len, self._classes)), device=DEVICE)
    # Shorter sets wrap around to the length of the longest.
    orders = [torch.randperm(len(one), device=DEVICE)[longest % len(one)] for one in self._classes]
    batches = list(zip(*(order.split(self._batch_size) for order in orders), strict=True))
    return float(sum(map(self._step, batches))) / len(batches)

  def _step(self, samples):
    patches = [one[index] for one, index in zip(self._patches, samples, strict=True)]
    classes = [one[index] for one, index in zip(self._classes, samples, strict=True)]
    return self.model.update(patches[0] if len(patches) == 1 else torch.cat(patches), classes)


def threaded(run: Callable[[], object], threads: int) -> Callable[[], object]:
  """Returns the call with a number of threads, set before each call because the setting can be shared."""

  def call():
    torch.set_num_threads(threads)
    return run()

  return call


def side_by_side(runs: Sequence[Callable[[], object]], cores: int) -> Callable[[], list]:
  """Returns a function that does all calls, each with a single thread, one per core at a time."""
  pool, single = ThreadPoolExecutor(cores), [threaded(run, 1) for run in runs]
  return lambda: list(pool.map(lambda run: run(), single))


def product(size: int, cores: int) -> Callable[[], object]:
  """Returns a function that multiplies two square float32 matrices."""
  square = torch.randn(size, size, device=DEVICE)

  def multiply():
    result = square @ square
    if DEVICE.type == "cuda":
      torch.cuda.synchronize()
    return result

  return threaded(multiply, cores)
