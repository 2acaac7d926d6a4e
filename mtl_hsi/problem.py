"""What an experiment has to solve, checked before any work starts."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from mtl_hsi import alignment, batches, paper, patches, sampling
from mtl_hsi.errors import RequestError
from mtl_hsi.models.multitask import Network, make_network
from mtl_hsi.sampling import Split
from mtl_hsi.scenes.public import PUBLIC_SCENES, is_public
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.settings import Settings

# Bands of the paper's experiments, by the target's sensor.
_PAPER_BANDS = {"ROSIS": alignment.ROSIS_BANDS, "AVIRIS": alignment.AVIRIS_BANDS}


@dataclasses.dataclass(frozen=True)
class Problem:
  """Scenes, splits and network of an experiment.

  Attributes:
    scenes: by name, in the order of training.
    bands: band alignment of every scene.
    scales: what every scene's values are divided by.
    splits: training and test pixels of every scene.
    network: the network to train.
  """

  scenes: Mapping[str, Scene]
  bands: Mapping[str, np.ndarray]
  scales: Mapping[str, float]
  splits: Mapping[str, Split]
  network: Network


def prepare(options: Settings) -> Problem:
  """Loads and checks everything before any work starts.

  Raises:
    RequestError: a scene cannot be loaded, or the scenes cannot be trained together as asked.
  """
  scenes = {name: load() for name, load in options.loaders.items()}
  bands = {name: _bands(options, scene) for name, scene in scenes.items()}
  splits = _splits(options, scenes)
  network = make_network(
    bands=alignment.check_equal_counts(bands),
    class_counts=[len(scene.class_ids) for scene in scenes.values()],
    **dataclasses.asdict(options.model),
  )
  scales = {name: _scale(scene) for name, scene in scenes.items()}
  return Problem(scenes, bands, scales, splits, network)


def _bands(options, scene):
  chosen = np.arange(scene.cube.shape[2], dtype=np.int32)
  if scene.name in options.band_ranges:
    chosen = chosen[options.band_ranges[scene.name]]
    end = options.band_ranges[scene.name].stop
    if end > scene.cube.shape[2]:
      raise RequestError(f"files.{scene.name}.bands ends at {end}; the scene has {scene.cube.shape[2]} bands")
  chosen = chosen[alignment.index_bands(len(chosen), options.bands, scene.sensor, scene.name)]
  return chosen[::-1] if scene.name in options.reversed else chosen


def _scale(scene):
  """The scene's maximum over all its bands (author's code)."""
  values = scene.cube if scene.nodata is None else scene.cube[~scene.nodata]
  largest = float(values.max())
  if largest <= 0:
    raise RequestError(f"scene {scene.name!r}: the largest value is {largest:g}; nothing to scale by")
  return largest


def _splits(options, scenes):
  if options.split_file is None:
    return {
      name: sampling.random_split(
        scene.labels, options.samples_per_class, seed=options.seed, replicas=options.replicas, name=name
      )
      for name, scene in scenes.items()
    }
  return sampling.read_splits(
    options.split_file, {name: s.labels for name, s in scenes.items()}, options.replicas
  )


def layers(problem: Problem) -> list[patches.Layer]:
  """What `patches.lay_out` needs of every scene."""
  return [
    patches.Layer(scene.cube, problem.bands[name], problem.scales[name], scene.nodata)
    for name, scene in problem.scenes.items()
  ]


def training_set(problem: Problem) -> batches.TrainingSet:
  """Training pixels of all scenes and replicas."""
  scenes = problem.scenes.values()
  return batches.training_set(
    [split.train for split in problem.splits.values()],
    [scene.labels for scene in scenes],
    [scene.class_ids for scene in scenes],
  )


def paper_figure(problem: Problem, options: Settings) -> paper.PaperFigure | None:
  """The paper's figure for the target; None where scenes, bands, split or network are not the paper's."""
  model = options.model
  if not all(map(is_public, problem.scenes.values())) or options.split_file or options.band_ranges:
    return None
  bands = _PAPER_BANDS[PUBLIC_SCENES[options.target].sensor]
  if (options.bands, model.blocks, model.pool) != (bands, 1, False):
    return None
  partners = [name for name in problem.scenes if name != options.target]
  column = paper.column_of(
    options.target, partners, model.name, model.spectral_knowledge, sorted(options.reversed)
  )
  return column and paper.figure(paper.SHORT_NAMES[options.target], column, options.samples_per_class)


def describe(problem: Problem) -> dict:
  """What a trained network must be given again with a new image, and its classes; for `scenes.json`."""
  return {
    name: {
      "shape": list(scene.cube.shape),
      "sensor": scene.sensor,
      "simulated": scene.simulated,
      "provenance": scene.provenance,
      "classes": {str(class_id): scene.class_names[class_id] for class_id in scene.class_ids.tolist()},
      "scale": problem.scales[name],
      "bands": problem.bands[name].tolist(),
    }
    for name, scene in problem.scenes.items()
  }
