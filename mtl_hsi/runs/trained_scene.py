"""A scene of a finished run, read from its entry in `scenes.json`."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from mtl_hsi.channels.inputs import Inputs, read_inputs
from mtl_hsi.scenes.scene import ImageFile
from mtl_hsi.scenes.scene_checks import SCENE_NAME, is_class_name

# Maximum number of empty channels after the bands.
_MOST_CHANNELS = 100_000


@dataclasses.dataclass(frozen=True, eq=False)
class TrainedScene:
  """One of the scenes of a finished run.

  Attributes:
    name: name of the scene.
    index: its index in the network.
    inputs: from pixels of an image to the input of the network.
    class_names: name of every class by its id, ascending.
    class_colours: colour of classes by id, or None for the palette of the reports.
    wavelengths: band centres of the scene in nm `[bands]`, or None.
    widths: full widths at half maximum in nm `[bands]`, or None.
    file: properties of the file of its image, or None.
    image_keys: options of its image except the file, by `image_settings.KEYS`; "" for an option not given.
    class_codes: number in the labels of the classes whose id is another one, by id, or None.
  """

  name: str
  index: int
  inputs: Inputs
  class_names: Mapping[int, str]
  class_colours: Mapping[int, tuple[int, int, int]] | None
  wavelengths: np.ndarray | None
  widths: np.ndarray | None
  file: ImageFile | None
  image_keys: Mapping[str, str]
  class_codes: Mapping[int, int] | None = None


def read_scene(
  name: str, index: int, entry: Mapping[str, Any], image_keys: Mapping[str, str]
) -> TrainedScene:
  """Returns a scene from its entry in `scenes.json`.

  Raises:
    LookupError, TypeError, ValueError: the entry is damaged.
  """
  class_names = {int(class_id): title for class_id, title in entry["classes"].items()}
  colours = entry.get("colours")
  return TrainedScene(
    name=name,
    index=index,
    inputs=read_inputs(entry),
    class_names=dict(sorted(class_names.items())),
    class_colours=colours and {int(class_id): tuple(colour) for class_id, colour in colours.items()},
    wavelengths=_numbers(entry.get("wavelengths")),
    widths=_numbers(entry.get("widths")),
    file=_image_file(entry.get("file")),
    image_keys=image_keys,
    class_codes={int(class_id): int(code) for class_id, code in entry.get("codes", {}).items()} or None,
  )


def _image_file(entry: Mapping[str, Any] | None) -> ImageFile | None:
  if entry is None:
    return None
  dropped, nodata = tuple(map(int, entry["dropped"])), tuple(map(float, entry["nodata"]))
  bands = int(entry["bands"])
  if not all(band in range(bands) for band in dropped) or not np.isfinite(nodata).all():
    raise ValueError("the file of a scene has bands or nodata values that do not exist")
  return ImageFile(bands, dropped, nodata)


def check_scene(scene: TrainedScene, *, smoothed: bool) -> None:
  """Checks the values of a scene, whose names end up in file names and headers.

  Args:
    scene: the scene.
    smoothed: whether its maps are smoothed.

  Raises:
    ValueError: no run writes such values.
  """

  def require(condition, problem):
    if not condition:
      raise ValueError(f"scene {scene.name!r}: {problem}")

  require(SCENE_NAME.fullmatch(scene.name), "this is not a valid name of a scene")
  require(scene.class_names, "it has no classes")
  require(min(scene.class_names) > 0 and max(scene.class_names) < 2**16, "class ids are not in 1 to 65535")
  for name in scene.class_names.values():
    require(is_class_name(name), f"{name!r} is not a valid name of a class")
  codes = scene.class_codes or {}
  known = codes.keys() <= scene.class_names.keys() and min(codes.values(), default=0) >= 0
  require(known, "numbers in the labels are negative or of unknown classes")
  for colour in (scene.class_colours or {}).values():
    valid = len(colour) == 3 and all(value in range(256) for value in colour)
    require(valid, f"{colour} is not a colour of three values in 0 to 255")
  bands = scene.inputs.bands
  for numbers in (scene.wavelengths, scene.widths):
    require(numbers is None or numbers.shape == (bands,), "wavelengths or widths do not match the bands")
  _check_inputs(scene.inputs, require)
  if smoothed:
    contrast = scene.inputs.contrast
    require(isinstance(contrast, float) and 0 < contrast < np.inf, "smoothing needs a positive contrast")


def _check_inputs(inputs: Inputs, require: Callable[[Any, str], None]) -> None:
  chosen = inputs.chosen
  valid = chosen.ndim == 1 and len(chosen) and min(chosen) >= 0 and max(chosen) < inputs.bands
  require(valid, "bands are not indices of its bands")
  for numbers in inputs.scaling:
    valid = numbers.shape == chosen.shape and np.isfinite(numbers).all()
    require(valid, "offset or scale is not one finite number for every band")
  require(inputs.scaling.scale.all(), "a scale is 0")
  weights = inputs.weights
  valid = weights is None or (weights.ndim == 2 and len(weights) == len(chosen))
  require(valid, "weights do not have a row for every band")
  channels = len(chosen) if weights is None else weights.shape[1]
  components = inputs.components
  if components is not None:
    valid = components.ndim == 2 and len(components) == channels
    require(valid, "components do not have a row for every channel")
    require(components.size and np.isfinite(components).all(), "components are not finite numbers")
  require(inputs.empty in range(_MOST_CHANNELS), f"{inputs.empty} empty channels are not possible")
  if inputs.ranges is not None:
    valid = inputs.ranges.shape == (3, inputs.channels) and np.isfinite(inputs.ranges).all()
    require(valid and (np.diff(inputs.ranges, axis=0) >= 0).all(), "ranges are not those of its channels")


def _numbers(values):
  return None if values is None else np.array(values, float)
