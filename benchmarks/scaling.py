"""Measures how the cost of training grows with samples, classes, bands, scenes and replicas.

  make bench-scaling
  python -m benchmarks.scaling --out=results/scaling.json --plot=results/scaling.png

Our HResNet trains on simulated scenes. One quantity grows at a time. Expected
are a linear cost or less, because fixed costs are shared, and a compilation time
that grows slowly.
"""

import argparse
import datetime
import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import jax
import matplotlib
import numpy as np
from ml_collections import config_dict
from tqdm import tqdm

from benchmarks.our_side import CLASSES, OurTraining, prepare
from benchmarks.rows import row
from benchmarks.timing import clocked
from configs import common
from mtl_hsi.runtime import devices
from mtl_hsi.runtime.environment import describe_environment
from mtl_hsi.storage import atomic_files

USUAL = {"samples_per_class": 10, "classes": 8, "bands": 40, "scenes": 1, "replicas": 2}
SIZES = {
  "samples_per_class": (5, 10, 20, 30, 60),
  "classes": (2, 4, 8, 16),
  "bands": (20, 40, 80, 160, 320),
  "scenes": (1, 2, 4, 8),
  "replicas": (2, 4, 8, 16),
}
_NAMES = {"samples_per_class": "samples per class n"}

_SIDE = 110
_SHORTEST_NM, _LONGEST_NM = 450.0, 2350.0
_COLOUR = "#0072b2"


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument("--repeats", type=int, default=5, help="timed epochs of every size (default: 5)")
  parser.add_argument("--only", choices=tuple(SIZES), help="the only quantity to vary")
  parser.add_argument("--out", type=Path, help="JSON file for the results")
  parser.add_argument("--plot", type=Path, help="PNG file for the plot")
  arguments = parser.parse_args()
  devices.configure(Path(".compile_cache"), max(SIZES["replicas"]))
  # Compilation is measured too.
  jax.config.update("jax_enable_compilation_cache", False)
  command = ["python", "-m", "benchmarks.scaling", *sys.argv[1:]]
  machine = describe_environment(command, datetime.datetime.now().astimezone())
  chosen = (arguments.only,) if arguments.only else tuple(SIZES)
  points = [(quantity, size) for quantity in chosen for size in SIZES[quantity]]
  rows = [measure(*point, arguments.repeats) for point in tqdm(points, desc="scaling", unit="size")]
  growth = {quantity: exponent([one for one in rows if one["quantity"] == quantity]) for quantity in chosen}
  for one in rows:
    print(f"{one['what']:36} {one['median']:8.3f} s per epoch, compiled in {one['compile']:6.2f} s")
  for quantity, power in growth.items():
    print(f"{quantity:18} cost grows with its power {power:.2f}")
  if arguments.out:
    results = {"machine": machine, "usual": USUAL, "rows": rows, "exponents": growth}
    atomic_files.write_bytes(arguments.out, (json.dumps(results, indent=2) + "\n").encode())
  if arguments.plot:
    arguments.plot.parent.mkdir(parents=True, exist_ok=True)
    draw(rows, arguments.plot)


def config(
  *, samples_per_class: int, classes: int, bands: int, scenes: int, replicas: int
) -> config_dict.ConfigDict:
  """Returns the config of simulated scenes of one sensor with the same classes."""
  made = common.get_config()
  made.samples_per_class, made.replicas = samples_per_class, replicas
  made.scenes = tuple(f"simulated_{index}" for index in range(scenes))
  made.target = made.scenes[0]
  centres = np.linspace(_SHORTEST_NM, _LONGEST_NM, bands)
  for seed, name in enumerate(made.scenes):
    made.simulate[name] = {
      "height": _SIDE,
      "width": _SIDE,
      "sensor": "evenly spaced",
      "centres": tuple(centres.tolist()),
      "widths": tuple(np.gradient(centres).tolist()),
      "classes": CLASSES[:classes],
      "seed": seed,
      "labelled_fraction": 0.5,
    }
  return made


def measure(quantity: str, size: int, repeats: int) -> dict:
  """Returns the row of one size: seconds per epoch of all replicas, and additional seconds of the first."""
  training = OurTraining(prepare(config(**{**USUAL, quantity: size})), {**USUAL, quantity: size}["replicas"])
  epoch = clocked(lambda: training.epochs(1), 1)
  first, *seconds = (epoch() for _ in range(1 + repeats))
  return row(
    f"scaling/{quantity}={size}",
    "ours",
    "HResNet",
    seconds,
    "s",
    first_call=first,
    quantity=quantity,
    size=size,
    compile=first - float(np.median(seconds)),
  )


def exponent(rows: Sequence[Mapping]) -> float:
  """Returns the exponent e of cost ~ size^e between the smallest and the largest size; 1 is linear."""
  ordered = sorted(rows, key=lambda one: one["size"])
  smallest, largest = ordered[0], ordered[-1]
  return math.log(largest["median"] / smallest["median"]) / math.log(largest["size"] / smallest["size"])


def draw(rows: Sequence[Mapping], path: Path) -> None:
  """Plots seconds of an epoch and of compilation over every quantity as a PNG."""
  matplotlib.use("agg")
  from matplotlib import pyplot

  quantities = list(dict.fromkeys(one["quantity"] for one in rows))
  figure, axes = pyplot.subplots(
    2,
    len(quantities),
    figsize=(2.6 * len(quantities) + 1, 5.2),
    squeeze=False,
    sharey="row",
    layout="constrained",
  )
  for (above, below), quantity in zip(axes.T, quantities, strict=True):
    points = [one for one in rows if one["quantity"] == quantity]
    sizes = np.array([one["size"] for one in points])
    median, least, most, compiled = (
      np.array([one[key] for one in points]) for key in ("median", "min", "max", "compile")
    )
    above.plot(sizes, median[0] * sizes / sizes[0], "--", color="#999999", label="linear")
    above.fill_between(sizes, least, most, color=_COLOUR, alpha=0.2, linewidth=0)
    above.plot(sizes, median, "o-", color=_COLOUR, label="ours, median")
    above.set_xscale("log")
    above.set_yscale("log")
    below.plot(sizes, compiled, "o-", color=_COLOUR)
    below.set_xscale("log")
    below.set_xlabel(_NAMES.get(quantity, quantity))
    for axis in (above, below):
      axis.set_xticks(sizes, [str(size) for size in sizes])
      axis.minorticks_off()
      axis.grid(color="#dddddd", linewidth=0.6)
      axis.spines[["top", "right"]].set_visible(False)
  axes[0, 0].legend(frameon=False)
  axes[0, 0].set_ylabel("seconds per epoch\nof all replicas")
  axes[1, 0].set_ylabel("seconds to compile")
  axes[1, 0].set_ylim(0, 1.2 * max(one["compile"] for one in rows))
  usual = ", ".join(f"{_NAMES.get(name, name)} = {size}" for name, size in USUAL.items())
  figure.suptitle(f"Training HResNet on simulated scenes; unless varied: {usual}", fontsize=10)
  figure.savefig(path, dpi=150)
  pyplot.close(figure)


if __name__ == "__main__":
  main()
