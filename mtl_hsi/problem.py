"""What an experiment has to solve, checked before any work starts."""

import dataclasses
import hashlib
from collections.abc import Iterable, Mapping

import numpy as np

from mtl_hsi import alignment, baselines, batches, paper, patches, sampling, wavelengths
from mtl_hsi.blocks import block_split
from mtl_hsi.errors import RequestError
from mtl_hsi.given import ALL, given_split, joined_labels
from mtl_hsi.inputs import Inputs, entry, make_inputs
from mtl_hsi.models.multitask import Network, make_network
from mtl_hsi.sampling import Split
from mtl_hsi.scenes.public import PUBLIC_SCENES, is_public
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.scenes.summary import summary
from mtl_hsi.settings import BY_WAVELENGTH, SVM, Settings

# The letter's protocol (section III-B).
_LETTERS_PHASES = ((100, 1.0, ()), (30, 0.1, ()))
_LETTERS_OPTIMIZER = "adadelta"
_LETTERS_BATCH = 20

# Bands of the paper's experiments, by the target's sensor.
_PAPER_BANDS = {"ROSIS": alignment.ROSIS_BANDS, "AVIRIS": alignment.AVIRIS_BANDS}


@dataclasses.dataclass(frozen=True)
class Problem:
  """Scenes, splits and network of an experiment.

  Attributes:
    scenes: by name, in the order of training.
    inputs: what is done to every scene's pixels.
    channels: bands to which all scenes are resampled, or None where they are aligned by index.
    splits: training and test pixels of every scene.
    network: the network to train, or None where every scene gets SVMs.
  """

  scenes: Mapping[str, Scene]
  inputs: Mapping[str, Inputs]
  channels: wavelengths.Bands | None
  splits: Mapping[str, Split]
  network: Network | None

  @property
  def patch(self) -> int:
    """Side P of the patches that are classified; an SVM sees the pixel alone."""
    return 1 if self.network is None else self.network.patch


def prepare(options: Settings) -> Problem:
  """Loads and checks everything before any work starts.

  Raises:
    RequestError: a scene cannot be loaded, or the scenes cannot be trained as asked.
  """
  scenes, given = _load(options)
  inputs, channels = _inputs(options, scenes)
  network = _network(options, scenes, inputs)
  splits = _splits(options, scenes, given, 1 if network is None else network.patch)
  problem = Problem(scenes, inputs, channels, splits, network)
  if network is None:
    for name, scene in scenes.items():
      baselines.check_samples(name, scene.labels, scene.class_names, splits[name].train)
  else:
    # Refuses epochs without a batch.
    counts = training_set(problem).counts
    batches.steps_per_epoch(counts, options.batch_size, mixed=options.mixed, drop_last=options.drop_last)
  return problem


def _load(options):
  """The scenes, and label images of the training and the test pixels of those whose split is given."""
  scenes, given = {}, {}
  for name, load in options.loaders.items():
    scenes[name] = load()
    if name in options.test_loaders:
      test = options.test_loaders[name]()
      given[name] = scenes[name].labels, test.labels
      scenes[name] = joined_labels(scenes[name], test)
  return scenes, given


def _network(options, scenes, inputs):
  """None for SVMs, which share nothing and may have different bands."""
  if options.model.name == SVM:
    return None
  return make_network(
    bands=alignment.check_equal_counts({name: own.channels for name, own in inputs.items()}),
    class_counts=[len(scene.class_ids) for scene in scenes.values()],
    **dataclasses.asdict(options.model),
  )


def _inputs(options, scenes):
  """What is done to every scene's pixels, and the bands that all then have, where these have wavelengths."""
  chosen = {name: _bands_in_range(options, scene) for name, scene in scenes.items()}
  if options.alignment == BY_WAVELENGTH:
    own = {name: wavelengths.bands_of(scene, chosen[name]) for name, scene in scenes.items()}
    channels = _common_bands(own, options)
    weights = {name: wavelengths.resampling(bands, channels) for name, bands in own.items()}
  else:
    channels, weights = None, dict.fromkeys(scenes)
    for name, scene in scenes.items():
      chosen[name] = chosen[name][
        alignment.index_bands(len(chosen[name]), options.bands, scene.sensor, scene.name)
      ]
  inputs = {}
  for name, scene in scenes.items():
    scaling = options.scaling(scene)
    made = make_inputs(scene.cube.shape[2], chosen[name], scaling, weights[name])
    inputs[name] = made.reversed() if name in options.reversed else made
  return _filled_up(options, inputs), channels


