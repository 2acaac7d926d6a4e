"""Classifies a new image of any size with the networks of a finished run."""

import functools
import re
import textwrap
from pathlib import Path
from typing import Any

from absl import logging

from mtl_hsi.evaluation.probabilities import NONE
from mtl_hsi.plurals import noun
from mtl_hsi.prediction import class_maps, shift, unknown
from mtl_hsi.prediction.class_maps import ClassArea
from mtl_hsi.prediction.image_classifier import ImageClassifier
from mtl_hsi.prediction.new_image import open_image
from mtl_hsi.report import colours, rasters
from mtl_hsi.report.probability_rasters import Classes, outvoted_note
from mtl_hsi.runs.trained_run import TrainedRun, read_run
from mtl_hsi.runs.trained_scene import TrainedScene
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.scenes.images.products import delivery
from mtl_hsi.scenes.images.rasters import bounded_cache
from mtl_hsi.settings import prediction_settings
from mtl_hsi.settings.prediction_settings import PredictionSettings
from mtl_hsi.storage.file_set import with_ending

# The end of an output that names one of its files; a stem is expected.
_NAME_OF_FILE = re.compile(
  r"(?<=.)(_classes|_confidence|_probabilities|_uncertainty|_unknown)?\.(tiff?|img|hdr|dat|png)$",
  re.IGNORECASE,
)

# Maximum length of a line on the console, and the end of a shortened name.
_WIDTH, _CUT = 80, "..."
# The ending of the table of how far the image is from the scene in training.
_SHIFT = "_shift.csv"


def run(config: Any) -> dict:
  """Classifies the image that a config names and writes its maps.

  Args:
    config: a ConfigDict with the keys of `configs/predict.py`.

  Returns:
    For programs: paths of the `files`, and the `areas` of the classes.

  Raises:
    RequestError: the request is invalid or a file cannot be read or written; no file remains.
  """
  settings = prediction_settings.read(config)
  with bounded_cache():
    return _run(settings)


def _run(settings):
  trained = read_run(settings.run)
  scene = trained.scene(settings.scene)
  open_with = functools.partial(Image.open, settings.image, settings.image_key)
  image, scene, notes = open_image(open_with, settings.image_keys, scene, trained)
  for note in notes:
    print(note, flush=True)
  stem = _output_stem(settings, scene)
  legend = legend_of(trained, scene, delivery.stem(settings.image))
  has_probabilities = settings.probabilities != NONE
  tells_unknown = unknown.prepare(settings, trained, scene, legend.names.keys())
  further = (
    *(() if scene.inputs.ranges is None else (_SHIFT,)),
    *(class_maps.PROBABILITY_ENDINGS if has_probabilities else ()),
    *(() if tells_unknown is None else (class_maps.UNKNOWN_ENDING,)),
  )
  class_maps.file_set(stem, further).check_free()
  classifier = ImageClassifier(
    trained,
    scene,
    settings.replica,
    settings.classify_method,
    settings.tile_pixels,
    all_classes=has_probabilities,
  )
  print(
    f"{image.origin}: {image.height} rows x {image.width} columns, "
    f"{image.bands} {noun(image.bands, 'band')}; "
    f"classified as {scene.name!r} of {trained.path} by {classifier.networks} "
    f"{noun(classifier.networks, 'network')}",
    flush=True,
  )
  _print_new_classes(trained, scene)
  _print_codes(scene)
  tables = _tables(image, scene)
  size = image.height, image.width
  classes = None
  if has_probabilities:
    classes = Classes(settings.probabilities, legend.names, trained.legend.class_ids(scene.name))
  if tells_unknown is not None:
    legend = tells_unknown.legend(legend)
  with class_maps.create(stem, legend, size, image.georeference, tables, classes, tells_unknown) as maps:
    for window in classifier.windows(image, scene, tells_unknown):
      maps.write(*window)
  notes = maps.notes if not maps.outvoted else (*maps.notes, outvoted_note(maps.outvoted))
  print("\n".join([*map(_area_line, maps.areas()), *(_wrapped(f"note: {note}") for note in notes)]))
  print(f"Class map: {stem}_classes.tif, {stem}_classes.img for ENVI\nConfidence: {stem}_confidence.tif")
  if has_probabilities:
    print(f"Probabilities: {stem}_probabilities.tif\nEntropy and margin: {stem}_uncertainty.tif")
  print(f"Quick look: {stem}_classes.png\nAreas: {stem}_areas.csv")
  if tables:
    print(f"Distance from training: {stem}{_SHIFT}")
  if tells_unknown is not None:
    print(f"{tells_unknown.sentence(maps.unknown_pixels)}: {stem}{class_maps.UNKNOWN_ENDING}")
  written = [ending for ending in further if ending != _SHIFT or tables]
  endings = class_maps.file_set(stem, written).endings
  files = [str(with_ending(stem, ending)) for ending in endings]
  return {"files": files, "areas": [area._asdict() for area in maps.areas()]}


