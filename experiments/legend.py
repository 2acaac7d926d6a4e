"""Makes results/legend.md: what labels of some scenes are worth on another one with the same classes.

  .venv/bin/python experiments/legend.py
  .venv/bin/python experiments/legend.py --cases=tiles --seeds=0:1 --epochs=1

Every scene is left out once (split=scenes), and classified by networks that saw no label of it. "tiles" are
tiles of the EnMAP image of Potsdam, in the data directory: 17 of 18, as one has labels of a single class.
"flights" are simulated landscapes of one sensor with the same covers, each under another light: a gain that
is smooth in the wavelength, and an offset. The comparison is logistic regression on the labels of all other
scenes (scikit-learn, C=1), with the same scaling: bands standardised in every scene, or over all together.
Finished runs in runs/legend are not repeated.
"""

import argparse
import dataclasses
import itertools
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

_ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(_ROOT))

from experiments import tables  # noqa: E402
from mtl_hsi import library  # noqa: E402
from mtl_hsi.channels import scaling  # noqa: E402
from mtl_hsi.scenes.public import sensors  # noqa: E402
from mtl_hsi.scenes.scene import Scene  # noqa: E402
from mtl_hsi.scenes.simulated import simulate  # noqa: E402

CASES = ("tiles", "flights")
_SCALINGS = ("per_band", scaling.JOINT)
_SIDE = 32
_NAMES = {1: "impervious", 2: "low vegetation", 3: "tree", 4: "soil", 5: "water", 6: "other"}
_FLIGHTS, _COVERS = 4, ("asphalt road", "clay tile roof", "sand", "bare soil", "grass")
_HEAD = (
  "| scenes | scaling | seed | network | experts | regression | difference [95%] | up | Wilcoxon p |",
  "|---|---|---|---|---|---|---|---|---|",
)
_NOTES = """
Mean over scenes of the overall accuracy in % on the labels of a scene, by models that saw none of them.
Network: the one of the largest patches alone; experts: the mixture that the other scenes chose; regression:
logistic regression on the pooled labels of the other scenes. The difference is experts minus regression in
percentage points, paired by scene, with its 95% interval (Student's t) and p by Wilcoxon's signed-rank test.
"""


def main() -> None:
  """Trains what is missing and writes the table."""
  arguments = _arguments()
  os.chdir(_ROOT)
  lines = list(_HEAD)
  for case, kind, seed in itertools.product(arguments.cases, arguments.scalings, arguments.seeds):
    scenes = tiles(arguments.data) if case == "tiles" else flights(seed)
    changes = {"seed": seed, "scaling": kind, "replicas": arguments.replicas}
    if arguments.epochs:
      changes["phases.phase1.epochs"] = arguments.epochs
    directory = library.train(scenes, arguments.runs / f"{case}-{kind}-{seed}", _OURS | changes)
    lines.append(_row(case, kind, seed, tables.read_metrics(directory), _regression(scenes, kind)))
  tables.write(arguments.results / "legend.md", [*lines, _NOTES])


# The recommended recipe, by scenes. A step has as many samples as with one scene.
_OURS = {
  **{"legend": "shared", "split": "scenes", "samples_per_class": 0, "folds": 0},
  **{"model.norm": "joint", "batch": "mixed"},
}


def tiles(data: Path) -> list[Scene]:
  """Returns the measured tiles of the EnMAP image that have labels of two classes or more, as scenes."""
  with np.load(data / "enmap_potsdam.npz") as arrays:
    cube, labels, valid = arrays["cube"], arrays["label"].astype(np.int32), arrays["valid"].astype(bool)
    wavelengths = arrays["wavelength"].astype(float)
  labels = np.where(valid, labels, 0)
  found = []
  for row, column in itertools.product(range(0, len(labels), _SIDE), range(0, labels.shape[1], _SIDE)):
    place = slice(row, row + _SIDE), slice(column, column + _SIDE)
    ids = np.unique(labels[place][labels[place] > 0]).tolist()
    if len(ids) > 1:
      names = {class_id: _NAMES[class_id] for class_id in ids}
      nodata = None if valid[place].all() else ~valid[place]
      name = f"tile_{row // _SIDE}_{column // _SIDE}"
      found.append(
        Scene(name, cube[place], labels[place], names, wavelengths=wavelengths, nodata=nodata, sensor="EnMAP")
      )
  return found


