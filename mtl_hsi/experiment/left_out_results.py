"""What a run reports of the labels that folds left out: accuracies, mixtures and calibration."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from mtl_hsi.evaluation import calibration, metrics
from mtl_hsi.evaluation.unit_intervals import unit_intervals
from mtl_hsi.experiment.mixtures import SceneMixture
from mtl_hsi.experiment.training_pixels import SceneFolds
from mtl_hsi.runs import mixture_record, unlike_record
from mtl_hsi.runs.unlike_record import UnlikeRecord
from mtl_hsi.scenes.legend import Legend
from mtl_hsi.splits.split import PADDING, Split, stack
from mtl_hsi.storage import atomic_files


def write_left_out(
  legend: Legend,
  directory: Path,
  mixtures: Mapping[str, Sequence[SceneMixture]],
  unlike: Mapping[str, UnlikeRecord],
) -> None:
  """Writes `mixtures.npz` and `left_out.npz` if anything is mixed, and `unknown.npz` if it is known.

  Args:
    legend: which output of the network stands for which class of each scene.
    directory: the work directory.
    mixtures: the mixtures of every scene, one for each map; empty if nothing is mixed.
    unlike: what tells unknown pixels, by scene; empty without left-out labels.

  Raises:
    RequestError: a file cannot be written.
  """
  if mixtures:
    _write_mixtures(legend, directory, mixtures)
  if unlike:
    atomic_files.write_npz(directory / unlike_record.NAME, unlike_record.arrays(unlike))


def _write_mixtures(legend, directory, mixtures):
  arrays, left_out = {}, {}
  for name, maps in mixtures.items():
    parameters = [chosen.parameters() for chosen in maps]
    arrays |= mixture_record.arrays(name, parameters, [chosen.smoothing for chosen in maps])
    left_out |= left_out_arrays(name, maps, legend.class_ids(name))
  atomic_files.write_npz(directory / mixture_record.NAME, arrays)
  atomic_files.write_npz(directory / "left_out.npz", left_out)


def left_out_accuracies(
  chosen: SceneMixture, class_ids: np.ndarray, names: Mapping[int, str], folds: SceneFolds
) -> dict:
  """Returns the accuracies on all labels that folds left out, pooled, with intervals that resample units.

  Args:
    chosen: of the first map.
    class_ids: class id of every output, see `Legend.class_ids`.
    names: the classes that networks without a fold could choose, by id.
    folds: of the scene.
  """
  found, ids = chosen.left_out, sorted(names)
  truth, predicted = class_ids[found.classes], class_ids[found.plain.argmax(axis=-1)]
  confusion = metrics.confusion(truth, predicted, ids)
  results = metrics.summarise(confusion[None], ids, names)
  for key, interval in unit_intervals(truth, predicted, found.unit, ids).items():
    results[key]["interval"] = interval
  results["left_out"] = {
    "kind": folds.kind,
    "folds": len(folds.left_out),
    "units": len(np.unique(found.unit)),
    "pixels": len(truth),
  }
  if folds.whole_scene:
    results["left_out"]["whole_scene"] = True
  return results


def describe_mixtures(
  maps: Sequence[SceneMixture], members: Sequence[str], class_names: Mapping[int, str]
) -> dict:
  """Returns the entry `mixture` of a scene in `metrics.json`.

  Args:
    maps: the mixture of every map.
    members: names of the members, the network first.
    class_names: id and name of the class of every output, see `Legend.class_names`.
  """
  found = [chosen.left_out for chosen in maps]
  predicted = np.concatenate([part.plain.argmax(axis=-1) for part in found])
  correct = predicted == np.concatenate([part.classes for part in found])
  before, after = (
    np.concatenate([np.exp(getattr(part, key)).max(axis=-1) for part in found])
    for key in ("plain", "calibrated")
  )
  calibration_of_all = _calibration(before, after, correct)
  if calibration_of_all is not None:
    unit = np.concatenate([part.unit for part in found])
    calibration_of_all["by_class"] = _by_class(class_names, predicted, after, correct, unit)
  return {
    "members": list(members),
    "replicas": [_describe(chosen) for chosen in maps],
    "calibration": calibration_of_all,
  }


def _describe(chosen):
  found = chosen.left_out
  known = len(found.classes) > 0
  alone = np.take_along_axis(found.members, found.classes.reshape(1, -1, 1), axis=-1)[..., 0]
  hits = found.members.argmax(axis=-1) == found.classes.reshape(1, -1)
  return {
    "weights": chosen.shares.tolist(),
    "member_temperatures": chosen.member_temperatures.tolist(),
    "accuracy": [float(row.mean()) if known else None for row in hits],
    "log_likelihood": [float(row.mean()) if known else None for row in alone],
    "smoothing": chosen.smoothing_name,
    "smoothing_radius": chosen.smoothing.steps,
    "temperature": float(chosen.temperature),
    "left_out_accuracy": float((found.plain.argmax(axis=-1) == found.classes).mean()) if known else None,
    "left_out_pixels": len(found.classes),
    **_regression(chosen.regression),
  }


def _regression(regression):
  if regression is None:
    return {}
  return {"regression": {"channels": regression.channels, "penalty": regression.penalty}}


def _calibration(before, after, correct):
  if not len(correct):
    return None
  return {
    "before": calibration.expected_calibration_error(before, correct),
    "after": calibration.expected_calibration_error(after, correct),
    "reliability_before": calibration.reliability(before, correct),
    "reliability_after": calibration.reliability(after, correct),
  }


def _by_class(class_names, predicted, confidence, correct, unit):
  """Returns the calibration on the pixels that are mapped as each class, in the order of the ids."""
  rows = []
  for output, (class_id, name) in enumerate(class_names.items()):
    of_class = predicted == output
    found = calibration.reliability_of_class(confidence[of_class], correct[of_class], unit[of_class])
    rows.append({"id": class_id, "name": name, **found})
  return sorted(rows, key=lambda row: row["id"])


def split_of_folds(folds: SceneFolds) -> Split:
  """Returns training and left-out pixels of every fold that leaves out any, a row for each."""
  parts = [pair for pair in zip(folds.train, folds.left_out, strict=True) if len(pair[1])]
  return Split(stack([train for train, _ in parts]), stack([left_out for _, left_out in parts]))


def left_out_arrays(name: str, maps: Sequence[SceneMixture], class_ids: np.ndarray) -> dict[str, np.ndarray]:
  """Returns the arrays of `left_out.npz` for one scene, a row for each map, padded with -1.

  `pixels` int32 `[G, n, 2]`; `class`, `predicted`, `fold` and `unit` int32 `[G, n]`; `probability` float32
  `[G, n]`, that of the predicted class after the temperature. `class_ids` are those of the outputs.
  """
  found = [chosen.left_out for chosen in maps]
  longest = max(len(part.classes) for part in found)

  def padded(rows, dtype=np.int32):
    filled = np.full((len(rows), longest), PADDING, dtype)
    for target, values in zip(filled, rows, strict=True):
      target[: len(values)] = values
    return filled

  probability = [np.exp(part.calibrated.max(axis=-1)) for part in found]
  return {
    f"{name}/pixels": stack([part.pixels for part in found]),
    f"{name}/class": padded([class_ids[part.classes] for part in found]),
    f"{name}/predicted": padded([class_ids[part.plain.argmax(axis=-1)] for part in found]),
    f"{name}/fold": padded([part.fold for part in found]),
    f"{name}/unit": padded([part.unit for part in found]),
    f"{name}/probability": padded(probability, np.float32),
  }
