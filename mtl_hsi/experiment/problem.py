"""Scenes, splits and network of an experiment, checked before any work starts."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from mtl_hsi.channels import by_wavelength
from mtl_hsi.channels.inputs import Inputs
from mtl_hsi.channels.padded import Padded, PaddedChannels
from mtl_hsi.channels.ranges import channel_ranges
from mtl_hsi.classification import smoothing
from mtl_hsi.errors import RequestError
from mtl_hsi.experiment import training_pixels
from mtl_hsi.experiment.fit_inputs import align
from mtl_hsi.experiment.training_pixels import SceneFolds
from mtl_hsi.models.multitask import Network
from mtl_hsi.runs.networks import make_networks
from mtl_hsi.runs.trained_run import TrainedRun
from mtl_hsi.scenes.cube import in_memory
from mtl_hsi.scenes.legend import Legend, make_legend
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.settings.experiment_settings import Settings
from mtl_hsi.settings.model_settings import SVM
from mtl_hsi.settings.split_settings import ensemble_of
from mtl_hsi.splits.split import Split
from mtl_hsi.training import batches, patches, surroundings, svm_baseline
from mtl_hsi.training.ensemble import Ensemble


@dataclasses.dataclass(frozen=True)
class Problem:
  """Scenes, splits and network of an experiment.

  Attributes:
    scenes: by name, in the order of training.
    legend: which output of the network stands for which class of each scene.
    inputs: channels of every scene: bands, resampling, scaling, MNF components.
    channels: common bands to which all scenes are resampled, or None if they are aligned by index.
    splits: training and test pixels of every scene, a row for each map.
    folds: the folds of every scene, one entry for each map; empty without folds.
    ensemble: the networks to train.
    network: the network to train, or None for SVMs.
    local: the network of smaller patches that is mixed with it, or None.
    shift: largest shift of a training patch, in pixels.
  """

  scenes: Mapping[str, Scene]
  legend: Legend
  inputs: Mapping[str, Inputs]
  channels: by_wavelength.SpectralBands | None
  splits: Mapping[str, Split]
  folds: Mapping[str, Sequence[SceneFolds]]
  ensemble: Ensemble
  network: Network | None
  local: Network | None
  shift: int

  @property
  def networks(self) -> tuple[Network, ...]:
    """The networks of a mixture: that of the largest patches, and the local one if there is one."""
    return (self.network,) if self.local is None else (self.network, self.local)

  @property
  def patch(self) -> int:
    """Side P of the patches; 1 for an SVM, which sees single pixels."""
    return 1 if self.network is None else self.network.patch

  @property
  def min_separation(self) -> int:
    """Smallest difference in rows or columns at which a test and a training patch do not overlap."""
    return _min_separation(self.network, self.shift)


def _min_separation(network, shift):
  return 1 if network is None else network.patch + shift


def prepare(settings: Settings, origin: TrainedRun | None = None) -> Problem:
  """Loads the scenes and checks everything before any work starts.

  Args:
    settings: the settings.
    origin: the run that training starts from, if the settings name one.

  Raises:
    RequestError: a scene cannot be loaded, or the scenes do not fit the settings.
  """
  scenes = {name: load() for name, load in settings.scenes.loaders.items()}
  inputs, channels = align(settings, scenes, origin)
  if settings.inference.options.smoothing.steps or settings.mixture.smoothings:
    inputs = {name: _with_contrast(of_scene, scenes[name]) for name, of_scene in inputs.items()}
  legend = make_legend(
    {name: scene.class_names for name, scene in scenes.items()}, shared=settings.shared_legend
  )
  network, local = _networks(settings, legend, inputs)
  shift = settings.training.recipe.shift
  if network is not None:
    _check_shift(shift, network.patch)
    inputs = {name: _with_ranges(of_scene, scenes[name]) for name, of_scene in inputs.items()}
  splits = training_pixels.draw_splits(settings, scenes, _min_separation(network, shift))
  folds = training_pixels.draw_folds(settings, scenes, splits)
  ensemble = ensemble_of(settings.split, settings.replicas)
  problem = Problem(scenes, legend, inputs, channels, splits, folds, ensemble, network, local, shift)
  if network is None:
    for name, scene in scenes.items():
      if scene.library is not None:
        raise RequestError(f"scene {name!r} has a library, which model.name=svm does not use; remove library")
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


def _check_shift(shift, patch):
  if shift >= patch:
    raise RequestError(
      f"config key patch_shift is {shift}; expected at most {patch - 1}, so that shifted patches of "
      f"{patch} x {patch} pixels overlap the one around the labelled pixel"
    )


def _with_contrast(inputs, scene):
  return dataclasses.replace(inputs, contrast=smoothing.contrast(scene.cube, scene.nodata, inputs))


def _with_ranges(inputs, scene):
  return dataclasses.replace(inputs, ranges=channel_ranges(scene.cube, scene.measured, inputs))


def _networks(settings, legend, inputs):
  """Returns the network and the local one; None for SVMs, whose scenes may have different bands."""
  if settings.model.name == SVM:
    return None, None
  return make_networks(settings.model, settings.mixture, inputs.values(), legend)


def layers(problem: Problem) -> list[patches.Layer]:
  """Returns the layers of all scenes for `patches.lay_out`."""
  return [
    patches.Layer(scene.cube, problem.inputs[name], scene.nodata) for name, scene in problem.scenes.items()
  ]


def lay_out(problem: Problem) -> tuple[patches.Pixels, list[Padded]]:
  """Returns the pixels that training needs, and the padded channels of every scene.

  Scenes in memory are laid out as a whole. If one is read by windows, only the surroundings of the training
  pixels of all scenes are.

  Raises:
    RequestError: the surroundings do not fit into memory, or a file is damaged.
  """
  pixels, padded = _lay_out_scenes(problem)
  spectra = np.concatenate([library_channels(problem, name) for name in problem.scenes])
  return pixels._replace(spectra=spectra if len(spectra) else None), padded


def _lay_out_scenes(problem):
  if all(in_memory(scene.cube) for scene in problem.scenes.values()):
    return patches.lay_out(layers(problem), problem.patch)
  samples = training_set(problem)
  centres = [
    np.concatenate([rows[:count] for rows, count in zip(of_scene, counts, strict=True)])
    for of_scene, counts in zip(samples.centres.swapaxes(0, 1), samples.counts.T, strict=True)
  ]
  # The spectra of libraries are nowhere in the scene.
  centres = [rows[rows[:, 0] != patches.SPECTRUM] for rows in centres]
  return surroundings.lay_out(layers(problem), centres, problem.patch, problem.shift)


def library_channels(problem: Problem, name: str) -> np.ndarray:
  """Returns the input channels of the spectra of a scene's library, float32 `[n, B]`."""
  library, inputs = problem.scenes[name].library, problem.inputs[name]
  return np.empty((0, inputs.channels), np.float32) if library is None else inputs(library.values, None)


def channels_of(problem: Problem, name: str) -> Padded:
  """Returns the channels of a scene without padding; scenes of an SVM may have different numbers of them."""
  scene = problem.scenes[name]
  layer = patches.Layer(scene.cube, problem.inputs[name], scene.nodata)
  return patches.lay_out([layer], 1)[1][0] if in_memory(scene.cube) else PaddedChannels(*layer, 0)


def training_set(problem: Problem) -> batches.TrainingSet:
  """Returns the training pixels of all scenes and networks."""
  train = training_pixels.network_splits(problem.ensemble, problem.splits, problem.folds)
  return batches.training_set(
    list(train.values()),
    [scene.labels for scene in problem.scenes.values()],
    [problem.legend.class_ids(name) for name in problem.scenes],
    [library_classes(scene) for scene in problem.scenes.values()],
  )


def library_classes(scene: Scene) -> np.ndarray:
  """Returns the class ids of the spectra of a scene's library, int32 `[n]`."""
  return np.empty(0, np.int32) if scene.library is None else scene.library.class_ids
