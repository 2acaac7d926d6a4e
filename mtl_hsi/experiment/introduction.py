"""The text that an experiment prints before it starts, and sentences of its report."""

from collections.abc import Iterable

import numpy as np

from mtl_hsi.channels import by_wavelength
from mtl_hsi.experiment.problem import Problem
from mtl_hsi.plurals import noun
from mtl_hsi.scenes import legend
from mtl_hsi.scenes.public.verification import is_public
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.scenes.summary import summary
from mtl_hsi.settings.experiment_settings import Settings
from mtl_hsi.settings.model_settings import SVM
from mtl_hsi.settings.split_settings import ensemble_of
from mtl_hsi.splits.drawn import ALL
from mtl_hsi.splits.split import pixels_of

# Largest difference of band centres in one channel without a note: the width of typical bands.
_NEAR_NM = 15.0


def introduction(problem: Problem, settings: Settings) -> str:
  """Returns a line for each scene, one for model and training, and notes and warnings."""
  lines = []
  for name, scene in problem.scenes.items():
    height, width, _ = scene.cube.shape
    lines.append(
      f"{scene.title}: {height} rows x {width} columns, {bands_used(problem, name)}, "
      f"{_count(len(scene.class_ids), 'class', 'classes')}; {_samples_of(problem, settings, name)}"
    )
  notes = (
    *_origin(settings),
    *_fewer_components(problem, settings),
    *_other_wavelengths(problem, settings),
    *legend.notes(problem.legend),
    *_only_left_out(problem, settings),
    *_fold_notes(problem),
    *_untested(problem, settings),
  )
  return "\n".join([*lines, description(settings), *notes])


def _samples_of(problem, settings, name):
  """Returns the numbers of pixels, and of the spectra of a library."""
  library = problem.scenes[name].library
  count = 0 if library is None else len(library.values)
  text = _pixels(problem, settings, name)
  return f"{text}, {_count(count, 'library spectrum', 'library spectra')}" if count else text


def _pixels(problem, settings, name):
  """Returns the numbers of training and test pixels of the first map, or of folds."""
  train, test = (len(pixels_of(part[0])) for part in problem.splits[name])
  if not _tested_by_folds(problem, settings, name):
    return f"{train} training and {_count(test, 'test pixel')}"
  folds = problem.folds[name][0]
  units = len(np.unique(np.concatenate(folds.units)))
  if folds.whole_scene:
    return f"{_count(train, 'labelled pixel')}, {units} {folds.kind}, left out together once"
  return f"{_count(train, 'labelled pixel')}, {units} {folds.kind} in {len(folds.left_out)} folds"


def _tested_by_folds(problem, settings, name):
  by_folds = settings.split.by_folds and problem.scenes[name].tested is None
  return by_folds and problem.folds[name][0].tests


def _fold_notes(problem):
  """Yields what was unusual when the labels were cut into folds."""
  for name, maps in problem.folds.items():
    for note in dict.fromkeys(note for folds in maps for note in folds.notes):
      yield f"note: {problem.scenes[name].title}: {note}"


def _only_left_out(problem, settings):
  """Yields a warning for every class that only one scene has, if every scene is left out once."""
  if not settings.split.by_scenes:
    return
  for title in problem.legend.names:
    having = [name for name, classes in problem.legend.scenes.items() if title in classes.values()]
    if len(having) == 1:
      yield (
        f"warning: only {problem.scenes[having[0]].title} has the class {title!r}; a network that leaves "
        "this scene out cannot know it"
      )


def _origin(settings):
  """Yields a line if training starts from a finished run."""
  if settings.origin is not None:
    new = "New heads and a new first layer" if settings.origin.new_stem else "New heads"
    yield f"{new} on the networks of {settings.origin.run}."


def _fewer_components(problem, settings):
  """Yields a note for every scene that has fewer MNF components than requested, for lack of bands."""
  wanted = settings.bands.mnf_components
  for name, inputs in problem.inputs.items():
    if inputs.components is not None and inputs.components.shape[1] < wanted:
      bands, found = inputs.components.shape
      yield (
        f"note: {problem.scenes[name].title}: mnf_components is {wanted}, but {_count(bands, 'band')} give "
        f"at most {_count(found, 'MNF component')}"
      )


