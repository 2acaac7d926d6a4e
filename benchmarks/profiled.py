"""Repeats one of our jobs for a profiler.

  perf record -e cpu-clock -F 199 -D 20000 .venv/bin/python -m benchmarks.profiled classify --networks=1
  perf report --sort dso

The profile starts after 20 s, when compilation has ended.
"""

import argparse
import time
from pathlib import Path


def main() -> None:
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument("job", choices=("train", "classify"))
  parser.add_argument(
    "--network", choices=("hresnet", "ccnn", "default"), default="hresnet", help="default: that of best.py"
  )
  parser.add_argument("--networks", type=int, default=1, help="networks at once (default: 1)")
  parser.add_argument("--seconds", type=float, default=40, help="total duration (default: 40)")
  arguments = parser.parse_args()
  start = time.perf_counter()

  from mtl_hsi.runtime import devices

  devices.configure(Path(".compile_cache"), arguments.networks)

  from benchmarks import our_default, our_side

  config = our_default.config() if arguments.network == "default" else our_side.config(arguments.network, 1)
  training = our_side.OurTraining(our_side.prepare(config), arguments.networks)
  training.epochs(1)
  run = (lambda: training.epochs(1)) if arguments.job == "train" else training.classifier()
  run()
  print(f"ready after {time.perf_counter() - start:.1f} s")
  begin, calls = time.perf_counter(), 0
  while time.perf_counter() - start < arguments.seconds or not calls:
    run()
    calls += 1
  print(f"{(time.perf_counter() - begin) / calls / arguments.networks:.3f} s per network")


if __name__ == "__main__":
  main()
