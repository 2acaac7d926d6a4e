"""Draws a reference sample from a finished map, by design."""

from pathlib import Path
from typing import Any

import numpy as np

from mtl_hsi.assessment import drawing, label_page, sample_files, sizes, training, unit_images
from mtl_hsi.assessment.class_map import ClassMap, open_class_map, same_grid
from mtl_hsi.assessment.design import (
  ENDING,
  HECTARES,
  PIXELS,
  SIMPLE,
  STRATIFIED,
  SYSTEMATIC,
  Design,
  Stratum,
)
from mtl_hsi.assessment.frame import EVERYTHING, TRAINING, Count, Frame, Group, count
from mtl_hsi.errors import RequestError
from mtl_hsi.plurals import noun
from mtl_hsi.scenes.images import rasters
from mtl_hsi.settings import assessment_settings
from mtl_hsi.settings.assessment_settings import DrawSettings
from mtl_hsi.storage.atomic_files import json_bytes, reason
from mtl_hsi.storage.file_set import FileSet, with_ending

# End of the name of a map of configs/predict.py.
_CLASSES = "_classes"


def run(config: Any) -> dict:
  """Draws the sample of a config of `configs/assess_draw.py` and writes it with its design.

  Returns:
    For programs: paths of the `files`.

  Raises:
    RequestError: the request is invalid or a file cannot be read or written; no file remains.
  """
  settings = assessment_settings.read_draw(config)
  with rasters.bounded_cache(), open_class_map(settings.map) as class_map:
    files = FileSet(_output_stem(settings), _endings(settings, class_map), "--config.output")
    files.check_free()
    design = _draw(settings, class_map)
    page, notes = _page(settings, class_map, design, files.stem.name + sample_files.TABLE)
  try:
    with files.create() as stem:
      sample_files.write_table(with_ending(stem, sample_files.TABLE), design)
      if sample_files.FEATURES in files.endings:
        sample_files.write_features(with_ending(stem, sample_files.FEATURES), design)
      if page is not None:
        with_ending(stem, label_page.PAGE).write_bytes(page)
      with_ending(stem, ENDING).write_bytes(json_bytes(design.as_json()))
  except OSError as error:
    raise RequestError(f"cannot write {files.stem.absolute()}*: {reason(error)}") from error
  print("\n".join(_summary(design)))
  tables = [f"{files.stem}{ending}" for ending in files.endings if ending in sample_files.ENDINGS]
  print(f"Sample to fill in: {' or '.join(tables)}")
  if page is not None:
    print("\n".join([f"Page to fill it in: {files.stem}{label_page.PAGE}", *notes]))
  print(f"Design: {files.stem}{ENDING}")
  return {"files": [str(with_ending(files.stem, ending)) for ending in files.endings]}


def _endings(settings: DrawSettings, class_map: ClassMap) -> tuple[str, ...]:
  """Endings of the files; only a georeferenced map has features, and only an image makes a page."""
  features = () if class_map.georeference is None else (sample_files.FEATURES,)
  page = () if settings.image is None else (label_page.PAGE,)
  return (sample_files.TABLE, *features, *page, ENDING)


def _page(
  settings: DrawSettings, class_map: ClassMap, design: Design, table: str
) -> tuple[bytes | None, list[str]]:
  """Returns the page to fill in the sample, or None without an image, and what users should know of it."""
  if settings.image is None:
    return None, []
  names = class_map.all_names([of_class.id for of_class in design.classes], settings.further_classes)
  images = unit_images.open_image(settings.image, settings.image_key, settings.image_bands, design)
  notes = [f"note: {text}" for text in images.image.remarks]
  shown, number = label_page.count_shown(images), len(design.drawn.rows)
  if shown < number:
    notes.append(f"note: the page has the first {shown} of {number} units; with all it would be too large")
  return label_page.render(design, names, settings.further_classes, images, table), notes


def _output_stem(settings: DrawSettings) -> Path:
  if settings.output is not None:
    output = Path(settings.output)
    name = settings.map.stem.removesuffix(_CLASSES)
    return output / name if settings.output.endswith("/") or output.is_dir() else output
  if found := training.run_of(settings.map):
    directory, scene = found
    return directory / "assessment" / scene
  return settings.map.with_name(settings.map.stem.removesuffix(_CLASSES))


def _draw(settings: DrawSettings, class_map: ClassMap) -> Design:
  if settings.strata is None:
    return _draw_from(settings, class_map, None)
  with open_class_map(settings.strata) as strata:
    if not same_grid(strata, class_map.shape, class_map.georeference):
      raise RequestError(
        f"the strata {settings.strata.absolute()} have another grid than the map {settings.map.absolute()}; "
        "resample them to its size, transform and coordinate reference system"
      )
    return _draw_from(settings, class_map, strata)


