"""Makes results/suite.md, .json and .png: the default, its context network and simple models on every scene.

  make suite
  .venv/bin/python experiments/suite.py --scenes=jasper_ridge --protocols=n5 --methods=default,svm_bands
  .venv/bin/python experiments/suite.py --table       only the table and the plot

Indian Pines is always included; the other scenes are read from a data directory and left out if their file
is missing. Protocols: n5 and n10 draw 5 or 10 random pixels per class and test on all other labelled pixels;
folds leaves out every fifth of blocks of 16 x 16 pixels in turn. All methods have the same pixels. Finished
seeds are skipped. The scores go to results/suite, the runs to runs/suite. The seeds 100 and up are for
choosing settings: their scores go to runs/suite-tuning. After a change of a config, remove its scores and its
runs.
"""

import argparse
import functools
import itertools
import os
import sys
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(_ROOT))

from experiments import simple_models, suite_runs, suite_scenes, suite_table  # noqa: E402
from mtl_hsi.storage import atomic_files  # noqa: E402

_METHODS = (*suite_runs.METHODS, *simple_models.MODELS)
# The first seed that is for choosing settings.
_TUNING = 100


def main() -> None:
  """Fills the cells and writes the table."""
  arguments = _arguments()
  os.chdir(_ROOT)
  cells = arguments.results / "suite"
  if arguments.seeds.start >= _TUNING:
    cells = suite_runs.RUNS.with_name("suite-tuning")
  if not arguments.table:
    fill = _Fill(arguments.data, cells)
    # Seed by seed, so that a part of the seeds already fills every row of the table.
    for seed, protocol, name in itertools.product(arguments.seeds, arguments.protocols, arguments.scenes):
      for method in arguments.methods:
        fill(name, protocol, method, seed)
  suite_table.write(cells)


class _Fill:
  """Measures a method with a seed and adds it to the JSON file of its cell."""

  def __init__(self, data: Path, cells: Path):
    self._data, self._cells = data, cells
    self._scene = functools.cache(self._load)
    self._channels = functools.cache(lambda name: simple_models.channels(self._scene(name)))

  def __call__(self, name: str, protocol: str, method: str, seed: int) -> None:
    scene, cell = self._scene(name), suite_table.cell(name, protocol, method)
    if scene is None or str(seed) in suite_table.read(self._cells / cell):
      return
    parts = suite_scenes.draw(scene, protocol, seed)
    if method in suite_runs.METHODS:
      scores = suite_runs.measure(method, scene, protocol, seed, self._cells / "runs" / cell)
    else:
      kind = simple_models.COMPONENTS if method.endswith(simple_models.COMPONENTS) else simple_models.BANDS
      scores = simple_models.measure(method, scene, self._channels(name)[kind], parts, seed)
    scores["pixels"] = suite_scenes.fingerprint(parts, scene.labels.shape)
    # Another process may have added other seeds meanwhile.
    atomic_files.write_json(self._cells / cell, {**suite_table.read(self._cells / cell), str(seed): scores})
    print(f"{cell} seed {seed}: {100 * scores['overall_accuracy']:.2f}%, {scores['seconds']} s", flush=True)

  def _load(self, name):
    scene = suite_scenes.load(name, self._data, suite_runs.PREPARED)
    if scene is None:
      print(f"{name} is left out: there is no {self._data / name}.npz", flush=True)
    return scene


def _arguments() -> argparse.Namespace:
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  for option, names in (
    ("scenes", suite_scenes.SCENES),
    ("protocols", suite_scenes.PROTOCOLS),
    ("methods", _METHODS),
  ):
    text = f"some of {','.join(names)} (default: all)"
    parser.add_argument(f"--{option}", type=functools.partial(_some, names), default=names, help=text)
  parser.add_argument("--seeds", type=_seeds, default=range(10), help="first:end (default: 0:10)")
  parser.add_argument("--data", type=_absolute, default=_ROOT.parent / "shared" / "data", help="the scenes")
  parser.add_argument("--results", type=_absolute, default=_ROOT / "results", help="the cells and the table")
  parser.add_argument("--table", action="store_true", help="only make the table from finished cells")
  return parser.parse_args()


def _some(names, text):
  chosen = tuple(text.split(","))
  for name in chosen:
    if name not in names:
      raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(names)}")
  return chosen


def _seeds(text):
  first, _, end = text.partition(":")
  if not (first.isdigit() and end.isdigit() and int(first) < int(end)):
    raise argparse.ArgumentTypeError(f"{text!r} is not first:end, such as 0:10")
  if int(first) < _TUNING < int(end):
    raise argparse.ArgumentTypeError(f"{text!r} mixes seeds below and above {_TUNING}")
  return range(int(first), int(end))


def _absolute(text):
  return Path(text).absolute()


if __name__ == "__main__":
  main()
