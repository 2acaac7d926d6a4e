"""The QGIS plugin by qgis_process: its results are those of the command."""

import csv
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import rasterio

from docs import example_scenes
from tests import launching
from tests.launching import ROOT

_PLUGIN = "mtl_hsi_map"
_SMALL = (
  *("folds=2", "replicas=1", "steps_per_epoch=15", "batch_size=8", "model.blocks=1", "model.patch=5"),
  *("model.width=6", "phases.phase1.epochs=1", "mixture.local_patch=0", "mixture.smoothings=('none',)"),
  *("mixture.regression=('bands',)", "mnf_components=0"),
)
_SHORT = "replicas=1 folds=2 steps_per_epoch=15 batch_size=8 phases.phase1.epochs=1"
_ALGORITHMS = ("adapt", "check", "drawsample", "estimateareas", "map", "predict")


# Debian's wrapper passes options to qgis_process that it does not know.
_PROCESS = shutil.which("qgis_process.bin") or shutil.which("qgis_process")


class _Qgis:
  """qgis_process with a profile of its own and the plugin; the command runs the code of this directory."""

  def __init__(self, directory: Path):
    self._directory = directory
    shutil.unpack_archive(_packed(directory), directory / "plugins")
    command = directory / "bin" / "mtl-hsi"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m mtl_hsi "$@"\n')
    command.chmod(0o755)
    self._call("plugins", "enable", _PLUGIN)

  def algorithms(self) -> set[str]:
    return {line.split()[0] for line in self._call("list").splitlines() if line.startswith("\tmtlhsi:")}

  def run(self, algorithm: str, **parameters) -> dict:
    """Runs an algorithm and returns its results."""
    given = {name: str(value) for name, value in parameters.items()}
    output = self._call("run", f"mtlhsi:{algorithm}", "--json", *(f"--{k}={v}" for k, v in given.items()))
    return json.loads(output[output.index("{") :])["results"]

  def command(self, *arguments) -> None:
    """Runs the command itself."""
    subprocess.run(
      [self._directory / "bin" / "mtl-hsi", *arguments],
      env=self._environment,
      check=True,
      capture_output=True,
    )

  def _call(self, *arguments) -> str:
    call = [_PROCESS, *arguments]
    done = subprocess.run(call, env=self._environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout

  @property
  def _environment(self):
    # Rank promotion is for the tests in this process.
    kept = launching.quickly_compiled()
    del kept["JAX_NUMPY_RANK_PROMOTION"]
    own = {"HOME": str(self._directory), "QGIS_PLUGINPATH": str(self._directory / "plugins")}
    own |= {"PATH": f"{self._directory / 'bin'}:{kept['PATH']}", "QT_QPA_PLATFORM": "offscreen"}
    return {**kept, **own}


def _packed(directory: Path) -> Path:
  subprocess.run(
    [sys.executable, "-m", "qgis_plugin.pack", directory / "plugin.zip"],
    cwd=ROOT,
    check=True,
    capture_output=True,
  )
  return directory / "plugin.zip"


def test_the_zip_holds_the_plugin_alone_with_the_version_of_the_package(tmp_path):
  with zipfile.ZipFile(_packed(tmp_path)) as archive:
    names = archive.namelist()
    metadata = archive.read(f"{_PLUGIN}/metadata.txt").decode()
  assert {Path(name).parts[0] for name in names} == {_PLUGIN}
  assert f"{_PLUGIN}/LICENSE" in names
  assert not [name for name in names if "__pycache__" in name]
  (version,) = [line for line in metadata.splitlines() if line.startswith("version=")]
  assert f'\nversion = "{version.partition("=")[2]}"\n' in (ROOT / "pyproject.toml").read_text()


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_from_polygons_to_estimated_areas(tmp_path):
  if _PROCESS is None:
    pytest.skip("QGIS is not installed")
  qgis = _Qgis(tmp_path)
  assert qgis.algorithms() == {f"mtlhsi:{name}" for name in _ALGORITHMS}
  example = tmp_path / "example"
  example_scenes.write(example)
  fields = {"IMAGE": example / "fields.tif", "LABELS": example / "fields.gpkg", "COLUMN": "crop"}
  settings = " ".join(_SMALL)
  assert qgis.run("check", **fields) == {}
  run = tmp_path / "run"
  mapped = qgis.run("map", **fields, SETTINGS=settings, FOLDER=run)
  assert mapped["CLASSES"] == str(run / "maps" / "fields" / "prediction.tif")
  assert Path(mapped["REPORT"]).is_file()
  changes = [part for change in _SMALL for part in ("--set", change)]
  labels = [example / "fields.tif", example / "fields.gpkg", "--column", "crop"]
  qgis.command("map", *labels, "-o", tmp_path / "same", *changes)
  np.testing.assert_array_equal(_read(mapped["CLASSES"]), _read(tmp_path / "same/maps/fields/prediction.tif"))

  flight = {"RUN": run, "IMAGE": example / "flight.tif"}
  further = qgis.run("predict", **flight, CLASSES=tmp_path / "flight_classes.tif")
  qgis.command("predict", run, example / "flight.tif", "-o", tmp_path / "again")
  np.testing.assert_array_equal(_read(further["CLASSES"]), _read(tmp_path / "again_classes.tif"))
  qgis.command("export", run, "-o", tmp_path / "fields.mtlhsi", "--license", "cc-by-4.0")
  exported = {"EXPORTED": tmp_path / "fields.mtlhsi", "IMAGE": example / "flight.tif"}
  shared = qgis.run("predict", **exported, CLASSES=tmp_path / "shared_classes.tif")
  np.testing.assert_array_equal(_read(shared["CLASSES"]), _read(further["CLASSES"]))

  drawn = qgis.run("drawsample", MAP=further["CLASSES"], SIZE=240, FOLDER=tmp_path / "sample", **flight)
  assert Path(drawn["PAGE"]).is_file()
  _fill_in(Path(drawn["SAMPLE"]), Path(further["CLASSES"]))
  estimated = qgis.run(
    "estimateareas", MAP=further["CLASSES"], SAMPLE=drawn["SAMPLE"], FOLDER=tmp_path / "estimates"
  )
  assert "green crop" in Path(estimated["TABLE"]).read_text()

  meadow = {"IMAGE": example / "meadow.tif", "LABELS": example / "meadow.gpkg", "COLUMN": "cover"}
  adapted = qgis.run("adapt", RUN=run, **meadow, SETTINGS=_SHORT, FOLDER=tmp_path / "meadow")
  assert set(np.unique(_read(adapted["CLASSES"]))) <= {1, 2, 3}


def _read(path):
  with rasterio.open(path) as raster:
    return raster.read(1)


def _fill_in(sample: Path, class_map: Path) -> None:
  """Fills in the class of the map for every unit."""
  with rasterio.open(class_map) as raster:
    ids, tags = raster.read(1), raster.tags(1)
  with sample.open(newline="") as file:
    rows = list(csv.DictReader(file))
  for row in rows:
    row["class"] = tags[f"CLASS_{ids[int(row['row']), int(row['column'])]}"]
  with sample.open("w", newline="") as file:
    writer = csv.DictWriter(file, rows[0])
    writer.writeheader()
    writer.writerows(rows)