def _draw_from(settings: DrawSettings, class_map: ClassMap, strata: ClassMap | None) -> Design:
  frame = Frame(
    class_map,
    settings.unit_side,
    strata,
    settings.design == STRATIFIED,
    _training(settings, class_map),
    settings.keeps_training,
  )
  counted = count(frame)
  if sum(group.units for group in counted.strata.values()) < 2:
    raise RequestError(f"{settings.map.absolute()} has fewer than 2 units with a class that did not train")
  plan = _plan(settings, counted)
  if settings.design == SYSTEMATIC:
    drawn, _ = drawing.draw_systematic(
      frame, counted.strata[EVERYTHING].units, plan[EVERYTHING], settings.seed
    )
  else:
    units = {stratum: group.units for stratum, group in counted.strata.items()}
    drawn = drawing.draw_random(frame, units, plan, settings.seed)
  names = _stratum_names(settings, class_map, strata, counted)
  return Design(
    map_sha256=class_map.sha256(),
    map_name=settings.map.name,
    shape=class_map.shape,
    georeference=class_map.georeference,
    design=settings.design,
    unit_side=settings.unit_side,
    seed=settings.seed,
    area_unit=PIXELS if class_map.pixel_areas() is None else HECTARES,
    strata=_groups(counted.strata, names, drawn.strata),
    classes=_groups(counted.classes, {i: class_map.name(i) for i in counted.classes}, drawn.classes),
    left_out={"training": counted.trained_pixels, "outside_strata": counted.other_pixels},
    drawn=drawn,
  )


def _training(settings: DrawSettings, class_map: ClassMap) -> np.ndarray:
  """Returns the positions of the training pixels of the run that is given or that the map belongs to."""
  run, scene = _run_and_scene(settings)
  if run is None:
    print("No --config.run: pixels that trained are not known and may be drawn.")
    return np.zeros(0, np.int64)
  positions = training.training_positions(run, scene, class_map)
  if not len(positions):
    of_scene = "" if scene is None else f" of {scene}"
    print(f"note: no training pixel{of_scene} of the run {run} is in the map; check --config.run")
  return positions


def _run_and_scene(settings: DrawSettings) -> tuple[Path | None, str | None]:
  """Returns the run of the map and the scene in it, each None if it is unknown."""
  found = training.run_of(settings.map)
  if not found:
    return settings.run, settings.scene
  run, scene = settings.run or found[0], settings.scene or found[1]
  if run.resolve() != found[0].resolve() or scene != found[1]:
    raise RequestError(
      f"{settings.map.absolute()} is the map of {found[1]!r} of the run {found[0]}, whose training pixels "
      f"must not be drawn, but the request names {scene!r} of {run.absolute()}; remove --config.run and "
      "--config.scene"
    )
  return run, scene


def _plan(settings: DrawSettings, counted: Count) -> dict[int, int]:
  """Returns the number of units to draw from each stratum."""
  strata = counted.strata
  units = [group.units for group in strata.values()]
  given = settings.accuracies
  if settings.design == STRATIFIED:
    expected = [given.get(stratum, given[None]) for stratum in strata]
  else:
    classes = [group.units for group in counted.classes.values()]
    expected = [np.average([given.get(i, given[None]) for i in counted.classes], weights=classes)]
  derived = settings.size is None
  size = sizes.size_for(settings.standard_error, expected, units) if derived else settings.size
  allocated = sizes.allocate(size, units, settings.allocation, settings.floor, can_grow=derived)
  return dict(zip(strata, allocated, strict=True))


def _stratum_names(settings, class_map, strata, counted) -> dict[int, str]:
  if settings.design in (SIMPLE, SYSTEMATIC):
    return {EVERYTHING: "all classes"}
  source = class_map if strata is None else strata
  return {i: source.name(i) for i in counted.strata} | {TRAINING: "training pixels"}


def _groups(groups: dict[int, Group], names: dict[int, str], drawn: np.ndarray) -> tuple[Stratum, ...]:
  return tuple(Stratum(i, names[i], *group, sample=int((drawn == i).sum())) for i, group in groups.items())


def _summary(design: Design) -> list[str]:
  number, side = len(design.drawn.rows), design.unit_side
  kind = "pixels" if side == 1 else f"squares of {side} x {side} pixels"
  lines = [f"{design.design.capitalize()} sample of {number} {kind}, seed {design.seed}"]
  for stratum in design.strata:
    lines.append(
      f"{stratum.id} {stratum.name}: {stratum.sample:,} of {stratum.units:,} {noun(stratum.units, 'unit')}, "
      f"{stratum.area / design.area:.2%} of the area"
    )
  lines.append(f"Target area: {design.area:,.2f} {design.area_unit}")
  for reason_out, pixels in design.left_out.items():
    if pixels:
      what = "in units that trained" if reason_out == "training" else "in no stratum"
      lines.append(f"Left out of the target area: {pixels:,} {noun(pixels, 'pixel')} {what}")
  return lines
