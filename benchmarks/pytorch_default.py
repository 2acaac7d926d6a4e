"""The default recipe's context network in idiomatic PyTorch: training, and dense classification."""

import contextlib

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.default_job import ContextJob
from benchmarks.pytorch_peer import DEVICE, Network, norm
from benchmarks.same_job import Weights

_LAYOUT = torch.channels_last


class VResNet(Network):
  """The network of `mtl_hsi/models/vresnet.py` for one scene."""

  window = 1, 1

  def __init__(self, job: ContextJob):
    super().__init__((job.class_count,), job.width)
    self.stem = nn.Conv2d(job.padded.shape[2], job.width, 1)
    self.convolutions = nn.ModuleList(nn.Conv2d(job.width, job.width, 3) for _ in range(job.blocks))
    self.norms = nn.ModuleList(norm(job.width) for _ in range(job.blocks))
    self.side = job.patch - 2 * job.blocks

  def maps(self, x: Tensor) -> Tensor:
    """Returns `[N, D, H - 2 * blocks, W - 2 * blocks]` from images `[N, B, H, W]`."""
    x = self.stem(x)
    for convolution, normalise in zip(self.convolutions, self.norms, strict=True):
      x = x[..., 1:-1, 1:-1] + functional.gelu(normalise(convolution(x)), approximate="tanh")
    return x

  def features(self, joined: Tensor) -> Tensor:
    """Returns features `[N, D]` from patches `[N, B, P, P]`."""
    return self.maps(joined).mean((2, 3))

  def every_pixel(self, padded: Tensor) -> Tensor:
    """Returns the logits `[1, C, H, W]` from a padded scene `[1, B, H + P - 1, W + P - 1]`."""
    head = self.heads[0]
    means = functional.avg_pool2d(self.maps(padded), self.side, 1)
    return functional.conv2d(means, head.weight[..., None, None], head.bias)

  def layers(self) -> dict[str, nn.Module]:
    """Returns the layers by our names."""
    pairs = enumerate(zip(self.convolutions, self.norms, strict=True))
    return {"stem/conv": self.stem} | {
      f"backbone/residuals_{index}/{name}": layer
      for index, pair in pairs
      for name, layer in zip(("conv", "norm"), pair, strict=True)
    }


class Training:
  """A network in training. The scene is in memory, and each step cuts patches from it.

  Args:
    job: the job.
    replica: whose training pixels are used.
    weights: initial weights; None keeps those of PyTorch.
    compiled: whether `torch.compile` compiles forward and backward pass.
    precision: "float32", "tf32" or "bfloat16" (autocast).
  """

  def __init__(
    self,
    job: ContextJob,
    replica: int,
    *,
    weights: Weights | None = None,
    compiled: bool = False,
    precision: str = "float32",
  ):
    self._job, self._precision, self._done = job, precision, 0
    self.network = VResNet(job)
    if weights:
      with torch.no_grad():
        for name, array in self.network.arrays().items():
          array.copy_(torch.tensor(weights[name]).reshape(array.shape))
    self.network.to(DEVICE, memory_format=_LAYOUT)
    self._forward = torch.compile(self.network) if compiled else self.network
    self._optimizer = torch.optim.AdamW(
      self.network.parameters(), lr=job.learning_rate, weight_decay=job.weight_decay, fused=True
    )
    self._pixels = torch.from_numpy(job.padded).flatten(0, 1).to(DEVICE)
    self._centres = torch.from_numpy(job.centres[replica]).long().to(DEVICE)
    self._classes = torch.from_numpy(job.classes[replica]).long().to(DEVICE)

  def steps(self, count: int) -> float:
    """Trains for `count` steps; returns the mean loss."""
    self.network.train()
    return float(sum(self._step() for _ in range(count))) / count

  def update(self, patches: Tensor, classes: Tensor, rate: float) -> Tensor:
    """Updates on patches `[N, B, P, P]` with a learning rate; returns the loss before the update."""
    self._optimizer.param_groups[0]["lr"] = rate
    self._optimizer.zero_grad()
    with self._mode():
      (logits,) = self._forward(patches)
      loss = functional.cross_entropy(logits, classes, label_smoothing=self._job.label_smoothing)
    loss.backward()
    self._optimizer.step()
    return loss.detach()

  def step(self, patches: np.ndarray, classes: np.ndarray) -> float:
    """Updates on patches `[N, P, P, B]` with the peak rate; returns the loss before the update."""
    self.network.train()
    right = torch.from_numpy(classes).long().to(DEVICE)
    return float(self.update(_images(patches), right, self._job.learning_rate))

  @torch.inference_mode()
  def logits(self, patches: np.ndarray) -> np.ndarray:
    """Returns the logits in inference `[N, C]` of patches `[N, P, P, B]`."""
    return self.network.eval()(_images(patches))[0].cpu().numpy()

  @torch.inference_mode()
  def classify(self) -> np.ndarray:
    """Returns the class indices `[H, W]` of the scene, by convolutions of the whole padded scene."""
    self.network.eval()
    with self._mode():
      return self.network.every_pixel(_images(self._job.padded[None]))[0].argmax(0).cpu().numpy()

  def _step(self):
    drawn = torch.randperm(len(self._classes), device=DEVICE)
    drawn = drawn.repeat(-(-self._job.batch_size // len(drawn)))[: self._job.batch_size]
    self._done += 1
    return self.update(self._patches(drawn), self._classes[drawn], self._job.rate(self._done - 1))

  def _patches(self, drawn):
    """Cuts the patches of samples `[N]`, shifted and in one of eight symmetries at random."""
    job, count = self._job, len(drawn)
    height, width, _ = job.padded.shape
    shift = torch.randint(-job.shift, job.shift + 1, (count, 2), device=DEVICE)
    limit = torch.tensor([height - job.patch, width - job.patch], device=DEVICE)
    centres = torch.minimum((self._centres[drawn] + shift).clamp(min=0), limit)
    offsets = torch.arange(job.patch, device=DEVICE) - job.patch // 2
    signs = torch.randint(0, 2, (2, count, 1, 1), device=DEVICE) * 2 - 1
    swap = torch.randint(0, 2, (count, 1, 1), device=DEVICE, dtype=torch.bool)
    down, right = offsets.reshape(1, -1, 1), offsets.reshape(1, 1, -1)
    rows = signs[0] * torch.where(swap, right, down) + job.patch // 2 + centres[:, 0].reshape(-1, 1, 1)
    columns = signs[1] * torch.where(swap, down, right) + job.patch // 2 + centres[:, 1].reshape(-1, 1, 1)
    # The channels are last in memory, which is fastest for the convolutions.
    return self._pixels[rows * width + columns].permute(0, 3, 1, 2)

  @contextlib.contextmanager
  def _mode(self):
    matmul, convolutions = torch.backends.cuda.matmul, torch.backends.cudnn
    matmul.allow_tf32 = convolutions.allow_tf32 = self._precision == "tf32"
    with torch.autocast(DEVICE.type, torch.bfloat16, enabled=self._precision == "bfloat16"):
      yield
    matmul.allow_tf32 = convolutions.allow_tf32 = False


def _images(arrays):
  """Returns arrays `[N, H, W, B]` as images `[N, B, H, W]` whose channels are last in memory."""
  return torch.from_numpy(arrays).permute(0, 3, 1, 2).to(DEVICE)
