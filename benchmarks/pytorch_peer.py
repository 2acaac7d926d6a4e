"""HResNet, its training and its use patch by patch, written as PyTorch is written."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.job import Samples

LAYOUTS = {"channels first": torch.contiguous_format, "channels last": torch.channels_last}


class HResNet(nn.Module):
  """The network of `mtl_hsi/models/hresnet.py` with one residual block and a flattening head.

  Args:
    weights: from `weights_of`; they also give the sizes.
    layout: memory format of its convolutions.
  """

  def __init__(self, weights: dict[str, Tensor], layout: torch.memory_format):
    super().__init__()
    width, bands = weights["stem.weight"].shape[:2]
    classes, features = weights["head.weight"].shape
    self.stem = nn.Conv2d(bands, width, 3)
    # PyTorch's momentum is the weight of the new batch, Keras's that of the past.
    self.norm = nn.BatchNorm2d(width, eps=1e-3, momentum=0.1)
    self.conv1 = nn.Conv2d(width, width, 3, padding=1)
    self.conv2 = nn.Conv2d(width, width, 3, padding=1)
    self.head = nn.Linear(features, classes)
    self.load_state_dict(weights)
    self.to(memory_format=layout)

  def forward(self, patches: Tensor) -> Tensor:
    """Logits `[N, C]` of patches `[N, B, P, P]`."""
    x = self.stem(patches)
    inner = functional.relu(self.conv1(functional.relu(self.norm(x))))
    return self.head((x + self.conv2(inner)).flatten(1))


def weights_of(params: dict, stats: dict) -> dict[str, Tensor]:
  """Our parameters and moving statistics of a single-scene network as those of `HResNet`."""
  stem, block, heads = params["stem"]["conv"], params["backbone"]["residuals_0"], params["heads"]
  norm, moving = block["norm"], stats["residuals_0"]["norm"]
  width, classes = stem["kernel"].shape[0], heads["bias"].shape[-1]
  side = round((heads["kernel"].shape[1] / width) ** 0.5)
  head = heads["kernel"][0].reshape(side, side, width, classes)
  arrays = {
    "stem.weight": stem["kernel"].transpose(0, 3, 1, 2),
    "stem.bias": stem["bias"],
    "norm.weight": norm["scale"],
    "norm.bias": norm["bias"],
    "norm.running_mean": moving["mean"][0],
    "norm.running_var": moving["var"][0],
    "norm.num_batches_tracked": 0,
    "conv1.weight": block["conv1"]["kernel"].transpose(0, 3, 1, 2),
    "conv1.bias": block["conv1"]["bias"],
    "conv2.weight": block["conv2"]["kernel"].transpose(0, 3, 1, 2),
    "conv2.bias": block["conv2"]["bias"],
    "head.weight": head.transpose(3, 2, 0, 1).reshape(classes, -1),
    "head.bias": heads["bias"][0],
  }
  return {name: torch.tensor(np.ascontiguousarray(array)) for name, array in arrays.items()}


class Training:
  """A network in training, its whole training set in memory as the convolutions want it.

  Args:
    weights: to start from.
    samples: its training set.
    layout: of `LAYOUTS`.
    batch_size: N.
    optimizer: arguments of Adadelta.
  """

  def __init__(
    self,
    weights: dict[str, Tensor],
    samples: Samples,
    layout: torch.memory_format,
    *,
    batch_size: int,
    optimizer: dict[str, float],
  ):
    self.network = HResNet(weights, layout).train()
    self.patches = torch.from_numpy(samples.patches).permute(0, 3, 1, 2).contiguous(memory_format=layout)
    self.classes = torch.from_numpy(samples.classes).long()
    self._batch_size = batch_size
    self._optimizer = torch.optim.Adadelta(self.network.parameters(), **optimizer)

  def step(self, samples: Tensor) -> Tensor:
    """One update by the samples of the given indices; returns the loss before it."""
    self._optimizer.zero_grad()
    loss = functional.cross_entropy(self.network(self.patches[samples]), self.classes[samples])
    loss.backward()
    self._optimizer.step()
    return loss.detach()

  def epoch(self) -> float:
    """All samples once, in random order; returns the mean loss."""
    batches = torch.randperm(len(self.classes)).split(self._batch_size)
    return float(sum(self.step(samples) for samples in batches)) / len(batches)


def threaded(run: Callable[[], object], threads: int) -> Callable[[], object]:
  """The call with so many threads; set anew each time, since one thread's setting can reach another's."""

  def call():
    torch.set_num_threads(threads)
    return run()

  return call


def side_by_side(trainings: Sequence[Training], cores: int) -> Callable[[], list[float]]:
  """An epoch of every network, a single-threaded one on each core at a time."""
  pool, epochs = ThreadPoolExecutor(cores), [threaded(training.epoch, 1) for training in trainings]
  return lambda: list(pool.map(lambda epoch: epoch(), epochs))


@torch.inference_mode()
def classify(
  network: HResNet, padded: np.ndarray, layout: torch.memory_format, patch: int, rows: int
) -> np.ndarray:
  """Class indices `[H, W]` of every pixel, each by its own patch.

  Args:
    network: to classify with, in use mode.
    padded: the scene and its margin `[H + P - 1, W + P - 1, B]`.
    layout: the network's, of `LAYOUTS`.
    patch: side P.
    rows: of pixels in one batch.
  """
  cube, channels_last = torch.from_numpy(padded), layout == torch.channels_last
  if not channels_last:
    cube = cube.permute(2, 0, 1).contiguous().permute(1, 2, 0)
  windows = cube.unfold(0, patch, 1).unfold(1, patch, 1)
  if channels_last:
    windows = windows.permute(0, 1, 3, 4, 2)
  labels = []
  for top in range(0, len(windows), rows):
    patches = windows[top : top + rows].flatten(0, 1)
    if channels_last:
      patches = patches.permute(0, 3, 1, 2)
    labels.append(network(patches).argmax(1))
  return torch.cat(labels).reshape(windows.shape[:2]).numpy()
