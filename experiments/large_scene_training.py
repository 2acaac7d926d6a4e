"""Measures memory and time of training on a scene that is larger than memory.

  .venv/bin/python experiments/large_scene_training.py runs/large       5,000 x 5,000 pixels, 200 bands: 10 GB
  .venv/bin/python experiments/large_scene_training.py runs/large --side=1500 --dtype=float32

Writes a compressed GeoTIFF of square fields and a raster with the labels of some of them, unless an earlier
start left them in the directory. Trains the default recipe on it (configs/own.py: five folds and a network on
all labels, with experts) for one short epoch, and maps the whole scene, all in a separate process. Peak
memory and time of that process, and the machine, are written to results/large_scene_training.json.
"""

import argparse
import datetime
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import rasterio
from rasterio.windows import Window

_ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(_ROOT))

from mtl_hsi.runtime import devices  # noqa: E402
from mtl_hsi.runtime.environment import describe_environment  # noqa: E402
from mtl_hsi.storage import atomic_files  # noqa: E402

_CLASSES, _FIELD, _BLOCK, _LABELLED = 8, 50, 256, 80
# Training is short; what it reads and how the map is made are the defaults.
_SHORT = {"replicas": 1, "phases.phase1.epochs": 1, "steps_per_epoch": 20}


def main() -> None:
  """Writes the scene, trains, and writes the measurements."""
  parser = argparse.ArgumentParser(
    description=__doc__.splitlines()[0],
    epilog="Further options, such as --config.replicas=3, are for launch.py.",
  )
  parser.add_argument("directory", type=Path, help="directory for all files; must not contain a run")
  parser.add_argument("--side", type=int, default=5000, help="rows and columns of the scene")
  parser.add_argument("--bands", type=int, default=200, help="bands of the scene")
  parser.add_argument("--dtype", default="uint16", help="type of its values")
  parser.add_argument("--out", type=Path, default=_ROOT / "results" / "large_scene_training.json")
  arguments, options = parser.parse_known_args()
  directory = arguments.directory.absolute()
  directory.mkdir(parents=True, exist_ok=True)
  started = datetime.datetime.now(datetime.UTC)
  # The labels are written last.
  if not (directory / "labels.tif").exists():
    _write_scene(directory, arguments.side, arguments.bands, arguments.dtype)
  start = time.monotonic()
  _train(directory, options)
  # Linux counts in KiB.
  peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
  found = {
    "side": arguments.side,
    "bands": arguments.bands,
    "dtype": arguments.dtype,
    "scene_gb": round(arguments.side**2 * arguments.bands * np.dtype(arguments.dtype).itemsize / 1e9, 2),
    "peak_gib": round(peak / 2**20, 2),
    "seconds": round(time.monotonic() - start, 1),
  }
  print(json.dumps(found))
  metrics = json.loads((directory / "run" / "metrics.json").read_bytes())
  config = json.loads((directory / "run" / "config.json").read_bytes())
  devices.configure(directory / "compiled", 1)
  environment = describe_environment(sys.argv, started)
  environment.pop("directory")
  record = {**found, "parts": metrics["seconds"], "environment": environment, "config": config}
  atomic_files.write_json(arguments.out, record)


def _write_scene(directory: Path, side: int, bands: int, dtype: str) -> None:
  """Writes `scene.tif` and `labels.tif`: fields of 8 classes, with noise that compresses well."""
  generator = np.random.default_rng(0)
  across = -(-side // _FIELD)
  fields = generator.integers(1, _CLASSES + 1, (across, across))
  spectra = 500 + np.abs(generator.normal(0, 60, (_CLASSES + 1, bands)).cumsum(axis=1))
  profile = {"driver": "GTiff", "height": side, "width": side, "crs": "EPSG:32632", "compress": "deflate"}
  profile |= {"transform": rasterio.Affine(1, 0, 5e5, 0, -1, 5e6), "bigtiff": "yes", "tiled": True}
  profile |= {"blockxsize": _BLOCK, "blockysize": _BLOCK, "zlevel": 1, "num_threads": "all_cpus"}
  with rasterio.open(directory / "scene.tif", "w", count=bands, dtype=dtype, **profile) as raster:
    for top in range(0, side, _BLOCK):
      for left in range(0, side, _BLOCK):
        height, width = min(_BLOCK, side - top), min(_BLOCK, side - left)
        places = np.ix_(np.arange(top, top + height) // _FIELD, np.arange(left, left + width) // _FIELD)
        noise = generator.integers(0, 8, (bands, height, width), np.uint8)
        values = spectra[fields[places]].transpose(2, 0, 1).astype(dtype) + noise
        raster.write(values.astype(dtype), window=Window(left, top, width, height))
  labels = np.zeros((side, side), np.uint8)
  for row, column in generator.permutation(np.argwhere(fields))[:_LABELLED]:
    part = slice(row * _FIELD + 15, row * _FIELD + 27), slice(column * _FIELD + 15, column * _FIELD + 27)
    labels[part] = fields[row, column]
  with rasterio.open(directory / "labels.tif", "w", count=1, dtype="uint8", **profile) as raster:
    raster.write(labels, 1)


def _train(directory: Path, options: list[str]) -> None:
  """Runs launch.py in a separate process."""
  files = {"cube": directory / "scene.tif", "labels": directory / "labels.tif"}
  command = [sys.executable, str(_ROOT / "launch.py"), f"--config={_ROOT / 'configs' / 'own.py'}:land"]
  command += [f"--workdir={directory / 'run'}", *(f"--config.files.land.{k}={v}" for k, v in files.items())]
  command += [*(f"--config.{key}={value}" for key, value in _SHORT.items()), *options]
  subprocess.run(command, cwd=_ROOT, check=True)


if __name__ == "__main__":
  main()
