"""Fits what tells unknown pixels: distances to training pixels, and those of labels that folds leave out."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from mtl_hsi.classification import unlike
from mtl_hsi.classification.classify import SceneRegion
from mtl_hsi.experiment.mixture_case import Case, make_case
from mtl_hsi.experiment.problem import Problem
from mtl_hsi.experiment.regressions import Samples
from mtl_hsi.runs.unlike_record import UnlikeRecord
from mtl_hsi.settings.experiment_settings import Settings
from mtl_hsi.splits.split import pixels_of

# Most left-out pixels of all folds whose scores are kept; more change the limits little.
_MOST_LEFT_OUT = 5_000


def fit_unlike(
  settings: Settings, problem: Problem, regions: Mapping[str, SceneRegion]
) -> dict[str, UnlikeRecord]:
  """Returns the record of every scene that has left-out labels; of several maps, by the labels of the first.

  Scenes with a shared legend have one record. Without folds or MNF components there are none.

  Args:
    settings: the settings.
    problem: scenes and folds.
    regions: the whole scenes.
  """
  if not problem.folds or any(inputs.components is None for inputs in problem.inputs.values()):
    return {}
  found, groups = {}, [[name] for name in regions] if problem.legend.names is None else [list(regions)]
  for names in groups:
    generator = np.random.default_rng([settings.seed, len(found)])
    cases = [make_case(settings, problem, name, 0, regions[name], ()) for name in names]
    parts = [_read(case, _train(case, generator), _left_out(case, len(cases), generator)) for case in cases]
    # Those of all scenes of a shared legend together: all training pixels, and those without each fold.
    whole, *train = (_pooled(samples) for samples in zip(*(of_case.train for of_case in parts), strict=True))
    tested = [_pooled(samples) for samples in zip(*(of_case.left_out for of_case in parts), strict=True)]
    scores = [_scores(*of_fold) for of_fold in zip(train, tested, strict=True)]
    left_out = np.sort(np.concatenate(scores))
    if len(left_out):
      found |= dict.fromkeys(names, UnlikeRecord(unlike.fit(*whole), left_out))
  return found


class _Parts(NamedTuple):
  """Averaged components and classes of the pixels of a scene.

  Attributes:
    train: of all training pixels, and of those without each fold, 1 + k.
    left_out: of the pixels of each fold, k.
  """

  train: Sequence[Samples]
  left_out: Sequence[Samples]


def _scores(train, tested):
  """Returns the scores of left-out pixels by the pixels that train without them."""
  # A class that does not train without the fold says nothing.
  values = tested.channels[np.isin(tested.classes, train.classes)]
  return unlike.score(unlike.fit(*train), values) if len(values) else np.empty(0, np.float32)


def _train(case, generator):
  """Returns some training pixels of every class: of all, and of those without each fold."""
  sets = []
  for pixels in (pixels_of(case.problem.splits[case.name].train[0]), *case.folds.train):
    classes = case.classes(pixels)
    drawn = [_drawn(pixels[classes == i], unlike.PIXELS, generator) for i in np.unique(classes)]
    sets.append(np.concatenate([pixels[:0], *drawn]))
  return sets


def _left_out(case, scenes, generator):
  most = _MOST_LEFT_OUT // (len(case.folds.left_out) * scenes)
  return [_drawn(pixels, most, generator) for pixels in case.folds.left_out]


def _drawn(pixels, most, generator):
  return pixels if len(pixels) <= most else generator.choice(pixels, most, replace=False)


def _read(case: Case, train: Sequence[np.ndarray], left_out: Sequence[np.ndarray]) -> _Parts:
  """Reads the components of all pixels at once, as the scene may be a file; adds the spectra of a library."""
  components = unlike.components_of(case.problem.inputs[case.name])
  pixels = np.concatenate([*train, *left_out])
  values = unlike.average_at(case.region.padded, pixels + case.problem.patch // 2, components)
  ends = np.cumsum([len(part) for part in (*train, *left_out)])[:-1]
  samples = [Samples(*pair) for pair in zip(np.split(values, ends), np.split(case.classes(pixels), ends))]
  library = case.library()
  spectra = Samples(library.channels[:, components], library.classes)
  return _Parts([_pooled([part, spectra]) for part in samples[: len(train)]], samples[len(train) :])


def _pooled(samples):
  return Samples(*(np.concatenate(values) for values in zip(*samples, strict=True)))
