"""A new image of any size, classified by the networks of a finished run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax
import numpy as np
import rasterio
from absl import logging

from mtl_hsi.classification import classify, tiles
from mtl_hsi.errors import RequestError
from mtl_hsi.models import products
from mtl_hsi.prediction import class_maps, windows
from mtl_hsi.report import colours, rasters
from mtl_hsi.runs.trained import TrainedRun, TrainedScene, read_run
from mtl_hsi.runtime import progress
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.settings import image_settings, prediction_settings
from mtl_hsi.settings.prediction_settings import PredictionSettings

# Blocks of rasters that GDAL holds back.
_CACHE_MB = 256
# Scaled values beyond the one, or within less than the other, are of another unit: scaling leaves the scene's
# maximum at 1, or every band with a standard deviation of 1.
_FAR, _NEAR = 30.0, 0.003


def run(config: Any) -> None:
  """Predicts the image that a config names and writes the maps of it.

  Args:
    config: a ConfigDict with the keys of `configs/predict.py`.

  Raises:
    RequestError: something asked for cannot be done; nothing is left of it.
  """
  options = prediction_settings.read(config)
  # GDAL would keep a share of the machine's memory.
  with rasterio.Env(GDAL_CACHEMAX=_CACHE_MB):
    _run(options)


def _run(options):
  trained = read_run(options.run)
  scene = _scene(trained, options.scene)
  image, inherited, replaced = _open(options, scene)
  _say("As in training", inherited)
  _say("The file's own stand in place of training's", replaced)
  _check(image, scene, trained)
  stem = _output(options, scene)
  class_maps.check_free(stem)
  networks = _networks(trained, options.replica)
  print(
    f"{image.origin}: {image.height} x {image.width} pixels, {image.bands} bands, as {scene.name!r} of "
    f"{trained.directory}, by {len(networks)} networks",
    flush=True,
  )
  with products.precision(trained.precision):
    areas = _predict(options, trained, scene, image, networks, stem)
  print("\n".join(map(_area, areas)))
  print(f"Class map: {stem}_classes.tif, {stem}_classes.img for ENVI\nConfidence: {stem}_confidence.tif")
  print(f"Quick look: {stem}_classes.png\nAreas: {stem}_areas.csv")


def _area(own: class_maps.ClassArea) -> str:
  hectares = "" if own.hectares is None else f", {own.hectares:,.2f} ha"
  return f"{own.class_id} {own.name}: {own.pixels:,} pixels{hectares}"


def _say(words: str, keys: dict[str, str]) -> None:
  if keys:
    print(f"{words}: {', '.join(f'{key}={value}' for key, value in keys.items())}", flush=True)


def _open(
  options: PredictionSettings, scene: TrainedScene
) -> tuple[Image, dict[str, str], dict[str, str]]:
  """The image, the scene's options that it is read with, and those that its file replaces."""
  image = Image.open(options.image, options.image_key, **image_settings.read(options.image_keys))
  inherited = image_settings.inherit(options.image_keys, scene.image_keys)
  known = ("nodata",) * image.knows_nodata + ("scale", "offset") * image.knows_scale
  replaced = {key: inherited.pop(key) for key in known if key in inherited}
  # It may come without the bands that training had to leave out.
  if image.bands == scene.inputs.bands:
    inherited.pop("bad_bands", None)
  if inherited:
    told = image_settings.read({**options.image_keys, **inherited})
    image = Image.open(options.image, options.image_key, **told)
  return image, inherited, replaced


def _predict(options, trained, scene, image, networks, stem):
  patch = trained.network.patch
  pixels = options.tile_pixels or trained.tile_pixels
  classifier = classify.Classifier(
    trained.network, jax.devices(), options.classify_method, pixels, trained.inference
  )
  placed = classifier.place_snapshots(networks)
  places = list(
    tiles.image_windows(image.height, image.width, max(image.bands, scene.inputs.channels), rasters.BLOCK)
  )
  measured = 0
  with (
    class_maps.create(stem, _legend(scene, options), image.height, image.width, image.georeference) as maps,
    progress.bar("classifying", len(places), "window") as bar,
  ):
    for rows, columns in places:
      around = tiles.add_halo(
        (rows, columns), (image.height, image.width), classifier.halo, classifier.halo
      ).inside
      window = tiles.shifted((rows, columns), -around[0].start, -around[1].start)
      padded, lacking = windows.read(image, scene.inputs, *around, patch)
      missing = lacking[window]
      if not measured and not missing.all():
        _check_unit(padded, lacking, image, scene)
      measured += np.count_nonzero(~missing)
      # Windows without any measurement are left as they are made, all 0.
      if not missing.all():
        region = classify.SceneRegion(padded, scene.index, scene.inputs.contrast, ~lacking, window)
        votes = classifier.vote(placed, region, _no_tick)
        # Values beyond all that was seen in training can overflow in a network.
        missing = missing | ~np.isfinite(votes.probability[0])
        ids = np.where(missing, 0, scene.class_ids[votes.labels[0]])
        maps.write(rows, columns, ids, votes.share[0], votes.probability[0])
      bar.update()
    if not measured:
      raise RequestError(
        f"{image.origin} holds no measurement: every pixel is nodata or not finite; check the file and "
        "--config.nodata"
      )
  return maps.areas()


