"""Classifies images of any size, window by window, with the networks of a finished run."""

import collections
from collections.abc import Iterator
from typing import NamedTuple

import jax
import numpy as np

from mtl_hsi.classification import classify
from mtl_hsi.classification.voting import Votes
from mtl_hsi.errors import RequestError
from mtl_hsi.models import products
from mtl_hsi.prediction.image_checks import FillValues, check_unit
from mtl_hsi.prediction.windows import Window as InputWindow
from mtl_hsi.prediction.windows import read_window
from mtl_hsi.report import rasters
from mtl_hsi.runs.trained_run import TrainedRun
from mtl_hsi.runs.trained_scene import TrainedScene
from mtl_hsi.runs.unknown_pixels import Unknown
from mtl_hsi.runtime import progress
from mtl_hsi.scenes import windows
from mtl_hsi.scenes.images.image import Image
from mtl_hsi.scenes.windows import Window


class ClassifiedWindow(NamedTuple):
  """The classes of a window of an image; see `class_maps.ClassMaps.write`.

  Attributes:
    rows: rows of the image.
    columns: columns of the image.
    ids: class ids, 0 where nothing was measured `[h, w]`.
    share: share of the votes for that class `[h, w]`.
    probability: of that class `[h, w]`.
    probabilities: of all outputs of the network `[h, w, C]`, or None.
    unlike: see `Unknown.measure`, or None.
  """

  rows: slice
  columns: slice
  ids: np.ndarray
  share: np.ndarray
  probability: np.ndarray
  probabilities: np.ndarray | None
  unlike: np.ndarray | None


class ImageClassifier:
  """The networks of a run on the devices, with the programs compiled so far.

  Args:
    trained: the run.
    scene: the scene as which images are classified.
    replica: the replica whose networks vote, or None for all.
    method: a name of `logits.METHODS`.
    tile_pixels: maximum number of pixels classified at once, or None for that of the run.
    all_classes: whether to return the probabilities of all classes.

  Attributes:
    networks: how many networks vote.

  Raises:
    RequestError: there is no such replica, or a network cannot be read.
  """

  def __init__(
    self,
    trained: TrainedRun,
    scene: TrainedScene,
    replica: int | None,
    method: str,
    tile_pixels: int | None,
    *,
    all_classes: bool,
  ):
    networks = read_networks(trained, scene, replica)
    self.networks = len(networks)
    self._trained, self._class_ids = trained, trained.legend.class_ids(scene.name)
    self._index = scene_index(trained, scene)
    self._outputs = trained.network.classes if all_classes else 0
    self._classifier = classify.Classifier(
      trained.networks_of_mixture,
      jax.devices(),
      method,
      tile_pixels or trained.inference.tile_pixels,
      inference_options(trained, scene, replica),
      all_classes=all_classes,
    )
    self._placed = self._classifier.place_snapshots(networks)

  def windows(
    self, image: Image, scene: TrainedScene, unknown: Unknown | None = None
  ) -> Iterator[ClassifiedWindow]:
    """Yields the windows of an image that have a measurement.

    Args:
      image: the image, with the bands of `scene`.
      scene: that of the classifier, with `inputs` for the bands of the image.
      unknown: measures how unlike every class pixels are, or None.

    Raises:
      RequestError: the image cannot be read, or has no measurement.
    """
    values = max(image.bands, scene.inputs.channels, self._outputs)
    places = list(windows.image_windows(image.height, image.width, values, rasters.BLOCK))
    fill_values, measured = FillValues(image, scene), False
    with progress.bar("classifying", len(places), "window") as bar:
      for place in places:
        read = self._read(image, scene, place, fill_values)
        # In new rasters all pixels are nodata: windows without a measurement are skipped.
        if not read.window.missing[read.inner].all():
          if not measured:
            check_unit(read.window, image, scene)
          measured = True
          yield self._classified(read, scene, place, unknown)
        bar.update()
    if not measured:
      raise RequestError(
        f"{image.origin} has no measurement: every pixel is nodata or not finite; check the file and "
        "--config.nodata"
      )

  def _read(self, image, scene, place, fill_values):
    halo = self._classifier.halo, self._classifier.halo
    around = windows.add_halo(place, (image.height, image.width), halo, halo).inside
    window = read_window(image, scene.inputs, *around, self._trained.network.patch, fill_values)
    return _Read(window, windows.shifted(place, -around[0].start, -around[1].start))

  def _classified(self, read, scene, place, unknown):
    region = classify.SceneRegion(
      read.window.padded, self._index, scene.inputs.contrast, ~read.window.missing, read.inner
    )
    with products.precision(self._trained.precision):
      votes, probabilities = self._vote(region)
    # Values far outside the range of training can overflow in a network.
    missing = read.window.missing[read.inner] | ~np.isfinite(votes.probability[0])
    ids = np.where(missing, 0, self._class_ids[votes.labels[0]])
    unlike = unknown and unknown.measure(read.window.padded, read.inner)
    return ClassifiedWindow(*place, ids, votes.share[0], votes.probability[0], probabilities, unlike)

  def _vote(self, region) -> tuple[Votes, np.ndarray | None]:
    """Returns the votes on a region and, if requested, the probabilities of all outputs `[h, w, C]`."""
    if not self._outputs:
      return self._classifier.vote(self._placed, region, _no_tick), None
    probabilities = np.empty((*windows.shape_of(region.window), self._outputs), np.float32)

    def take(window, _, of_tile):
      probabilities[window] = of_tile

    return self._classifier.vote(self._placed, region, _no_tick, take), probabilities


class _Read(NamedTuple):
  """A window that was read with its halo, and the position of the window in it."""

  window: InputWindow
  inner: Window


def _no_tick():
  """Does nothing: the bar counts windows, not tiles."""


def scene_index(trained: TrainedRun, scene: TrainedScene) -> int:
  """Returns the index in the network of an image like a scene."""
  # With a shared legend, a new image may have any class.
  return scene.index if trained.legend.names is None else trained.network.new_scene


def read_networks(trained: TrainedRun, scene: TrainedScene, replica: int | None) -> list[dict]:
  """Returns all networks that vote, each with a leading replica axis of 1.

  Args:
    trained: the run.
    scene: the scene whose mixture they have.
    replica: the replica whose networks vote, or None for all.

  Raises:
    RequestError: there is no such replica, or a network cannot be read.
  """
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


def inference_options(trained, scene, replica) -> classify.InferenceOptions:
  """Returns the options of the run; if its maps have different smoothings, the most frequent one."""
  if not trained.mixtures:
    return trained.inference.options
  smoothings = trained.mixtures[scene.name].smoothings
  if replica is not None:
    smoothings = [smoothings[replica // trained.ensemble.voters]]
  commonest, _ = collections.Counter(smoothings).most_common(1)[0]
  return trained.inference.options._replace(smoothing=commonest)
