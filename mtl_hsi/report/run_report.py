"""What a run leaves for people to read: a table, maps, rasters and one page."""

from pathlib import Path

from mtl_hsi.errors import RequestError
from mtl_hsi.report import maps, page, proposals_table, rasters
from mtl_hsi.report.contents import RunReport, SceneReport
from mtl_hsi.storage.atomic_files import reason, write_bytes

__all__ = ["RunReport", "SceneReport", "write"]


def write(run: RunReport, directory: Path) -> None:
  """Writes `maps/<scene>/` with its PNGs and GeoTIFFs, `proposals/<scene>.csv` and `report.html`.

  Raises:
    RequestError: a file cannot be written, or proposals of an earlier start cannot be read.
  """
  for report in run.scenes:
    folder = directory / "maps" / report.scene.name
    for drawn in maps.maps(report):
      write_bytes(folder / f"{drawn.name}.png", maps.picture(drawn))
    write_bytes(folder / "prediction.tif", rasters.encode_class_map(report))
    write_bytes(folder / "prediction.tif.aux.xml", rasters.category_names(report.scene.class_names))
    if report.probability is not None:
      write_bytes(folder / "confidence.tif", rasters.encode_confidence(report))
    table = directory / "proposals" / f"{report.scene.name}.csv"
    if report.proposals is not None and not _is_filled_in(table):
      write_bytes(table, proposals_table.csv(report))
  # Names of files may hold bytes that are no text.
  write_bytes(directory / "report.html", page.html(run).encode(errors="backslashreplace"))


def _is_filled_in(table: Path) -> bool:
  """Whether somebody has begun to label the proposals of an earlier start."""
  try:
    return proposals_table.is_filled_in(table.read_text(errors="replace"))
  except FileNotFoundError:
    return False
  except OSError as error:
    raise RequestError(f"cannot read {table}: {reason(error)}") from error