def _filled_up(options, inputs):
  """Where every scene has its own first convolution, all get the channels of the widest, the others' empty.

  A convolution reads nothing of channels that are 0, nor does it learn from them.
  """
  if options.model.name == SVM or options.model.spectral_knowledge:
    return inputs
  widest = max(own.channels for own in inputs.values())
  return {name: dataclasses.replace(own, empty=widest - own.channels) for name, own in inputs.items()}


def _common_bands(own, options):
  """Those of the scenes, or of the run that training starts from."""
  channels = options.origin and options.origin.channels
  if channels is None:
    return wavelengths.common_bands(own, options.grid)
  covered = wavelengths.common_bands(own, channels.centres).centres
  missing = np.setdiff1d(channels.centres, covered)
  if len(missing):
    raise RequestError(
      f"the run in {options.origin.run} reads {len(channels.centres)} bands of "
      f"{wavelengths.range_of(channels)}, of which the new scenes do not all measure {len(missing)}, such as "
      f"{missing[0]:.5g} nm; give --config.stem=new"
    )
  return channels


def _bands_in_range(options, scene):
  chosen = np.arange(scene.cube.shape[2], dtype=np.int32)
  if scene.name not in options.band_ranges:
    return chosen
  end = options.band_ranges[scene.name].stop
  if end > scene.cube.shape[2]:
    raise RequestError(f"files.{scene.name}.bands ends at {end}; the scene has {scene.cube.shape[2]} bands")
  return chosen[options.band_ranges[scene.name]]


def _splits(options, scenes, given, patch):
  if options.split_file is not None:
    return sampling.read_splits(
      options.split_file, {name: s.labels for name, s in scenes.items()}, options.replicas
    )
  return {name: _split(options, scene, given.get(name), patch) for name, scene in scenes.items()}


def _split(options, scene, given, patch):
  draw = {"seed": options.seed, "replicas": options.replicas, "name": scene.name}
  if given is not None:
    return given_split(*given, options.samples_per_class, **draw)
  if options.block_size is not None:
    size = options.block_size
    return block_split(scene.labels, options.samples_per_class, block_size=size, patch=patch, **draw)
  return sampling.random_split(scene.labels, options.samples_per_class, **draw)


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


def introduction(problem: Problem, options: Settings) -> str:
  """What is about to happen, a line per scene."""
  lines = []
  for name, scene in problem.scenes.items():
    height, width, _ = scene.cube.shape
    train, test = (len(sampling.pixels_of(part[0])) for part in problem.splits[name])
    lines.append(
      f"{scene.title}: {height} x {width} pixels, {bands_used(problem, name)}, "
      f"{len(scene.class_ids)} classes, {train} training and {test} test pixels"
    )
  return "\n".join([*lines, description(options), *_untested(problem)])


def _untested(problem):
  """A line for every class that some replica does not test."""
  for name, scene in problem.scenes.items():
    tests = problem.splits[name].test
    tested = [np.unique(scene.labels[tuple(sampling.pixels_of(rows).T)]) for rows in tests]
    for class_id, title in sorted(scene.class_names.items()):
      missing = sum(class_id not in found for found in tested)
      if missing:
        where = f" in {missing} of {len(tests)} replicas" if len(tests) > 1 else ""
        yield (
          f"warning: {scene.title}: no test pixel of class {class_id} ({title}){where}; it counts for "
          "nothing in the accuracies there"
        )


def summaries(problem: Problem, options: Settings, names: Iterable[str]) -> str:
  """What the named scenes hold and what is odd about them, some lines each."""
  samples = options.samples_per_class if options.split_file is None else None
  return "\n".join(summary(problem.scenes[name], bands_used(problem, name), samples) for name in names)


