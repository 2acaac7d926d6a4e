"""Estimates accuracies and areas of a map from a design and its filled-in sample."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from mtl_hsi.assessment import estimate_files, estimators, labelled, sample_files, training
from mtl_hsi.assessment.class_map import ClassMap, open_class_map
from mtl_hsi.assessment.design import ENDING, Design, read_design
from mtl_hsi.assessment.frame import Frame, count
from mtl_hsi.assessment.results import ClassResult, Results, area_of, as_json
from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images import rasters
from mtl_hsi.settings import assessment_settings
from mtl_hsi.settings.assessment_settings import EstimateSettings
from mtl_hsi.storage.atomic_files import reason
from mtl_hsi.storage.file_set import FileSet, with_ending


def run(config: Any) -> dict:
  """Estimates what a config of `configs/assess_estimate.py` asks for, and writes and prints it.

  Returns:
    For programs: paths of the `files`, and the `estimates`.

  Raises:
    RequestError: the request is invalid or a file cannot be read or written; no file remains.
  """
  settings = assessment_settings.read_estimate(config)
  stem = _stem(settings.sample)
  if not settings.sample.is_file():
    raise RequestError(f"no such file: {settings.sample.absolute()}; expected the filled-in sample")
  design = read_design(settings.design or stem.with_name(stem.name + ENDING))
  output = Path(settings.output) if settings.output else stem
  files = FileSet(output, estimate_files.ENDINGS, "--config.output")
  files.check_free()
  with rasters.bounded_cache(), open_class_map(settings.map) as class_map:
    results = _estimate(settings, design, class_map)
  try:
    with files.create() as written:
      estimate_files.write(written, results, _map_page(settings.map, output.parent))
  except OSError as error:
    raise RequestError(f"cannot write {output.absolute()}*: {reason(error)}") from error
  print("\n".join(estimate_files.lines(results)))
  print(
    f"Report: {output}{estimate_files.PAGE}\nTables: {output}{estimate_files.TABLE}, "
    f"{output}{estimate_files.MATRIX}"
  )
  paths = [str(with_ending(output, ending)) for ending in files.endings]
  return {"files": paths, "estimates": as_json(results)}


def _stem(sample: Path) -> Path:
  """Returns the common path of the files of a sample, without endings."""
  for ending in (sample_files.TABLE, sample_files.FEATURES):
    if sample.name.endswith(ending):
      return sample.with_name(sample.name.removesuffix(ending))
  return sample.with_suffix("")


def _map_page(path: Path, folder: Path) -> str | None:
  """Returns the report of the run that made a map, or the picture of a prediction, relative to a folder."""
  of_run = training.run_of(path)
  shown = path.with_name(path.stem + ".png") if of_run is None else of_run[0] / "report.html"
  return os.path.relpath(shown, folder) if shown.is_file() else None


def _estimate(settings: EstimateSettings, design: Design, class_map: ClassMap) -> Results:
  sha256 = class_map.sha256()
  design.check_map(class_map, sha256, is_new=settings.new_map)
  mapped_ids = _map_classes(class_map, design) if settings.new_map else design.drawn.classes
  areas = _mapped_areas(class_map, design, is_new=settings.new_map)
  names = class_map.all_names(areas, settings.further_classes)
  answers = sample_files.read_answers(settings.sample, design, names)
  ids = np.array(list(names))
  sample = labelled.combine(design, answers, _index(ids, mapped_ids))
  estimates = estimators.estimate(sample.labels, sample.strata, len(ids))
  counts = np.zeros((len(ids), len(ids)), int)
  np.add.at(counts, (sample.labels.mapped, sample.labels.reference), 1)
  classes = [
    ClassResult(
      class_id,
      names[class_id],
      areas.get(class_id, 0.0),
      estimates.users[k],
      estimates.producers[k],
      estimates.areas[k],
      area_of(estimates.areas[k], design.area),
    )
    for k, class_id in enumerate(names)
  ]
  used = [k for k, found in enumerate(classes) if found.mapped or counts[k].any() or counts[:, k].any()]
  return Results(
    map_name=settings.map.name,
    map_sha256=sha256,
    is_new_map=settings.new_map,
    design=design,
    sample=sample,
    overall=estimates.overall,
    classes=tuple(classes[k] for k in used),
    counts=counts[np.ix_(used, used)],
    shares=estimates.matrix[np.ix_(used, used)],
    assumptions=tuple(labelled.assumptions(design, sample)),
  )


def _mapped_areas(class_map: ClassMap, design: Design, *, is_new: bool) -> dict[int, float]:
  """Returns the counted area of every class in the map; that of a new map is scaled to the target area."""
  if not is_new:
    return {of_class.id: of_class.area for of_class in design.classes}
  frame = Frame(class_map, design.unit_side, None, True, np.zeros(0, np.int64), False)
  groups = count(frame).classes
  total = sum(group.area for group in groups.values())
  return {class_id: group.area / total * design.area for class_id, group in groups.items()}


def _map_classes(class_map: ClassMap, design: Design) -> np.ndarray:
  """Returns the prevailing class of every unit in a new map `[n]`."""
  found = []
  for row, column in zip(design.drawn.rows.tolist(), design.drawn.columns.tolist(), strict=True):
    last = [min(at + design.unit_side, size) for at, size in zip((row, column), design.shape, strict=True)]
    ids = class_map.read(slice(row, last[0]), slice(column, last[1]))
    ids = ids[ids > 0]
    if not ids.size:
      raise RequestError(
        f"{class_map.path.absolute()} has no class at row {row}, column {column}, which is in the sample; a "
        "new map must cover the target area of the sample"
      )
    found.append(int(np.bincount(ids).argmax()))
  return np.array(found)


def _index(ids: np.ndarray, wanted: np.ndarray) -> np.ndarray:
  return np.searchsorted(ids, wanted)
