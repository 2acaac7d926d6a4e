"""`Model`: trains on images and labels, predicts, and is saved as one file."""

import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from absl import logging

from mtl_hsi.errors import RequestError
from mtl_hsi.estimator import array_images, data_arrays, fitting, label_images, messages
from mtl_hsi.estimator.prediction import Prediction
from mtl_hsi.prediction import predict as prediction
from mtl_hsi.prediction import shift
from mtl_hsi.prediction.image_classifier import ImageClassifier
from mtl_hsi.prediction.new_image import NewImage, open_image
from mtl_hsi.runs.trained_run import TrainedRun, read_run
from mtl_hsi.runs.trained_scene import TrainedScene
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.sharing import export
from mtl_hsi.storage.json_files import well_formed

_PARAMETERS = ("recipe", "options", "directory", "quiet")


class Model:
  """Networks that map land cover, with the conventions of scikit-learn where applicable.

  The code is that of the command `mtl-hsi`, so predictions are bit-identical to those of `mtl-hsi predict`
  with the same run.

  Args:
    recipe: name of a config in configs/: "own", "best", "fields" or "letter".
    options: config values that differ from the recipe, with dots between groups and keys, such as
      {"replicas": 2, "phases.phase1.epochs": 20}.
    directory: work directory of the run. An interrupted run in it is resumed, a complete one is read. None: a
      temporary directory, which is removed with the model.
    quiet: whether to suppress output and progress bars. Warnings are still logged.

  Attributes:
    scenes_: names of the scenes; the first one is the target.
    classes_: class ids of the target in ascending order, as in the last axis of `predict_proba`.
    class_names_: name of every class of the target, by id.
    metrics_: accuracies by scene, as under "scenes" in `metrics.json`.
  """

  def __init__(
    self,
    recipe: str = "own",
    options: Mapping[str, Any] | None = None,
    directory: str | Path | None = None,
    quiet: bool = True,
  ):
    self.recipe, self.options, self.directory, self.quiet = recipe, options, directory, quiet

  @messages.named_as_arguments()
  def fit(
    self,
    image: Any,
    labels: Any = None,
    *,
    name: str = "scene",
    class_names: Mapping[int, str] | Sequence[str] | None = None,
    wavelengths: Any = None,
    widths: Any = None,
    **options: Any,
  ) -> Self:
    """Trains on an image and its labels, or on scenes, and returns the model.

    Args:
      image: numbers `[H, W, B]`, a DataArray of xarray, an open dataset of rasterio, the path of a file, or
        one or several `Scene`.
      labels: class ids (0 is unlabelled) or names `[H, W]`, a DataArray or a dataset of these. With an image
        from a file also the path of labels, or None if the file of the image has them.
      name: name of the scene: lower-case letters, digits and _.
      class_names: names by id, or in ascending order of the ids.
      wavelengths: band centres in nm or um `[B]` of an image in memory; or a CSV file of these.
      widths: full widths at half maximum in the same unit `[B]`.
      options: for an image in memory `nodata`, `scale`, `offset`, `bad_bands`; for a file, all options of a
        scene in a scenes file, such as `label_column`.

    Raises:
      RequestError: image, labels or an option are invalid.
    """
    scenes, files = _scenes(image, labels, name, (class_names, wavelengths, widths), options)
    directory = Path(self.directory or self._temporary_directory())
    with fitting.quietly(self.quiet):
      fitting.train(self.recipe, scenes, files, directory, self.options or {})
    self._read(directory)
    return self

  @messages.named_as_arguments()
  def predict(
    self, image: Any, *, scene: str | None = None, wavelengths: Any = None, widths: Any = None, **options: Any
  ) -> Prediction:
    """Maps an image.

    The first call for a new image size compiles for some seconds; later calls do not.

    Args:
      image: as in `fit`, of the sensor and in the unit of the scene.
      scene: the scene that the image resembles; None: the target.
      wavelengths: as in `fit`.
      widths: as in `fit`.
      options: `nodata`, `scale`, `offset` and so on, as in configs/predict.py; options that are not given
        are those of the scene, as with `mtl-hsi predict`.

    Raises:
      RequestError: the model is not trained, or the image does not fit it.
    """
    of_run = self._scene(scene)
    opened = self._open(of_run, image, wavelengths, widths, options)
    classified = opened.image.height, opened.image.width
    ids, confidence = np.zeros(classified, np.int32), np.full((2, *classified), np.nan, np.float32)
    with fitting.quietly(self.quiet):
      for part in self._classifier(of_run, all_classes=False).windows(*opened[:2]):
        window = part.rows, part.columns
        ids[window] = part.ids
        confidence[:, *window] = np.where(part.ids == 0, np.nan, (part.share, part.probability))
    legend = prediction.legend_of(self._trained, of_run, opened.image.origin)
    votes, probability = confidence
    return Prediction(
      map=ids,
      confidence=probability,
      votes=votes,
      class_names=legend.names,
      colours=legend.colours,
      codes=legend.codes,
      metrics=self.metrics_[of_run.name],
      outside=_outside(opened),
      notes=opened.notes,
      georeference=opened.image.georeference,
      coordinates=data_arrays.coordinates(image),
    )

  @messages.named_as_arguments()
  def predict_proba(
    self, image: Any, *, scene: str | None = None, wavelengths: Any = None, widths: Any = None, **options: Any
  ) -> np.ndarray:
    """Returns the probability of every class, float32 `[H, W, C]`, NaN where nothing was measured.

    The classes are in ascending order of their ids. Arguments and errors are those of `predict`.
    """
    of_run = self._scene(scene)
    opened = self._open(of_run, image, wavelengths, widths, options)
    order = np.argsort(self._trained.legend.class_ids(of_run.name))
    found = np.full((opened.image.height, opened.image.width, len(order)), np.nan, np.float32)
    with fitting.quietly(self.quiet):
      for part in self._classifier(of_run, all_classes=True).windows(*opened[:2]):
        probabilities = part.probabilities[..., order]
        found[part.rows, part.columns] = np.where(part.ids[..., None] == 0, np.nan, probabilities)
    return found

  def score(self, image: Any, labels: Any, *, scene: str | None = None, **options: Any) -> float:
    """Returns the overall accuracy on the labelled pixels of an image.

    Args:
      image: as in `predict`.
      labels: class ids or names `[H, W]`; names are compared with those of the model.
      scene: as in `predict`.
      options: as in `predict`.

    Raises:
      RequestError: as in `predict`, or there is no label.
    """
    predicted, wanted = self.predict(image, scene=scene, **options), label_images.read(labels, None)
    labelled = wanted.ids > 0
    if not labelled.any() or labelled.shape != predicted.map.shape:
      raise RequestError("the labels have no labelled pixel, or another size than the image")
    by_name = label_images.are_names(labels)
    found = predicted.names()[labelled] if by_name else predicted.map[labelled]
    names = np.array(["", *wanted.names.values()]) if by_name else None
    return float(np.mean(found == (names[wanted.ids[labelled]] if by_name else wanted.ids[labelled])))

  @messages.named_as_arguments()
  def save(self, path: str | Path, *, training_pixels: bool = False, licence: str = "unknown") -> Path:
    """Writes the model to one file, as `mtl-hsi export` does; an existing file is replaced.

    Args:
      path: of the file, such as fields.mtlhsi.
      training_pixels: whether to save training pixels, which predictions need to find unknown land cover.
      licence: identifier of the licence for the model card.

    Raises:
      RequestError: the model is not trained, or the file cannot be written.
    """
    path = Path(path)
    self._check_fitted()
    export.write(path, self._trained, training_pixels=training_pixels, licence=licence, name=path.name)
    return path

  @classmethod
  def load(cls, path: str | Path, *, quiet: bool = True) -> Self:
    """Reads a model from a file of `save` or `mtl-hsi export`, or from the work directory of a run.

    Raises:
      RequestError: there is no model, or it is damaged.
    """
    model = cls(quiet=quiet)
    model._read(Path(path))
    return model

  def get_params(self, deep: bool = True) -> dict[str, Any]:
    """Returns the arguments of the constructor."""
    return {key: getattr(self, key) for key in _PARAMETERS}

  def set_params(self, **parameters: Any) -> Self:
    """Sets arguments of the constructor, and returns the model; they apply to the next `fit`."""
    for key, value in parameters.items():
      if key not in _PARAMETERS:
        raise RequestError(f"unknown parameter {key!r}; expected one of {', '.join(_PARAMETERS)}")
      setattr(self, key, value)
    return self

  def __repr__(self) -> str:
    return f"Model({', '.join(f'{key}={value!r}' for key, value in self.get_params().items())})"

  def __sklearn_is_fitted__(self) -> bool:
    return hasattr(self, "_trained")

  def _temporary_directory(self) -> str:
    """Returns a new directory that is removed with the model."""
    path = tempfile.mkdtemp(prefix="mtl_hsi_")
    weakref.finalize(self, shutil.rmtree, path, ignore_errors=True)
    return path

  def _read(self, path: Path) -> None:
    trained: TrainedRun = read_run(path)
    self._trained, self._classifiers = trained, {}
    metrics = trained.files.record("metrics.json")
    with well_formed(path / "metrics.json"):
      self.metrics_ = {name: metrics["scenes"][name] for name in trained.scenes}
    self.scenes_ = [trained.target, *(name for name in trained.scenes if name != trained.target)]
    self.class_names_ = dict(sorted(trained.legend.class_names(trained.target).items()))
    self.classes_ = np.array(list(self.class_names_), np.int32)

  def _check_fitted(self) -> None:
    if not hasattr(self, "_trained"):
      raise RequestError("the model is not trained; call fit first, or Model.load")

  def _scene(self, name: str | None) -> TrainedScene:
    self._check_fitted()
    return self._trained.scene(name)

  def _open(self, scene, image, wavelengths, widths, options) -> NewImage:
    wavelengths, options = fitting.with_table(wavelengths, options)
    keys = fitting.image_keys(options)
    return open_image(array_images.opener(image, wavelengths, widths), keys, scene, self._trained)

  def _classifier(self, scene: TrainedScene, *, all_classes: bool) -> ImageClassifier:
    """Returns the networks on the devices. They and their compiled programs are kept for further calls."""
    key = scene.name, all_classes
    if key not in self._classifiers:
      self._classifiers[key] = ImageClassifier(
        self._trained, scene, None, "dense", None, all_classes=all_classes
      )
    return self._classifiers[key]