def bands_used(problem: Problem, name: str) -> str:
  """The bands of a scene that are used: "160 of 200 bands", "102 bands as 103 channels".

  Or "90 of 200 bands resampled to 43 of 430 to 852.9 nm", or "6 bands and 3 empty channels".
  """
  chosen, available = problem.inputs[name].chosen, problem.inputs[name].bands
  used = len(np.unique(chosen))
  text = f"{available} bands" if used == available else f"{used} of {available} bands"
  if problem.channels is not None:
    return f"{text} resampled to {len(problem.channels.centres)} of {wavelengths.range_of(problem.channels)}"
  if len(chosen) > used:
    text += f" as {len(chosen)} channels"
  empty = problem.inputs[name].empty
  return f"{text} and {empty} empty channels" if empty else text


def description(options: Settings) -> str:
  """The model and how it is trained, in a line."""
  model = options.model
  parts = [model.name + (" with average pooling" if model.pool else "")]
  if model.name != SVM:
    if len(options.loaders) > 1:
      parts.append(f"first convolution {'shared' if model.spectral_knowledge else 'of each scene its own'}")
    parts.append(f"{' + '.join(str(epochs) for _, epochs in options.schedule.lengths)} epochs")
  if options.split_file is None:
    number = f"{options.samples_per_class} samples per class"
    number += "" if options.block_size is None else " from blocks"
    parts.append("all training pixels given" if options.samples_per_class == ALL else number)
  parts.append("1 replica" if options.replicas == 1 else f"{options.replicas} replicas")
  return ", ".join(parts)


def follows_the_letter(options: Settings) -> bool:
  """Whether network and training are the letter's; what it leaves open is free (statistics, vote)."""
  if options.split_file or options.block_size or options.test_loaders:
    return False
  if options.origin or options.band_ranges or options.alignment == BY_WAVELENGTH:
    return False
  if options.model.name == SVM:
    return True
  phases = tuple((phase.epochs, phase.learning_rate, phase.frozen) for phase in options.schedule.phases)
  network = options.model.blocks, options.model.pool
  return (phases, options.optimizer, options.batch_size, network) == (
    _LETTERS_PHASES,
    _LETTERS_OPTIMIZER,
    _LETTERS_BATCH,
    (1, False),
  )


def paper_figure(problem: Problem, options: Settings) -> paper.PaperFigure | None:
  """The paper's figure for the target; None where scenes, bands, split or network are not the paper's."""
  model = options.model
  if not all(map(is_public, problem.scenes.values())) or not follows_the_letter(options):
    return None
  if options.bands != _PAPER_BANDS[PUBLIC_SCENES[options.target].sensor]:
    return None
  partners = [name for name in problem.scenes if name != options.target]
  column = paper.column_of(
    options.target, partners, model.name, model.spectral_knowledge, sorted(options.reversed)
  )
  return column and paper.figure(paper.SHORT_NAMES[options.target], column, options.samples_per_class)


def describe(problem: Problem) -> dict:
  """What was trained on, and what a network must be given again with a new image; for `scenes.json`."""
  return {
    name: {
      "shape": list(scene.cube.shape),
      "sensor": scene.sensor,
      "simulated": scene.simulated,
      "provenance": scene.provenance,
      "classes": {str(class_id): scene.class_names[class_id] for class_id in scene.class_ids.tolist()},
      "cube_sha256": _sha256(scene.cube),
      "labels_sha256": _sha256(scene.labels),
      **_channels(problem),
    }
    | entry(problem.inputs[name])
    | _known(scene)
    for name, scene in problem.scenes.items()
  }


def _known(scene):
  """What not every scene knows of itself."""
  known = {}
  for key in ("wavelengths", "widths"):
    if getattr(scene, key) is not None:
      known[key] = getattr(scene, key).tolist()
  # Sources of scenes need not have colours.
  if colours := getattr(scene, "class_colours", None):
    known["colours"] = {str(class_id): list(colour) for class_id, colour in colours.items()}
  return known


def _channels(problem):
  """The bands that a scene was resampled to, where it was."""
  if problem.channels is None:
    return {}
  return {"channels": {key: numbers.tolist() for key, numbers in problem.channels._asdict().items()}}


def _sha256(array):
  """Row by row, so that a large cube is never copied whole."""
  digest = hashlib.sha256()
  for row in array:
    digest.update(np.ascontiguousarray(row))
  return digest.hexdigest()
