"""The variants of every side for the rows of the default recipe."""

import functools
import pickle
from pathlib import Path

import numpy as np

from benchmarks import default_job, same_job
from benchmarks.job import Work
from mtl_hsi.errors import RequestError

# Steps of one call of PyTorch and of ours: an epoch of the default recipe.
STEPS = 100
_LEARNING_EPOCHS = 2
# Tolerance of logits and losses, relative to 1 plus their size.
_TOLERANCE = 1e-3


class Contexts:
  """Names of the files that our side writes for the others."""

  directory: Path

  @property
  def job_file(self) -> Path:
    """The training of the context network."""
    return self.directory / "default-job.npz"

  @property
  def reference_file(self) -> Path:
    """Our results of a random network on one batch."""
    return self.directory / "default-reference.npz"

  @property
  def weights_file(self) -> Path:
    """Weights after a few epochs."""
    return self.directory / "default-weights.npz"

  @property
  def smoothing_file(self) -> Path:
    """Probabilities to smooth."""
    return self.directory / "default-smoothing.pickle"


class OursByDefault(Contexts):
  """Our side."""

  def default_prepare(self) -> None:
    """Writes the files of the job, and the trained weights that all sides use for classification."""
    from benchmarks import our_default, our_side

    prepared = self._by_default()
    default_job.save(our_default.context_job(prepared), self.job_file)
    same_job.save(our_side.reference(prepared), self.reference_file)
    self.smoothing_file.write_bytes(pickle.dumps(our_default.smoothing_job(prepared)))
    np.savez(self.weights_file, **self._learnt_by_default().weights())

  def default_train(self, work: Work) -> list:
    """Trains the networks of this process for an epoch of 100 steps."""
    from benchmarks import our_side

    training = our_side.OurTraining(self._by_default(), self.networks)
    variant = "one network" if self.networks == 1 else "replicas spread over the devices"
    return [(variant, self.networks, functools.partial(training.epochs, 1))]

  def default_classify(self, work: Work) -> list:
    """Classifies every pixel, without smoothing."""
    return [("dense", 1, self._learnt_by_default().classifier())]

  def default_classify_smoothed(self, work: Work) -> list:
    """Classifies every pixel, smoothed by 40 steps."""
    from benchmarks import our_default

    options = our_default.far_smoothing(self._by_default())
    return [("dense, smoothed in tiles", 1, self._learnt_by_default().classifier(options))]

  def default_smooth(self, work: Work) -> list:
    """Smooths the scene in one piece."""
    from benchmarks import our_default

    return [
      ("one piece, weights included", 1, our_default.smoother(our_default.smoothing_job(self._by_default())))
    ]

  @functools.lru_cache(1)  # noqa: B019 - the side lives as long as its process
  def _by_default(self):
    from benchmarks import our_default, our_side

    return our_side.prepare(our_default.config())

  def _learnt_by_default(self):
    from benchmarks import our_side

    training = our_side.OurTraining(self._by_default(), 1)
    training.epochs(_LEARNING_EPOCHS)
    return training


class PyTorchByDefault(Contexts):
  """PyTorch: channels last and a fused optimiser, with and without `torch.compile`."""

  def default_train(self, work: Work) -> list:
    """Trains one network on all cores; or one in a separate process on each core."""
    from benchmarks import pytorch_default, pytorch_peer
    from benchmarks.pytorch_crowd import Crowd

    job = default_job.load(self.job_file)
    check_losses(job, same_job.load(self.reference_file))
    forms = {"channels last, compiled": True, "channels last": False}
    if work.replicas > 1:
      if self.device != "cpu":
        return []
      self._crowds = [Crowd(self.job_file, self.cores, compiled) for compiled in forms.values()]
      return [
        (f"{name}, a process on each core", self.cores, functools.partial(crowd.steps, STEPS))
        for name, crowd in zip(forms, self._crowds, strict=True)
      ]
    tasks = []
    for name, compiled in forms.items():
      training = pytorch_default.Training(job, 0, compiled=compiled)
      run = pytorch_peer.threaded(functools.partial(training.steps, STEPS), self.cores)
      tasks.append((name, 1, run))
    return tasks

  def default_classify(self, work: Work) -> list:
    """Classifies by convolutions of the padded scene."""
    from benchmarks import pytorch_default, pytorch_peer

    with np.load(self.weights_file) as stored:
      weights = dict(stored)
    training = pytorch_default.Training(default_job.load(self.job_file), 0, weights=weights)
    return [("convolutions of the whole scene", 1, pytorch_peer.threaded(training.classify, self.cores))]

  def close(self) -> None:
    """Ends further processes and removes all contenders."""
    for crowd in getattr(self, "_crowds", ()):
      crowd.stop()
    self._crowds = []
    super().close()


class SciPyByDefault(Contexts):
  """SciPy, which only smooths."""

  def default_smooth(self, work: Work) -> list:
    """Smooths the scene by products with a sparse matrix."""
    from benchmarks import scipy_smoothing

    job = pickle.loads(self.smoothing_file.read_bytes())
    return [("sparse product, weights included", 1, functools.partial(scipy_smoothing.smooth, job))]


def check_losses(job: default_job.ContextJob, reference: same_job.Reference) -> None:
  """Checks that PyTorch has the same logits and losses as our side, before and after an update, on one batch.

  Updated parameters are not compared: AdamW moves a bias whose gradient is 0 up to rounding by the learning
  rate in either direction.

  Raises:
    RequestError: they differ beyond rounding.
  """
  from benchmarks.pytorch_default import Training

  (patches,), (classes,) = reference.patches, reference.classes
  peer, updated = (Training(job, 0, weights=weights) for weights in (reference.weights, reference.updated))
  compared = {
    "logits": (peer.logits(patches), reference.logits[0]),
    "losses": (peer.step(patches, classes), reference.loss),
    "losses after an update": (peer.step(patches, classes), updated.step(patches, classes)),
  }
  for name, (actual, expected) in compared.items():
    difference = np.max(np.abs(np.subtract(actual, expected)) / (1 + np.abs(expected)))
    if not difference <= _TOLERANCE:
      raise RequestError(f"PyTorch: {name} differ from ours by up to {difference:.2g}: not the same job")
