"""Measures memory and time of the prediction of an image larger than memory.

  .venv/bin/python experiments/large_image.py runs/large_image                10,000 x 10,000 pixels, 50 bands
  .venv/bin/python experiments/large_image.py runs/large_image --side=2000

Trains one network by the recommended recipe for an epoch on a simulated scene of 50 bands, writes a sparse
GeoTIFF (one block of 256 x 256 pixels in sixteen holds values, the rest is nodata), predicts it in a separate
process, and writes peak memory and time of that process and the machine to results/large_image.json.
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

_BANDS, _BLOCK, _EVERY = 50, 256, 4

_CONFIG = """
from configs import fields

def get_config():
  config = fields.get_config()
  config.scenes, config.target = ("village",), "village"
  config.simulate.village = {
    "height": 60,
    "width": 60,
    "sensor": "camera",
    "centres": tuple(450.0 + 10 * band for band in range(50)),
    "widths": (10.0,) * 50,
    "classes": ("grass", "bare soil", "trees", "asphalt road"),
    "seed": 0,
    "labelled_fraction": 0.5,
  }
  config.replicas = 1
  config.phases.phase1.epochs = 1
  return config
"""


def main() -> None:
  """Trains, predicts, and writes the measurements."""
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument("directory", type=Path, help="a new directory for everything that is made")
  parser.add_argument("--side", type=int, default=10_000, help="rows and columns of the image")
  parser.add_argument("--out", type=Path, default=_ROOT / "results" / "large_image.json")
  arguments = parser.parse_args()
  directory = arguments.directory.absolute()
  directory.mkdir(parents=True)
  started = datetime.datetime.now(datetime.UTC)
  (directory / "config.py").write_text(_CONFIG)
  _launch(f"--config={directory / 'config.py'}", f"--workdir={directory / 'run'}")
  image = directory / "image.tif"
  _write_image(image, arguments.side)
  start = time.monotonic()
  _launch(
    f"--config={_ROOT / 'configs' / 'predict.py'}",
    f"--config.run={directory / 'run'}",
    f"--config.image={image}",
    f"--config.output={directory / 'map'}",
  )
  # The prediction is the larger of the two processes; Linux counts in KiB.
  peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
  found = {
    "side": arguments.side,
    "bands": _BANDS,
    "peak_gib": round(peak / 2**20, 2),
    "seconds": round(time.monotonic() - start, 1),
  }
  print(json.dumps(found))
  config = json.loads((directory / "run" / "config.json").read_bytes())
  devices.configure(directory / "compiled", 1)
  environment = describe_environment(sys.argv, started)
  environment.pop("directory")
  atomic_files.write_json(arguments.out, {**found, "environment": environment, "config": config})


def _write_image(path: Path, side: int) -> None:
  """Writes random values into every 16th block; unwritten blocks are nodata and occupy no space."""
  generator = np.random.default_rng(0)
  profile = {
    "driver": "GTiff",
    "height": side,
    "width": side,
    "count": _BANDS,
    "dtype": "uint16",
    "nodata": 0,
  }
  blocks = {"tiled": True, "blockxsize": _BLOCK, "blockysize": _BLOCK, "compress": "deflate"}
  place = {"crs": "EPSG:32632", "transform": rasterio.Affine(1, 0, 5e5, 0, -1, 5e6)}
  with rasterio.open(path, "w", sparse_ok=True, bigtiff="yes", **profile, **blocks, **place) as raster:
    for top in range(0, side, _EVERY * _BLOCK):
      for left in range(0, side, _EVERY * _BLOCK):
        height, width = min(_BLOCK, side - top), min(_BLOCK, side - left)
        values = generator.integers(1, 5000, (_BANDS, height, width), dtype=np.uint16)
        raster.write(values, window=Window(left, top, width, height))


def _launch(*arguments: str) -> None:
  subprocess.run([sys.executable, str(_ROOT / "launch.py"), *arguments], cwd=_ROOT, check=True)


if __name__ == "__main__":
  main()
