"""Whole processes of the default recipe: starts, and the whole way from image and polygons to map."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from tqdm import tqdm

from benchmarks import default_scene
from benchmarks.rows import row
from benchmarks.whole_processes import Finished, run, seconds_to_first_step

SIDE, BANDS, POLYGONS = 200, 200, 40
_IMPORT = ["-c", "import mtl_hsi.experiment.run"]


def starts(sides: Sequence[str], repeats: int) -> list[dict]:
  """Returns the rows of `default/start/...`: imports, and the first step without and with a compile cache.

  Only our side is measured; `start/...` compares the first steps of all sides.
  """
  del sides
  seconds = {"import": [], "cold": [], "warm": []}
  # The first round fills the cache of the file system.
  for _ in tqdm(range(1 + repeats), desc="default/start", unit="round"):
    with tempfile.TemporaryDirectory() as cache:
      seconds["import"].append(run(_IMPORT).seconds)
      for kind in ("cold", "warm"):
        variables = {"JAX_COMPILATION_CACHE_DIR": cache}
        seconds[kind].append(seconds_to_first_step("default", Path("none"), variables))
  variants = {
    "import": "all that a run imports",
    "cold": "compile cache empty",
    "warm": "compile cache filled",
  }
  return [
    row(f"default/start/{kind}", "ours", variants[kind], counted, "s", first_call=first)
    for kind, (first, *counted) in seconds.items()
  ]


def end_to_end(
  sides: Sequence[str],
  repeats: int,
  *,
  side: int = SIDE,
  bands: int = BANDS,
  polygons: int = POLYGONS,
  changes: Sequence[str] = (),
) -> list[dict]:
  """Returns the rows of `default/end_to_end`, and of its peak memory: from image and polygons to map.

  Args:
    sides: the sides to measure: "ours" runs `configs/own.py`, "scikit-learn" a random forest.
    repeats: number of runs of every side, in turns.
    side: rows and columns of the simulated image.
    bands: its bands.
    polygons: number of polygons.
    changes: flags of launch.py that change the config.
  """
  variants = {
    "ours": "configs/own.py, compile cache filled",
    "scikit-learn": "random forest of 100 trees on spectra",
  }
  found: dict[str, list[Finished]] = {who: [] for who in variants if who in sides}
  with tempfile.TemporaryDirectory() as name:
    directory = Path(name)
    default_scene.write(directory, side=side, bands=bands, polygons=polygons)
    for _ in tqdm(range(1 + repeats), desc="default/end_to_end", unit="round"):
      for who, runs in found.items():
        runs.append(_ours(directory, changes) if who == "ours" else _forest(directory))
  rows = []
  for who, (first, *counted) in found.items():
    seconds, peaks = zip(*counted, strict=True)
    rows.append(row("default/end_to_end", who, variants[who], seconds, "s", first_call=first.seconds))
    gigabytes = [peak / 1e9 for peak in peaks]
    rows.append(row("default/end_to_end/memory", who, variants[who], gigabytes, "GB"))
  return rows


def _ours(directory, changes):
  with tempfile.TemporaryDirectory(dir=directory) as workdir:
    return run(
      [
        "launch.py",
        "--config=configs/own.py:simulated",
        f"--config.files.simulated.cube={directory / default_scene.IMAGE}",
        f"--config.files.simulated.labels={directory / default_scene.POLYGONS}",
        f"--config.files.simulated.label_column={default_scene.COLUMN}",
        f"--workdir={workdir}/run",
        f"--compile_cache={directory}/cache",
        *changes,
      ]
    )


def _forest(directory):
  paths = directory / default_scene.IMAGE, directory / default_scene.POLYGONS
  return run(
    ["-m", "benchmarks.forest", *map(str, paths), default_scene.COLUMN, str(directory / "forest.tif")]
  )
