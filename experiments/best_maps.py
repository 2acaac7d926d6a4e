"""Makes results/best_maps.png: maps of Indian Pines by the letter's recipe and by that of configs/fields.py.

  .venv/bin/python experiments/best_maps.py

5 samples per class, seed 0, the same training pixels. Trains one HResNet in runs/best/letter on first use;
the other maps are those of `experiments/best.sh <directory> report alone`.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

_ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(_ROOT))

from configs import letter  # noqa: E402
from mtl_hsi.report import colours, maps, pictures  # noqa: E402
from mtl_hsi.settings import experiment_settings  # noqa: E402
from mtl_hsi.storage import atomic_files  # noqa: E402

_SCENE, _SAMPLES = "indian_pines", 5
_RUNS = _ROOT / "runs" / "best"
_LETTER = _RUNS / "letter"
_BEST = _RUNS / f"report-{_SCENE}-n{_SAMPLES}-random"
_TITLES = {
  _LETTER: "the letter's recipe (HResNet, five votes)",
  _BEST.with_name(_BEST.name + "-plain"): "the recommended recipe, not smoothed",
  _BEST: "the recommended recipe",
}


def main() -> None:
  """Draws the maps."""
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.parse_args()
  missing = [run for run in _TITLES if run != _LETTER and not (run / "predictions.npz").exists()]
  if missing:
    sys.exit(f"{missing[0]} is missing; run experiments/best.sh <directory> report alone")
  command = [sys.executable, "launch.py", f"--config=configs/letter.py:{_SCENE}", f"--workdir={_LETTER}"]
  command += [f"--config.samples_per_class={_SAMPLES}", "--config.replicas=1"]
  subprocess.run(command, cwd=_ROOT, check=True)
  scene = experiment_settings.read(letter.get_config(_SCENE)).scenes.loaders[_SCENE]()
  titled = [("ground truth", maps.class_image(scene, scene.labels))]
  for run, title in _TITLES.items():
    metrics = json.loads((run / "metrics.json").read_bytes())
    accuracy = 100 * metrics["scenes"][_SCENE]["overall_accuracy"]["replicas"][0]
    predicted = np.load(run / "predictions.npz")[_SCENE][0]
    titled.append((f"{title}: {accuracy:.1f} %", maps.class_image(scene, predicted)))
  legend = [*maps.class_legend(scene), (colours.UNLABELLED, "unlabelled")]
  title = f"{scene.title}, {_SAMPLES} training pixels a class"
  atomic_files.write_bytes(
    _ROOT / "results" / "best_maps.png", pictures.draw_sheet(title, titled, legend, columns=2)
  )


if __name__ == "__main__":
  main()