def _tables(image: Image, scene: TrainedScene) -> dict[str, bytes]:
  """Tells how far the image is from the scene, and returns the table of it, by ending."""
  found = shift.measure(image, scene)
  if found is None:
    return {}
  text = f"{image.origin}: {shift.sentence(found, scene)}"
  if found.outside > shift.FAR:
    logging.warning("%s", text)
  else:
    print(text, flush=True)
  return {_SHIFT: shift.table(found, scene)}


def _print_new_classes(trained: TrainedRun, scene: TrainedScene) -> None:
  """Prints the classes that only other scenes of a shared legend have, which the image may have too."""
  new = {i: name for i, name in trained.legend.class_names(scene.name).items() if i not in scene.class_names}
  if new:
    listed = ", ".join(f"{class_id} {name}" for class_id, name in sorted(new.items()))
    print(f"Classes of the legend that {scene.name!r} lacks: {listed}", flush=True)


def _print_codes(scene: TrainedScene) -> None:
  """Prints the classes whose number in the labels is not their id."""
  if scene.class_codes:
    listed = ", ".join(
      f"{class_id} ({scene.class_names[class_id]}) is {code}" for class_id, code in scene.class_codes.items()
    )
    print(f"Ids of classes that have another number in the labels: {listed}", flush=True)


def _area_line(area: ClassArea) -> str:
  """Returns the line of a class; a long name is shortened, so that the figures stay visible."""
  hectares = "" if area.hectares is None else f", {area.hectares:,.2f} ha"
  figures = f": {area.pixels:,} {noun(area.pixels, 'pixel')}{hectares}"
  name = f"{area.class_id} {area.name}"
  if len(name) + len(figures) > _WIDTH:
    name = f"{name[: _WIDTH - len(figures) - len(_CUT)].rstrip()}{_CUT}"
  return f"{name}{figures}"


def _wrapped(text: str) -> str:
  return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def legend_of(trained: TrainedRun, scene: TrainedScene, image: str) -> rasters.Legend:
  """Returns the legend of the map of an image, with all classes that it may have.

  Args:
    trained: the run.
    scene: the scene as which the image is classified.
    image: name of the image.
  """
  given, names = scene.class_colours or {}, trained.legend.class_names(scene.name)
  # Classes that the scene lacks come after its own.
  ordered = [*scene.class_names, *(class_id for class_id in names if class_id not in scene.class_names)]
  table = {
    class_id: given.get(class_id, colours.class_colour(position)) for position, class_id in enumerate(ordered)
  }
  names = dict(sorted(names.items()))
  title = f"{image}: classes of {scene.name}"
  return rasters.Legend(title, names, table, scene.class_codes or {})


def _output_stem(settings: PredictionSettings, scene: TrainedScene) -> Path:
  """The common path of all output files, without ending."""
  if settings.output is None:
    folder = settings.run.parent if settings.run.is_file() else settings.run
    return folder / "predictions" / f"{scene.name}_{delivery.stem(settings.image)}"
  output = Path(settings.output)
  if settings.output.endswith("/") or output.is_dir():
    return output / delivery.stem(settings.image)
  return output.with_name(_NAME_OF_FILE.sub("", output.name))