def flights(seed: int, side: int = 96) -> list[Scene]:
  """Returns simulated scenes of one sensor and the same covers, each under another light."""
  found = []
  for flight in range(_FLIGHTS):
    sensor = sensors.sensor("ROSIS")
    scene = simulate.simulate(
      f"flight_{flight}",
      height=side,
      width=side,
      sensor=sensor,
      classes=_COVERS,
      seed=10 * seed + flight,
      labelled_fraction=0.2,
    )
    found.append(dataclasses.replace(scene, cube=_in_other_light(scene, seed, flight)))
  return found


def _in_other_light(scene, seed, flight):
  """Returns the cube times a gain that is smooth in the wavelength (0.7 to 1.3), plus an offset."""
  generator = np.random.default_rng([seed, flight])
  knots = generator.uniform(0.7, 1.3, 4)
  place = np.linspace(0, 1, 4)
  position = (scene.wavelengths - scene.wavelengths[0]) / np.ptp(scene.wavelengths)
  gain = np.interp(position, place, knots)
  offset = generator.uniform(0, 200) * (1 - position)
  return np.rint(scene.cube * gain + offset).astype(np.uint16)


def _regression(scenes: Sequence[Scene], kind: str) -> list[float]:
  """Returns the accuracy in % on every scene of a regression on the labels of all others."""
  from sklearn.linear_model import LogisticRegression

  joint = scaling.by_band_jointly(scenes)
  spectra, names = [], []
  for scene in scenes:
    offset, scale = joint if kind == scaling.JOINT else scaling.by_band(scene)
    labelled = scene.labels > 0
    spectra.append((scene.cube[labelled] - offset) / scale)
    names.append(np.array([scene.class_names[i] for i in scene.labels[labelled].tolist()]))
  found = []
  for left_out in range(len(scenes)):
    others = [number for number in range(len(scenes)) if number != left_out]
    model = LogisticRegression(C=1, max_iter=5000)
    model.fit(np.concatenate([spectra[i] for i in others]), np.concatenate([names[i] for i in others]))
    found.append(100 * float((model.predict(spectra[left_out]) == names[left_out]).mean()))
  return found


def _row(case, kind, seed, metrics, regression):
  """Returns the row of a run; scenes in metrics.json are sorted by name, as those of both cases are."""
  ours = [scene["mixture"]["replicas"][0] for _, scene in sorted(metrics["scenes"].items())]
  network = [100 * scene["accuracy"][0] for scene in ours]
  mixture = [100 * scene["left_out_accuracy"] for scene in ours]
  means = (f"{np.mean(values):.2f}" for values in (network, mixture, regression))
  return tables.row(case, kind, seed, *means, *tables.difference(mixture, regression))


def _arguments() -> argparse.Namespace:
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  for option, choices in (("cases", CASES), ("scalings", _SCALINGS)):
    text = f"some of {','.join(choices)} (default: all)"
    parser.add_argument(f"--{option}", type=lambda names: names.split(","), default=choices, help=text)
  parser.add_argument("--seeds", type=_seeds, default=range(3), help="first:end (default: 0:3)")
  parser.add_argument("--replicas", type=int, default=1, help="networks that vote on the maps (default: 1)")
  parser.add_argument("--epochs", type=int, default=0, help="epochs of 100 steps, for a short trial")
  for option, default in (("data", _ROOT.parent / "shared" / "data"), ("results", _ROOT / "results")):
    parser.add_argument(f"--{option}", type=_absolute, default=default)
  parser.add_argument("--runs", type=_absolute, default=_ROOT / "runs" / "legend")
  return parser.parse_args()


def _seeds(text):
  first, _, end = text.partition(":")
  return range(int(first), int(end))


def _absolute(text):
  return Path(text).absolute()


if __name__ == "__main__":
  main()
