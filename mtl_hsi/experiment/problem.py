"""What an experiment has to solve, checked before any work starts."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from mtl_hsi.channels import by_index, by_wavelength
from mtl_hsi.channels.inputs import Inputs
from mtl_hsi.classification import smoothing
from mtl_hsi.errors import RequestError
from mtl_hsi.experiment.fit_inputs import align
from mtl_hsi.models.multitask import Network
from mtl_hsi.models.registry import make_network
from mtl_hsi.paper import published
from mtl_hsi.runs.trained_run import TrainedRun
from mtl_hsi.scenes.public.catalogue import PUBLIC_SCENES
from mtl_hsi.scenes.public.verification import is_public
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.settings.band_settings import BY_WAVELENGTH
from mtl_hsi.settings.experiment_settings import Settings
from mtl_hsi.settings.model_settings import SVM
from mtl_hsi.splits.blocks import block_split
from mtl_hsi.splits.drawn import ALL, given_split, random_split, with_training_pixels
from mtl_hsi.splits.split import Split, read_splits
from mtl_hsi.training import batches, patches, svm_baseline
from mtl_hsi.training.recipe import LETTER_RECIPE

# The letter's protocol (section III-B).
_LETTERS_PHASES = ((100, 1.0, ()), (30, 0.1, ()))
_LETTERS_OPTIMIZER = "adadelta"
_LETTERS_BATCH = 20

# SpectralBands of the paper's experiments, by the target's sensor.
_PAPER_BANDS = {"ROSIS": by_index.ROSIS_BANDS, "AVIRIS": by_index.AVIRIS_BANDS}


@dataclasses.dataclass(frozen=True)
class Problem:
  """Scenes, splits and network of an experiment.

  Attributes:
    scenes: by name, in the order of training.
    inputs: what is done to every scene's pixels.
    channels: bands to which all scenes are resampled, or None where they are aligned by index.
    splits: training and test pixels of every scene.
    network: the network to train, or None where every scene gets SVMs.
    shift: rows and columns by which training patches may be off their pixels.
  """

  scenes: Mapping[str, Scene]
  inputs: Mapping[str, Inputs]
  channels: by_wavelength.SpectralBands | None
  splits: Mapping[str, Split]
  network: Network | None
  shift: int

  @property
  def patch(self) -> int:
    """Side P of the patches that are classified; an SVM sees the pixel alone."""
    return 1 if self.network is None else self.network.patch

  @property
  def min_separation(self) -> int:
    """Smallest difference in rows or columns at which a test and a training patch do not overlap."""
    return _min_separation(self.network, self.shift)


def _min_separation(network, shift):
  return 1 if network is None else network.patch + shift


def prepare(settings: Settings, origin: TrainedRun | None = None) -> Problem:
  """Loads and checks everything before any work starts.

  Args:
    settings: what is asked for.
    origin: the run that training starts from; it must be given where the settings name one.

  Raises:
    RequestError: a scene cannot be loaded, or the scenes cannot be trained as asked.
  """
  scenes = {name: load() for name, load in settings.scenes.loaders.items()}
  inputs, channels = align(settings, scenes, origin)
  if settings.inference.options.smoothing.steps:
    inputs = {name: _with_contrast(own, scenes[name]) for name, own in inputs.items()}
  network = _network(settings, scenes, inputs)
  splits = _splits(settings, scenes, _min_separation(network, settings.training.recipe.shift))
  problem = Problem(scenes, inputs, channels, splits, network, settings.training.recipe.shift)
  if network is None:
    for name, scene in scenes.items():
      svm_baseline.check_samples(name, scene.labels, scene.class_names, problem.splits[name].train)
  else:
    # Refuses epochs without a batch.
    counts = training_set(problem).counts
    batches.steps_per_epoch(
      counts,
      settings.training.batch_size,
      mixed=settings.training.mixed,
      drop_last=settings.training.drop_last,
      fixed=settings.training.recipe.steps,
    )
  return problem


def _with_contrast(inputs, scene):
  return dataclasses.replace(inputs, contrast=smoothing.contrast(scene.cube, scene.nodata, inputs))


def _network(settings, scenes, inputs):
  """None for SVMs, which share nothing and may have different bands."""
  if settings.model.name == SVM:
    return None
  return make_network(
    bands=next(iter(inputs.values())).channels,
    class_counts=[len(scene.class_ids) for scene in scenes.values()],
    **dataclasses.asdict(settings.model),
  )


def _splits(settings, scenes, min_separation):
  if settings.split.file is not None:
    return read_splits(settings.split.file, {name: s.labels for name, s in scenes.items()}, settings.replicas)
  return {name: _split(settings, scene, min_separation) for name, scene in scenes.items()}


def _split(settings, scene, min_separation):
  if scene.trained is None:
    return _drawn(settings, scene, scene.labels, min_separation)
  others = np.where(scene.trained, 0, scene.labels)
  if not (others.any() or settings.split.samples_per_class == ALL):
    raise RequestError(
      f"scene {scene.name!r}: all labels are among more_labels, which train, and none is left to test; give "
      "samples_per_class=0 to do without a test"
    )
  drawn = _drawn(settings, scene, others, min_separation)
  by_blocks = scene.tested is None and settings.split.block_size is not None
  distance = min_separation if by_blocks else 1
  return with_training_pixels(drawn, scene.trained, min_separation=distance, name=scene.name)


def _drawn(settings, scene, labels, min_separation):
  """The split of pixels of which it is not known that they train."""
  draw = {"seed": settings.seed, "replicas": settings.replicas, "name": scene.name}
  if scene.tested is not None:
    return given_split(labels, scene.tested, settings.split.samples_per_class, **draw)
  if settings.split.block_size is not None:
    draw |= {"block_size": settings.split.block_size, "min_separation": min_separation}
    return block_split(labels, settings.split.samples_per_class, **draw)
  return random_split(labels, settings.split.samples_per_class, **draw)


def layers(problem: Problem) -> list[patches.Layer]:
  """What `patches.lay_out` needs of every scene."""
  return [
    patches.Layer(scene.cube, problem.inputs[name], scene.nodata) for name, scene in problem.scenes.items()
  ]


def training_set(problem: Problem) -> batches.TrainingSet:
  """Training pixels of all scenes and replicas."""
  scenes = problem.scenes.values()
  return batches.training_set(
    [split.train for split in problem.splits.values()],
    [scene.labels for scene in scenes],
    [scene.class_ids for scene in scenes],
  )


def follows_the_letter(settings: Settings) -> bool:
  """Whether network and training are the letter's; what it leaves open is free (statistics, vote)."""
  if settings.split.file or settings.split.block_size or settings.scenes.given_splits:
    return False
  if settings.origin or settings.scenes.band_ranges or settings.bands.alignment == BY_WAVELENGTH:
    return False
  inference = settings.inference.options
  if inference.symmetric or inference.smoothing.steps or settings.bands.mnf_components:
    return False
  if settings.model.name == SVM:
    return True
  training = settings.training
  phases = tuple((phase.epochs, phase.learning_rate, phase.frozen) for phase in training.schedule.phases)
  network = settings.model.blocks, settings.model.pool
  return (phases, training.optimizer, training.batch_size, network, training.recipe) == (
    _LETTERS_PHASES,
    _LETTERS_OPTIMIZER,
    _LETTERS_BATCH,
    (1, False),
    LETTER_RECIPE,
  )


def paper_figure(problem: Problem, settings: Settings) -> published.PaperFigure | None:
  """The paper's figure for the target; None where scenes, bands, split or network are not the paper's."""
  model = settings.model
  if not all(map(is_public, problem.scenes.values())) or not follows_the_letter(settings):
    return None
  if settings.bands.count != _PAPER_BANDS[PUBLIC_SCENES[settings.scenes.target].sensor]:
    return None
  partners = [name for name in problem.scenes if name != settings.scenes.target]
  column = published.column_of(
    settings.scenes.target, partners, model.name, model.spectral_knowledge, sorted(settings.bands.reversed)
  )
  return column and published.figure(
    published.SHORT_NAMES[settings.scenes.target], column, settings.split.samples_per_class
  )
