"""Writes a run's report: maps, rasters, proposals and the page."""

from pathlib import Path

from mtl_hsi.errors import RequestError
from mtl_hsi.report import csv_cells, maps, page, pictures, proposals_table, rasters, styles
from mtl_hsi.report.run_report import RunReport, SceneReport
from mtl_hsi.runtime.spelling import PROGRAM, spelled
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.storage.atomic_files import reason, write_bytes


def write_report(run: RunReport, directory: Path) -> None:
  """Writes `maps/<scene>/` with PNGs and GeoTIFFs, `proposals/<scene>.csv` and `report.html`.

  `maps/<scene>/classes.csv` lists the classes if some have another number in the labels.

  Raises:
    RequestError: a file cannot be written, or proposals of an earlier start cannot be read.
  """
  for report in run.scenes:
    _write_maps(report, directory / "maps" / report.scene.name)
    _write_proposals(report, directory / "proposals" / f"{report.scene.name}.csv")
  html = page.render(run)
  if run.command.startswith(f"{PROGRAM} "):
    html = spelled(html, {})
  # Names of files may contain bytes that are not valid text.
  write_bytes(directory / "report.html", html.encode(errors="backslashreplace"))


def _write_maps(report: SceneReport, folder: Path) -> None:
  for drawn in maps.scene_maps(report):
    write_bytes(folder / f"{drawn.name}.png", pictures.draw_picture(drawn.title, drawn.image, drawn.legend))
  rasters.write_class_map_of(report, folder / "prediction.tif")
  legend = rasters.legend_of(report)
  write_bytes(folder / "prediction.tif.aux.xml", rasters.category_names(legend.names))
  _write_style(styles.of_classes(legend), folder / "prediction")
  if report.scene.class_codes:
    write_bytes(folder / "classes.csv", _class_table(report.scene))
  if report.probability is not None:
    rasters.write_confidence_of(report, folder / "confidence.tif")
    _write_style(styles.of_confidence(report.scene.title), folder / "confidence")


def _write_style(style: dict[str, bytes], stem: Path) -> None:
  for ending, content in style.items():
    write_bytes(stem.with_suffix(ending), content)


def _class_table(scene: Scene) -> bytes:
  """Returns the ids of the classes, and their numbers in the labels, as CSV."""
  codes = scene.class_codes
  rows = [
    [class_id, codes.get(class_id, class_id), csv_cells.escape_formula(name)]
    for class_id, name in sorted(scene.class_names.items())
  ]
  return csv_cells.csv_text([["id", "code", "name"], *rows]).encode(errors="backslashreplace")


def _write_proposals(report: SceneReport, table: Path) -> None:
  """Leaves a table alone that somebody has begun to fill in."""
  if report.proposals is None:
    return
  try:
    if proposals_table.is_filled_in(table.read_text(errors="replace")):
      return
  except FileNotFoundError:
    pass
  except OSError as error:
    raise RequestError(f"cannot read {table}: {reason(error)}") from error
  write_bytes(table, proposals_table.encode_csv(report))