def _other_wavelengths(problem, settings):
  """Yields a note if scenes that share the first layer have different wavelengths in one of its channels."""
  if problem.network is None or problem.channels is not None or not settings.model.spectral_knowledge:
    return
  known = [name for name, scene in problem.scenes.items() if scene.wavelengths is not None]
  if len(known) < 2 or all(is_public(problem.scenes[name]) for name in known):
    return
  centres = np.stack([problem.scenes[name].wavelengths[problem.inputs[name].chosen] for name in known])
  worst = int(np.argmax(np.ptp(centres, axis=0)))
  if np.ptp(centres[:, worst]) > _NEAR_NM:
    pairs = zip(known, centres[:, worst], strict=True)
    where = " and ".join(f"{centre:g} nm in {name}" for name, centre in pairs)
    yield (
      f"note: the shared first layer matches bands by number, and channel {worst} is {where}; use "
      "--config.alignment=wavelength to resample all scenes to common bands"
    )


def _untested(problem, settings):
  """Yields a warning for every class that some replica does not test."""
  for name, scene in problem.scenes.items():
    if _tested_by_folds(problem, settings, name):
      yield from _only_in_library(scene)
      continue
    tests = problem.splits[name].test
    if not scene.labels.any():
      yield _without_labels(scene, settings)
      continue
    if not tests.size:
      yield f"warning: {scene.title}: all labels are used for training, so no accuracy can be computed"
      continue
    tested = [np.unique(scene.labels[tuple(pixels_of(rows).T)]) for rows in tests]
    for class_id, title in sorted(scene.class_names.items()):
      missing = sum(class_id not in found for found in tested)
      if missing:
        where = f" in {missing} of {len(tests)} replicas" if len(tests) > 1 else ""
        yield (
          f"warning: {scene.title}: class {class_id} ({title}) has no test pixel{where}; it is excluded from "
          "the accuracies there"
        )


def _without_labels(scene, settings):
  by = "the regression on single spectra" if settings.mixture.regression else "the networks"
  return (
    f"warning: {scene.title}: there are no labels, only spectra of a library: nothing is tested, and the map "
    f"is made by {by}"
  )


def _only_in_library(scene):
  """Yields a warning for every class of which no label can be left out."""
  for class_id in np.setdiff1d(scene.library_classes, scene.labels).tolist():
    yield (
      f"warning: {scene.title}: class {class_id} ({scene.class_names[class_id]}) has library spectra and "
      "no label, so it is not tested"
    )


def summaries(problem: Problem, settings: Settings, names: Iterable[str]) -> str:
  """Returns a summary of the named scenes, with anything unusual, some lines each."""
  return "\n".join(
    summary(problem.scenes[name], bands_used(problem, name), _drawn(settings, problem.scenes[name]))
    for name in names
  )


def _drawn(settings, scene):
  """Returns the training pixels drawn per class; None if the split is given or all labels train."""
  drawn = settings.split.file is None and scene.tested is None and settings.split.samples_per_class != ALL
  return settings.split.samples_per_class if drawn else None


def split_used(settings: Settings, scene: Scene) -> str:
  """Returns sentences on how training and test pixels of a scene were chosen, and on other samples."""
  text = _how_split(settings, scene)
  if scene.library is None:
    return text
  count, classes = len(scene.library.values), len(scene.library_classes)
  return (
    f"{text} {_count(count, 'spectrum', 'spectra')} of a library, of {_count(classes, 'class', 'classes')}, "
    f"{noun(count, 'trains', 'train')} as well, in patches with the spectrum at every pixel, "
    f"and {noun(count, 'tests', 'test')} nothing."
  )