def _no_tick():
  """The bar counts windows, not tiles."""


def _scene(trained: TrainedRun, name: str | None) -> TrainedScene:
  name = name or trained.target
  if name not in trained.scenes:
    raise RequestError(
      f"config key scene is {name!r}; the run in {trained.directory} has {', '.join(trained.scenes)}"
    )
  return trained.scenes[name]


def _networks(trained: TrainedRun, replica: int | None) -> list[dict]:
  """All networks that vote, each with a leading axis of 1."""
  if replica is not None and replica >= trained.replicas:
    raise RequestError(
      f"config key replicas is '{replica}'; the run in {trained.directory} has replicas 0 to "
      f"{trained.replicas - 1}"
    )
  chosen = range(trained.replicas) if replica is None else [replica]
  return list(_alone(trained, chosen))


def _alone(trained, replicas) -> Iterator[dict]:
  for epoch in trained.snapshot_epochs:
    together = jax.tree.map(np.asarray, trained.networks(epoch))
    for replica in replicas:
      yield jax.tree.map(lambda x, own=replica: x[own : own + 1], together)


def _check(image: Image, scene: TrainedScene, trained: TrainedRun) -> None:
  """Refuses another number of bands; warns of bands at other wavelengths."""
  if image.bands != scene.inputs.bands:
    raise RequestError(
      f"{image.origin} has {image.bands} bands and scene {scene.name!r} of {trained.directory} had "
      f"{scene.inputs.bands}; expected an image of the same sensor, with the same bands left out "
      "(--config.bad_bands)"
    )
  if image.wavelengths is None or scene.wavelengths is None:
    return
  width = _widths(scene)
  distance = np.abs(image.wavelengths - scene.wavelengths) / width
  worst = int(np.argmax(distance))
  if distance[worst] > 0.5:
    logging.warning(
      "band %d (from 0) of %s lies at %.1f nm and in training at %.1f nm, more than half a band width "
      "(%.1f nm) away; the map is not to be relied on unless the wavelengths are wrong",
      worst,
      image.origin,
      image.wavelengths[worst],
      scene.wavelengths[worst],
      width[worst],
    )


def _check_unit(padded: np.ndarray, lacking: np.ndarray, image: Image, scene: TrainedScene) -> None:
  """Warns where the values of the first window lie far from all that training scales to, about -5 to 5."""
  margin = (padded.shape[0] - lacking.shape[0]) // 2
  height, width = lacking.shape
  values = padded[margin : margin + height, margin : margin + width][~lacking]
  low, high = np.percentile(values, (1, 99))
  if max(-low, high) > _FAR or high - low < _NEAR:
    logging.warning(
      "the values of %s, scaled as those of %s in training, run from %.3g to %.3g; if they are in another "
      "unit (radiance, reflectance, per cent), bring them to that of training by --config.scale",
      image.origin,
      scene.name,
      low,
      high,
    )


def _widths(scene):
  """Of every band in nm; where unknown, the distance to the nearest other band."""
  if scene.widths is not None:
    return scene.widths
  if len(scene.wavelengths) == 1:
    return np.full(1, np.inf)
  apart = np.abs(scene.wavelengths - scene.wavelengths.reshape(-1, 1))
  np.fill_diagonal(apart, np.inf)
  return np.maximum(apart.min(axis=1), np.finfo(float).tiny)


def _legend(scene: TrainedScene, options: PredictionSettings) -> rasters.Legend:
  own = scene.class_colours or {}
  table = {
    class_id: own.get(class_id, colours.class_colour(position))
    for position, class_id in enumerate(scene.class_names)
  }
  return rasters.Legend(f"{options.image.stem}: classes of {scene.name}", scene.class_names, table)


def _output(options: PredictionSettings, scene: TrainedScene) -> Path:
  """The common path of what is written, without ending."""
  if options.output is None:
    return options.run / "predictions" / f"{scene.name}_{options.image.stem}"
  given = Path(options.output)
  if options.output.endswith("/") or given.is_dir():
    return given / options.image.stem
  return given
