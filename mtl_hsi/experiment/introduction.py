"""What an experiment is about to do, in words."""

from collections.abc import Iterable

import numpy as np

from mtl_hsi.channels import by_wavelength
from mtl_hsi.experiment.problem import Problem
from mtl_hsi.scenes.public.verification import is_public
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.scenes.summary import summary
from mtl_hsi.settings.experiment_settings import Settings
from mtl_hsi.settings.model_settings import SVM
from mtl_hsi.splits.drawn import ALL
from mtl_hsi.splits.split import pixels_of

# How far the centres of one channel may lie apart unsaid; bands of imaging spectrometers are as wide.
_NEAR_NM = 15.0


def introduction(problem: Problem, settings: Settings) -> str:
  """What is about to happen, a line per scene."""
  lines = []
  for name, scene in problem.scenes.items():
    height, width, _ = scene.cube.shape
    train, test = (len(pixels_of(part[0])) for part in problem.splits[name])
    lines.append(
      f"{scene.title}: {height} x {width} pixels, {bands_used(problem, name)}, "
      f"{len(scene.class_ids)} classes, {train} training and {test} test pixels"
    )
  notes = (*_origin(settings), *_other_wavelengths(problem, settings), *_untested(problem))
  return "\n".join([*lines, description(settings), *notes])


def _origin(settings):
  """A line for the run that training starts from, if there is one."""
  if settings.origin is not None:
    fresh = "new heads and a new first convolution" if settings.origin.new_stem else "new heads"
    yield f"{fresh} on the networks of {settings.origin.run}"


def _other_wavelengths(problem, settings):
  """A line where scenes that share a first convolution have other wavelengths in one channel of it."""
  if problem.network is None or problem.channels is not None or not settings.model.spectral_knowledge:
    return
  known = [name for name, scene in problem.scenes.items() if scene.wavelengths is not None]
  if len(known) < 2 or all(is_public(problem.scenes[name]) for name in known):
    return
  centres = np.stack([problem.scenes[name].wavelengths[problem.inputs[name].chosen] for name in known])
  worst = int(np.argmax(np.ptp(centres, axis=0)))
  apart = np.ptp(centres[:, worst])
  if apart > _NEAR_NM:
    pairs = zip(known, centres[:, worst], strict=True)
    where = " and ".join(f"{centre:g} nm in {name}" for name, centre in pairs)
    yield (
      f"note: the first convolution that the scenes share reads their bands by number: channel {worst} is "
      f"{where}; --config.alignment=wavelength resamples all to common bands"
    )


def _untested(problem):
  """A line for every class that some replica does not test."""
  for name, scene in problem.scenes.items():
    tests = problem.splits[name].test
    if not tests.size:
      yield f"warning: {scene.title}: every labelled pixel trains and none tests, so there is no accuracy"
      continue
    tested = [np.unique(scene.labels[tuple(pixels_of(rows).T)]) for rows in tests]
    for class_id, title in sorted(scene.class_names.items()):
      missing = sum(class_id not in found for found in tested)
      if missing:
        where = f" in {missing} of {len(tests)} replicas" if len(tests) > 1 else ""
        yield (
          f"warning: {scene.title}: no test pixel of class {class_id} ({title}){where}; it counts for "
          "nothing in the accuracies there"
        )


def summaries(problem: Problem, settings: Settings, names: Iterable[str]) -> str:
  """What the named scenes hold and what is odd about them, some lines each."""
  return "\n".join(
    summary(problem.scenes[name], bands_used(problem, name), _drawn(settings, problem.scenes[name]))
    for name in names
  )


def _drawn(settings, scene):
  """Training pixels drawn of every class; None where the split is given, or all train."""
  drawn = settings.split.file is None and scene.tested is None and settings.split.samples_per_class != ALL
  return settings.split.samples_per_class if drawn else None


def split_used(settings: Settings, scene: Scene) -> str:
  """How training and test pixels of a scene were told apart, in a sentence."""
  if settings.split.file is not None:
    return f"Training and test pixels are those of {settings.split.file.name}."
  if scene.tested is not None:
    return "The test pixels were given."
  if settings.split.block_size is not None:
    size = settings.split.block_size
    return f"Training and test pixels were drawn from blocks of their own, {size} x {size} pixels large."
  if settings.split.samples_per_class == ALL:
    return "All labelled pixels train."
  return "The training pixels were drawn at random."


def bands_used(problem: Problem, name: str) -> str:
  """The bands of a scene that are used: "160 of 200 bands", "102 bands as 103 channels".

  Or "90 of 200 bands resampled to 43 of 430 to 852.9 nm", or "6 bands and 3 empty channels", or "200
  bands, with 40 noise fractions of them".
  """
  chosen, available = problem.inputs[name].chosen, problem.inputs[name].bands
  used = len(np.unique(chosen))
  text = f"{available} bands" if used == available else f"{used} of {available} bands"
  if problem.channels is not None:
    text += f" resampled to {len(problem.channels.centres)} of {by_wavelength.range_of(problem.channels)}"
  elif len(chosen) > used:
    text += f" as {len(chosen)} channels"
  components, empty = problem.inputs[name].components, problem.inputs[name].empty
  if components is not None:
    text += f", with {components.shape[1]} noise fractions of them"
  return f"{text} and {empty} empty channels" if empty else text


def description(settings: Settings) -> str:
  """The model and how it is trained, in a line."""
  model = settings.model
  parts = [model.name + (" with average pooling" if model.pool else "")]
  if model.name != SVM:
    if len(settings.scenes.loaders) > 1:
      parts.append(f"first convolution {'shared' if model.spectral_knowledge else 'of each scene its own'}")
    parts.append(_epochs(settings.training.schedule, settings.training.recipe.steps))
    if settings.inference.options.smoothing.steps:
      parts.append(f"map smoothed over {settings.inference.options.smoothing.steps} pixels")
  if settings.split.file is None:
    number = f"{settings.split.samples_per_class} samples per class"
    some_are_drawn = len(settings.scenes.given_splits) < len(settings.scenes.loaders)
    drawn_from_blocks = settings.split.block_size is not None and some_are_drawn
    number += " from blocks" if drawn_from_blocks else ""
    parts.append("all pixels for training" if settings.split.samples_per_class == ALL else number)
  parts.append("1 replica" if settings.replicas == 1 else f"{settings.replicas} replicas")
  return ", ".join(parts)


def _epochs(schedule, steps):
  """As the config has them: "100 + 30 epochs", those that only the snapshots need apart."""
  asked = [phase.epochs for phase in schedule.phases]
  text = f"{' + '.join(map(str, asked))} epochs" + (f" of {steps} steps" if steps else "")
  more = schedule.epochs - sum(asked)
  return f"{text} and {more} more for the vote" if more else text