def _how_split(settings, scene):
  if not scene.labels.any():
    return "There are no labels."
  if settings.split.file is not None:
    return f"Training and test pixels are those of {settings.split.file.name}."
  if scene.tested is not None:
    return "The test pixels were given by the user."
  if settings.split.by_blocks:
    size = settings.split.block_size
    return f"Training and test pixels come from separate blocks of {size} x {size} pixels."
  if settings.split.by_scenes:
    return "Every scene was left out of training once."
  if settings.split.by_folds:
    return f"The labels were cut into {settings.split.folds} folds; each was left out of training once."
  if settings.split.samples_per_class == ALL:
    return "All labels are used for training."
  return "The training pixels were drawn at random."


def bands_used(problem: Problem, name: str) -> str:
  """Returns the bands of a scene that are used.

  Examples: "160 of 200 bands"; "102 bands as 103 channels"; "90 of 200 bands, resampled to 43 bands
  (430-852.9 nm)"; "6 bands and 3 empty channels"; "200 bands, plus 40 MNF components".
  """
  chosen, available = problem.inputs[name].chosen, problem.inputs[name].bands
  used = len(np.unique(chosen))
  of_all = "" if used == available else f"{used} of "
  text = of_all + _count(available, "band")
  if problem.channels is not None:
    limits = by_wavelength.range_of(problem.channels)
    text += f", resampled to {_count(len(problem.channels.centres), 'band')} ({limits})"
  elif len(chosen) > used:
    text += f" as {_count(len(chosen), 'channel')}"
  components, empty = problem.inputs[name].components, problem.inputs[name].empty
  if components is not None:
    text += f", plus {_count(components.shape[1], 'MNF component')}"
  return f"{text} and {_count(empty, 'empty channel')}" if empty else text


def description(settings: Settings) -> str:
  """Returns sentences on model, training and map.

  Example: "Model vresnet, shared first layer. Training: 30 epochs of 100 steps, 10 samples per class, 10
  replicas. Map smoothing: 40 pixels."
  """
  model, smoothing = settings.model, settings.inference.options.smoothing.steps
  network = f"Model {model.name}" + (" with average pooling" if model.pool else "")
  training = [_samples(settings), _networks(settings)]
  if model.name == SVM:
    return f"{network}. Training: {', '.join(filter(None, training))}."
  if len(settings.scenes.loaders) > 1:
    network += ", shared first layer" if model.spectral_knowledge else ", separate first layers"
  training.insert(0, _epochs(settings.training.schedule, settings.training.recipe.steps))
  text = f"{network}. Training: {', '.join(filter(None, training))}."
  if settings.mixture.smoothings:
    return f"{text} Experts and smoothing are chosen by left-out labels."
  return f"{text} Map smoothing: {_count(smoothing, 'pixel')}." if smoothing else text


def _networks(settings):
  """Returns the number of maps or networks, and of those that leave out a fold."""
  ensemble = ensemble_of(settings.split, settings.replicas)
  maps = "replica" if ensemble.voters == 1 else "network"
  text = _count(settings.replicas, maps)
  more = ensemble.maps * ensemble.folds
  return f"{text}, and {more} more that {noun(more, 'leaves', 'leave')} out a fold each" if more else text


def _samples(settings):
  """Returns the training pixels per class; nothing if a file has the split."""
  split, scenes = settings.split, settings.scenes
  if split.file is not None:
    return ""
  if split.samples_per_class == ALL:
    return "all training labels"
  text = f"{_count(split.samples_per_class, 'sample')} per class"
  drawn_from_blocks = split.by_blocks and len(scenes.given_splits) < len(scenes.loaders)
  return f"{text} from blocks" if drawn_from_blocks else text


def _epochs(schedule, steps):
  """Returns the epochs of the phases, such as "100 + 30 epochs", and those that only the vote needs."""
  epochs = [phase.epochs for phase in schedule.phases]
  text = f"{' + '.join(map(str, epochs))} {noun(sum(epochs), 'epoch')}"
  text += f" of {_count(steps, 'step')}" if steps else ""
  more = schedule.epochs - sum(epochs)
  return f"{text} and {more} more for the vote" if more else text


def _count(number, singular, plural=""):
  return f"{number} {noun(number, singular, plural)}"
