"""Which pixels of the scenes train, test and validate: the splits of all maps and the folds of each."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.labels.regions import number_regions
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.settings.experiment_settings import Settings
from mtl_hsi.settings.split_settings import ensemble_of
from mtl_hsi.splits import folds
from mtl_hsi.splits.blocks import block_split
from mtl_hsi.splits.drawn import ALL, given_split, random_split, replica_generator, with_training_pixels
from mtl_hsi.splits.split import Split, pixels_of, read_splits, stack
from mtl_hsi.splits.units import FEATURES, REGIONS
from mtl_hsi.training.ensemble import Ensemble


class SceneFolds(NamedTuple):
  """The folds of one scene in one draw of its training pixels.

  Attributes:
    train: training pixels without each fold, k arrays int32 `[n, 2]`.
    left_out: pixels of each fold, k arrays int32 `[m, 2]`.
    units: number of the unit of each of these pixels, k arrays int `[m]`.
    kind: word for the units, plural.
    notes: sentences for the user.
    whole_scene: whether one fold leaves out the whole scene.
  """

  train: Sequence[np.ndarray]
  left_out: Sequence[np.ndarray]
  units: Sequence[np.ndarray]
  kind: str
  notes: tuple[str, ...]
  whole_scene: bool = False

  @property
  def tests(self) -> bool:
    """Whether any pixel is left out; none is in a scene that has a library and no labels."""
    return any(map(len, self.left_out))


def draw_splits(settings: Settings, scenes: Mapping[str, Scene], min_separation: int) -> dict[str, Split]:
  """Returns the split of every scene, with a row for each map.

  Args:
    settings: the settings.
    scenes: by name.
    min_separation: smallest difference in rows or columns at which two patches do not overlap.

  Raises:
    RequestError: a scene cannot be split like this.
  """
  maps = ensemble_of(settings.split, settings.replicas).maps
  if settings.split.file is not None:
    return read_splits(settings.split.file, {name: s.labels for name, s in scenes.items()}, maps)
  return {name: _split(settings, scene, min_separation, maps) for name, scene in scenes.items()}


def _split(settings, scene, min_separation, maps):
  if scene.trained is None:
    return _drawn(settings, scene, scene.labels, min_separation, maps)
  others = np.where(scene.trained, 0, scene.labels)
  if not (others.any() or settings.split.samples_per_class == ALL):
    raise RequestError(
      f"scene {scene.name!r}: all labels are in more_labels, which are for training, so none is left to "
      "test; set samples_per_class=0 to train without a test"
    )
  drawn = _drawn(settings, scene, others, min_separation, maps)
  by_blocks = scene.tested is None and settings.split.by_blocks
  distance = min_separation if by_blocks else 1
  return with_training_pixels(drawn, scene.trained, min_separation=distance, name=scene.name)


def _drawn(settings, scene, labels, min_separation, maps):
  """Draws the split of the pixels that the user has not assigned to training."""
  split = settings.split
  if not (labels.any() or split.samples_per_class == ALL):
    raise RequestError(
      f"scene {scene.name!r} has a library and no labels of which samples_per_class could be drawn; "
      "label some pixels, or train without a test: samples_per_class=0 with split=random"
    )
  draw = {"seed": settings.seed, "replicas": maps, "name": scene.name}
  if scene.tested is not None:
    return given_split(labels, scene.tested, split.samples_per_class, **draw)
  if split.by_blocks:
    draw |= {"block_size": split.block_size, "min_separation": min_separation}
    return block_split(labels, split.samples_per_class, **draw)
  return random_split(labels, split.samples_per_class, **draw)


def draw_folds(
  settings: Settings, scenes: Mapping[str, Scene], splits: Mapping[str, Split]
) -> dict[str, list[SceneFolds]]:
  """Returns the folds of every scene, one entry for each map; empty without folds.

  If all labels train, the folds are of whole units. Of training pixels that were drawn, the folds are of
  pixels, or of blocks if they were drawn from blocks. Or every fold is a scene: without fold t, scene t does
  not train. Pixels of `more_labels` are never left out to test.

  Raises:
    RequestError: a scene has too few units, or a fold leaves a class without training pixels.
  """
  if not settings.split.folds:
    return {}
  if settings.split.by_scenes:
    return {
      name: [_scene_as_fold(scene, index, len(scenes), pixels_of(rows)) for rows in splits[name].train]
      for index, (name, scene) in enumerate(scenes.items())
    }
  make = _folds_of_units if settings.split.all_train else _folds_of_pixels
  return {
    name: [make(settings, scene, pixels_of(rows), drawn) for drawn, rows in enumerate(splits[name].train)]
    for name, scene in scenes.items()
  }


def _scene_as_fold(scene, index, scenes, train):
  """Returns folds of which one leaves out the whole scene, and the others nothing of it."""
  free, nothing = train[~_is_fixed(scene, train)], train[:0]
  numbers = number_regions(scene.labels) if scene.units is None else scene.units
  unit = np.unique(numbers[tuple(free.T)], return_inverse=True)[1]
  kind = REGIONS if scene.units is None else FEATURES
  left_out = [free if fold == index else nothing for fold in range(scenes)]
  return SceneFolds(
    [nothing if fold == index else train for fold in range(scenes)],
    left_out,
    [unit[: len(pixels)] for pixels in left_out],
    kind,
    (),
    whole_scene=True,
  )


def _folds_of_units(settings, scene, train, drawn):
  split = settings.split
  labels, fixed = _labels_at(scene, train), _is_fixed(scene, train)
  if not len(train):
    return _nothing_left_out(train, split.folds)
  dealt = folds.draw_folds(
    np.where(_mask(scene, train[fixed]), 0, labels),
    scene.units,
    folds=split.folds,
    block_size=split.block_size,
    by_blocks=split.fold_units == "blocks",
    seed=settings.seed + drawn,
    name=scene.name,
    class_names=scene.class_names,
  )
  kept = [folds.training_pixels(dealt, fold, split.fold_buffer) for fold in range(split.folds)]
  left_out = [np.argwhere(dealt.fold == fold).astype(np.int32) for fold in range(split.folds)]
  units = [dealt.unit[tuple(pixels.T)] for pixels in left_out]
  return SceneFolds(
    [np.concatenate([pixels, train[fixed]]) for pixels in kept], left_out, units, dealt.kind, dealt.notes
  )


def _folds_of_pixels(settings, scene, train, drawn):
  split, fixed = settings.split, _is_fixed(scene, train)
  if not len(train):
    return _nothing_left_out(train, split.folds)
  free = train[~fixed]
  fold = folds.pixel_folds(
    free,
    scene.labels,
    folds=split.folds,
    block_size=split.block_size if split.by_blocks else None,
    generator=replica_generator(settings.seed, drawn, f"{scene.name} folds"),
  )
  parts = [(fold == number) for number in range(split.folds)]
  numbers = np.arange(len(free))
  return SceneFolds(
    [np.concatenate([free[~part], train[fixed]]) for part in parts],
    [free[part] for part in parts],
    [numbers[part] for part in parts],
    "pixels",
    (),
  )


def _nothing_left_out(train, folds):
  """Returns the folds of a scene without labels."""
  nothing = [train[:0]] * folds
  return SceneFolds([train] * folds, nothing, [np.empty(0, int)] * folds, REGIONS, ())


def network_splits(
  ensemble: Ensemble, splits: Mapping[str, Split], scene_folds: Mapping[str, Sequence[SceneFolds]]
) -> dict[str, np.ndarray]:
  """Returns the training pixels of every network of the ensemble, int32 `[networks, n, 2]`, by scene."""
  found = {}
  for name, split in splits.items():
    whole = [pixels_of(rows) for rows in split.train]
    parts = [whole[drawn] for drawn in range(ensemble.maps) for _ in range(ensemble.voters)]
    parts += [pixels for drawn in scene_folds.get(name, ()) for pixels in drawn.train]
    found[name] = stack(parts)
  return found


def _mask(scene, pixels):
  mask = np.zeros(scene.labels.shape, bool)
  mask[tuple(pixels.T)] = True
  return mask


def _labels_at(scene, pixels):
  return np.where(_mask(scene, pixels), scene.labels, 0)


def _is_fixed(scene, pixels):
  """Marks training pixels of `more_labels`, which no fold leaves out, bool `[n]`."""
  if scene.trained is None:
    return np.zeros(len(pixels), bool)
  return scene.trained[tuple(pixels.T)]
