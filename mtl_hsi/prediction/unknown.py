"""Finds unknown pixels of a new image with the record of the run."""

from collections.abc import Collection

from mtl_hsi.classification import unlike
from mtl_hsi.errors import RequestError
from mtl_hsi.runs import unlike_record
from mtl_hsi.runs.trained_run import TrainedRun
from mtl_hsi.runs.trained_scene import TrainedScene
from mtl_hsi.runs.unknown_pixels import Unknown, check_rate, read_unknown
from mtl_hsi.settings.prediction_settings import PredictionSettings
from mtl_hsi.settings.unknown_settings import NONE


def prepare(
  settings: PredictionSettings, trained: TrainedRun, scene: TrainedScene, class_ids: Collection[int]
) -> Unknown | None:
  """Returns what finds unknown pixels, or None if the settings do not request them.

  Args:
    settings: of the prediction.
    trained: the run.
    scene: its scene.
    class_ids: of the map.

  Raises:
    RequestError: the run lacks the record, or has too few left-out labels for the rate.
  """
  asked = settings.unknown
  if asked.action == NONE:
    return None
  components = unlike.components_of(scene.inputs)
  record = unlike_record.read(trained.files, scene.name, components.stop - components.start)
  key = f"config key unknown is {asked.action!r}"
  if record is None and trained.files.may_lack_pixels:
    raise RequestError(
      f"{key}, but {trained.path} has no training pixels, which this needs; export the run with "
      "them: mtl-hsi export --with-training-pixels"
    )
  if record is None:
    raise RequestError(
      f"{key}, but the run in {trained.path} has no distances of left-out labels of {scene.name!r}; "
      f"expected a run of version 0.3.0 or later with folds and MNF components, as "
      "configs/own.py has"
    )
  check_rate(asked, len(record.left_out), scene.name)
  return read_unknown(asked, record, components, trained.network.patch // 2, class_ids)
