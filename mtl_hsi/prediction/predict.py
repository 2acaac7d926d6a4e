"""Classifies a new image of any size with the networks of a finished run."""

import collections
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
from absl import logging

from mtl_hsi.classification import classify
from mtl_hsi.classification.voting import Votes
from mtl_hsi.errors import RequestError
from mtl_hsi.evaluation.probabilities import NONE
from mtl_hsi.models import products
from mtl_hsi.plurals import noun
from mtl_hsi.prediction import class_maps, shift, unknown
from mtl_hsi.prediction.class_maps import ClassArea, ClassMaps
from mtl_hsi.prediction.image_checks import FillValues, check_unit
from mtl_hsi.prediction.new_image import open_image
from mtl_hsi.prediction.windows import read_window
from mtl_hsi.report import colours, rasters
from mtl_hsi.report.probability_rasters import Classes, outvoted_note
from mtl_hsi.runs.trained_run import TrainedRun, read_run
from mtl_hsi.runs.trained_scene import TrainedScene
from mtl_hsi.runtime import progress
from mtl_hsi.scenes import windows
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
  scene = _find_scene(trained, settings.scene)
  image, scene, notes = open_image(settings, scene, trained)
  for note in notes:
    print(note, flush=True)
  stem = _output_stem(settings, scene)
  legend = _legend(trained, scene, settings)
  has_probabilities = settings.probabilities != NONE
  tells_unknown = unknown.prepare(settings, trained, scene, legend.names.keys())
  further = (
    *(() if scene.inputs.ranges is None else (_SHIFT,)),
    *(class_maps.PROBABILITY_ENDINGS if has_probabilities else ()),
    *(() if tells_unknown is None else (class_maps.UNKNOWN_ENDING,)),
  )
  class_maps.file_set(stem, further).check_free()
  networks = _read_networks(trained, scene, settings.replica)
  print(
    f"{image.origin}: {image.height} x {image.width} pixels, {image.bands} {noun(image.bands, 'band')}; "
    f"classified as {scene.name!r} of {trained.path} by {len(networks)} "
    f"{noun(len(networks), 'network')}",
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
  with (
    products.precision(trained.precision),
    class_maps.create(stem, legend, size, image.georeference, tables, classes, tells_unknown) as maps,
  ):
    _classify(settings, trained, scene, image, networks, maps, tells_unknown)
  notes = maps.notes if not maps.outvoted else (*maps.notes, outvoted_note(maps.outvoted))
  print("\n".join([*map(_area_line, maps.areas()), *(f"note: {note}" for note in notes)]))
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
  hectares = "" if area.hectares is None else f", {area.hectares:,.2f} ha"
  return f"{area.class_id} {area.name}: {area.pixels:,} {noun(area.pixels, 'pixel')}{hectares}"


def _classify(settings, trained, scene, image, networks, maps: ClassMaps, tells_unknown) -> None:
  """Classifies the image window by window and writes the maps."""
  tile_pixels = settings.tile_pixels or trained.inference.tile_pixels
  outputs = 0 if settings.probabilities == NONE else trained.network.classes
  classifier = classify.Classifier(
    trained.networks_of_mixture,
    jax.devices(),
    settings.classify_method,
    tile_pixels,
    _inference_options(trained, scene, settings.replica),
    all_classes=outputs > 0,
  )
  placed = classifier.place_snapshots(networks)
  size = image.height, image.width
  values = max(image.bands, scene.inputs.channels, outputs)
  places = list(windows.image_windows(*size, values, rasters.BLOCK))
  fill_values = FillValues(image, scene)
  halo = classifier.halo, classifier.halo
  measured, class_ids = 0, trained.legend.class_ids(scene.name)
  # With a shared legend, a new image may have any class.
  index = scene.index if trained.legend.names is None else trained.network.new_scene
  with progress.bar("classifying", len(places), "window") as bar:
    for place in places:
      around = windows.add_halo(place, size, halo, halo).inside
      window = read_window(image, scene.inputs, *around, trained.network.patch, fill_values)
      inner = windows.shifted(place, -around[0].start, -around[1].start)
      missing = window.missing[inner]
      if not measured and not missing.all():
        check_unit(window, image, scene)
      measured += np.count_nonzero(~missing)
      # In new rasters all pixels are nodata: windows without a measurement are skipped.
      if not missing.all():
        region = classify.SceneRegion(window.padded, index, scene.inputs.contrast, ~window.missing, inner)
        votes, probabilities = _vote(classifier, placed, region, outputs)
        # Values far outside of the range of training can overflow in a network.
        missing = missing | ~np.isfinite(votes.probability[0])
        ids = np.where(missing, 0, class_ids[votes.labels[0]])
        unlike = tells_unknown and tells_unknown.measure(window.padded, inner)
        maps.write(*place, ids, votes.share[0], votes.probability[0], probabilities, unlike)
      bar.update()
  if not measured:
    raise RequestError(
      f"{image.origin} has no measurement: every pixel is nodata or not finite; check the file and "
      "--config.nodata"
    )


def _vote(classifier, networks, region, outputs) -> tuple[Votes, np.ndarray | None]:
  """Returns the votes on a region and the probabilities of all outputs `[h, w, C]`; None for 0 outputs."""
  if not outputs:
    return classifier.vote(networks, region, _no_tick), None
  probabilities = np.empty((*windows.shape_of(region.window), outputs), np.float32)

  def take(window, _, of_tile):
    probabilities[window] = of_tile

  return classifier.vote(networks, region, _no_tick, take), probabilities


def _no_tick():
  """Does nothing: the bar counts windows, not windows."""


def _find_scene(trained: TrainedRun, name: str | None) -> TrainedScene:
  name = name or trained.target
  if name not in trained.scenes:
    raise RequestError(
      f"config key scene is {name!r}; the run in {trained.path} has {', '.join(trained.scenes)}"
    )
  return trained.scenes[name]


def _read_networks(trained: TrainedRun, scene: TrainedScene, replica: int | None) -> list[dict]:
  """All networks that vote, each with a leading replica axis of 1."""
  if replica is not None and replica >= trained.voters:
    known = "only replica 0" if trained.voters == 1 else f"replicas 0 to {trained.voters - 1}"
    raise RequestError(f"config key replicas is '{replica}'; the run in {trained.path} has {known}")
  return list(_networks(trained, scene, range(trained.voters) if replica is None else [replica]))


def _networks(trained, scene, replicas) -> Iterator[dict]:
  for epoch in trained.snapshot_epochs:
    stacked = jax.tree.map(np.asarray, trained.networks(epoch))
    for replica in replicas:
      network = jax.tree.map(lambda x, index=replica: x[index : index + 1], stacked)
      if trained.mixtures:
        drawn = replica // trained.ensemble.voters
        network["mixture"] = trained.mixtures[scene.name].of_map(drawn)
      yield network


def _inference_options(trained, scene, replica) -> classify.InferenceOptions:
  """Those of the run, with the smoothing of the scene; of several maps, the one that most of them have."""
  if not trained.mixtures:
    return trained.inference.options
  smoothings = trained.mixtures[scene.name].smoothings
  if replica is not None:
    smoothings = [smoothings[replica // trained.ensemble.voters]]
  commonest, _ = collections.Counter(smoothings).most_common(1)[0]
  return trained.inference.options._replace(smoothing=commonest)


def _legend(trained: TrainedRun, scene: TrainedScene, settings: PredictionSettings) -> rasters.Legend:
  given, names = scene.class_colours or {}, trained.legend.class_names(scene.name)
  # Classes that the scene lacks come after its own.
  ordered = [*scene.class_names, *(class_id for class_id in names if class_id not in scene.class_names)]
  table = {
    class_id: given.get(class_id, colours.class_colour(position)) for position, class_id in enumerate(ordered)
  }
  names = dict(sorted(names.items()))
  title = f"{delivery.stem(settings.image)}: classes of {scene.name}"
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
