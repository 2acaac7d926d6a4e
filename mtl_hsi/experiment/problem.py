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
from mtl_hsi.runs.trained import TrainedRun
from mtl_hsi.scenes.public.catalogue import PUBLIC_SCENES
from mtl_hsi.scenes.public.verification import is_public
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.settings.band_settings import BY_WAVELENGTH
from mtl_hsi.settings.experiment_settings import Settings
from mtl_hsi.settings.training_settings import SVM
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


def prepare(options: Settings, origin: TrainedRun | None = None) -> Problem:
  """Loads and checks everything before any work starts.

  Args:
    options: what is asked for.
    origin: the run that training starts from; it must be given where the options name one.

  Raises:
    RequestError: a scene cannot be loaded, or the scenes cannot be trained as asked.
  """
  scenes = {name: load() for name, load in options.loaders.items()}
  inputs, channels = align(options, scenes, origin)
  if options.inference.smoothing.steps:
    inputs = {name: _with_contrast(own, scenes[name]) for name, own in inputs.items()}
  network = _network(options, scenes, inputs)
  splits = _splits(options, scenes, _min_separation(network, options.recipe.shift))
  problem = Problem(scenes, inputs, channels, splits, network, options.recipe.shift)
  if network is None:
    for name, scene in scenes.items():
      svm_baseline.check_samples(name, scene.labels, scene.class_names, problem.splits[name].train)
  else:
    # Refuses epochs without a batch.
    counts = training_set(problem).counts
    batches.steps_per_epoch(
      counts,
      options.batch_size,
      mixed=options.mixed,
      drop_last=options.drop_last,
      fixed=options.recipe.steps,
    )
  return problem


def _with_contrast(inputs, scene):
  return dataclasses.replace(inputs, contrast=smoothing.contrast(scene.cube, scene.nodata, inputs))


def _network(options, scenes, inputs):
  """None for SVMs, which share nothing and may have different bands."""
  if options.model.name == SVM:
    return None
  return make_network(
    bands=next(iter(inputs.values())).channels,
    class_counts=[len(scene.class_ids) for scene in scenes.values()],
    **dataclasses.asdict(options.model),
  )


def _splits(options, scenes, min_separation):
  if options.split_file is not None:
    return read_splits(
      options.split_file, {name: s.labels for name, s in scenes.items()}, options.replicas
    )
  return {name: _split(options, scene, min_separation) for name, scene in scenes.items()}


def _split(options, scene, min_separation):
  if scene.trained is None:
    return _drawn(options, scene, scene.labels, min_separation)
  others = np.where(scene.trained, 0, scene.labels)
  if not (others.any() or options.samples_per_class == ALL):
    raise RequestError(
      f"scene {scene.name!r}: all labels are among more_labels, which train, and none is left to test; give "
      "samples_per_class=0 to do without a test"
    )
  drawn = _drawn(options, scene, others, min_separation)
  by_blocks = scene.tested is None and options.block_size is not None
  distance = min_separation if by_blocks else 1
  return with_training_pixels(drawn, scene.trained, min_separation=distance, name=scene.name)


def _drawn(options, scene, labels, min_separation):
  """The split of pixels of which it is not known that they train."""
  draw = {"seed": options.seed, "replicas": options.replicas, "name": scene.name}
  if scene.tested is not None:
    return given_split(labels, scene.tested, options.samples_per_class, **draw)
  if options.block_size is not None:
    draw |= {"block_size": options.block_size, "min_separation": min_separation}
    return block_split(labels, options.samples_per_class, **draw)
  return random_split(labels, options.samples_per_class, **draw)


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


def follows_the_letter(options: Settings) -> bool:
  """Whether network and training are the letter's; what it leaves open is free (statistics, vote)."""
  if options.split_file or options.block_size or options.given_splits:
    return False
  if options.origin or options.band_ranges or options.alignment == BY_WAVELENGTH:
    return False
  if options.inference.symmetric or options.inference.smoothing.steps or options.mnf_components:
    return False
  if options.model.name == SVM:
    return True
  phases = tuple((phase.epochs, phase.learning_rate, phase.frozen) for phase in options.schedule.phases)
  network = options.model.blocks, options.model.pool
  return (phases, options.optimizer, options.batch_size, network, options.recipe) == (
    _LETTERS_PHASES,
    _LETTERS_OPTIMIZER,
    _LETTERS_BATCH,
    (1, False),
    LETTER_RECIPE,
  )


def paper_figure(problem: Problem, options: Settings) -> published.PaperFigure | None:
  """The paper's figure for the target; None where scenes, bands, split or network are not the paper's."""
  model = options.model
  if not all(map(is_public, problem.scenes.values())) or not follows_the_letter(options):
    return None
  if options.bands != _PAPER_BANDS[PUBLIC_SCENES[options.target].sensor]:
    return None
  partners = [name for name in problem.scenes if name != options.target]
  column = published.column_of(
    options.target, partners, model.name, model.spectral_knowledge, sorted(options.reversed)
  )
  return column and published.figure(published.SHORT_NAMES[options.target], column, options.samples_per_class)