def _scenes(image, labels, name, described, options) -> tuple[list[Scene], dict[str, dict[str, str]]]:
  """Returns scenes in memory, and the options of images and labels by name."""
  class_names, wavelengths, widths = described
  wavelengths, options = fitting.with_table(wavelengths, options)
  given = list(image) if isinstance(image, list | tuple) else [image]
  if given and all(isinstance(scene, Scene) for scene in given):
    if labels is not None or options or any(facts is not None for facts in described):
      raise RequestError("a Scene has its labels and options already; give nothing else")
    return given, {}
  path = array_images.path_of(image)
  if path is not None and (labels is None or isinstance(labels, str | Path)):
    if class_names is not None or wavelengths is not None or widths is not None:
      raise RequestError(
        "image and labels are files; give classes=<file> and wavelengths=<file> as paths too"
      )
    return [], {name: fitting.files_of(path, labels, options)}
  scene = fitting.scene_of(
    image,
    labels,
    name,
    class_names=class_names,
    wavelengths=wavelengths,
    widths=widths,
    options=options,
  )
  return [scene], {name: fitting.image_options(options)}


def _outside(opened: NewImage) -> float | None:
  """Returns the share of the pixels outside the range of training; warns if it is large."""
  found = shift.measure(opened.image, opened.scene)
  if found is not None and found.outside > shift.FAR:
    logging.warning("%s: %s", opened.image.origin, shift.sentence(found, opened.scene))
  return None if found is None else found.outside
