#!/usr/bin/env bash
# Scenes of two sensors aligned by index and by wavelength, seeds 0-9: Indian Pines (AVIRIS) with crops of Pavia
# University and Pavia Centre (ROSIS), all three in one network.
#
#   experiments/alignment.sh ../shared/data           5 and 10 samples per class
#   experiments/alignment.sh ../shared/data 5         5 only
#
# By index all have 103 bands by the letter's rule, which gives ROSIS bands of 430 to 860 nm and AVIRIS bands of 498 to
# 1502 nm the same places. By wavelength all have the AVIRIS bands of 439 to 851 nm, 43 of them; so that the comparison
# is not one of what the bands of Indian Pines hold, it is trained alone on either too.
# The directory, named from the top of the repository, holds pavia_university_crop.npz and pavia_centre_crop.npz (arrays
# `cube` and `label`), to which copies under runs/ add the bands' centres and widths.
# Table: experiments/alignment.py. A run with results in results/ is skipped and an interrupted run resumes, so the script can be
# started again at any time.
set -euo pipefail
data=${1:?name the directory of the crops, from the top of the repository}
shift
rows=("${@:-5 10}")
cd "$(dirname "$0")/.."
source experiments/keep.sh

copies=runs/alignment_scenes
mkdir -p "$copies"
.venv/bin/python - "$data" "$copies" <<'PYTHON'
import sys
from pathlib import Path

import numpy as np

from mtl_hsi.scenes.public import sensors

data, copies = map(Path, sys.argv[1:])
for name in ("pavia_university_crop", "pavia_centre_crop"):
  # The same copy at every start, or a run begun would be refused for its changed scene.
  if not (copies / f"{name}.npz").exists():
    with np.load(data / f"{name}.npz") as archive:
      centres, widths = sensors.rosis_bands(archive["cube"].shape[2])
      np.savez(copies / f"{name}.npz", cube=archive["cube"], label=archive["label"], wavelengths=centres, widths=widths)
PYTHON

run() { # name, scenes, further overrides
  local name=$1 scenes=$2
  shift 2
  [ -f "results/alignment/$name/metrics.json" ] && return
  local files=()
  for crop in pavia_university_crop pavia_centre_crop; do
    case ",$scenes," in *,$crop,*) files+=("--config.files.$crop.cube=$copies/$crop.npz" "--config.files.$crop.sensor=ROSIS") ;; esac
  done
  .venv/bin/python launch.py --config="configs/letter.py:$scenes" "${files[@]}" --workdir="runs/alignment/$name" "$@"
  keep "runs/alignment/$name" "results/alignment/$name" config environment scenes metrics
}

all=indian_pines,pavia_university_crop,pavia_centre_crop
for n in ${rows[*]}; do
  few=(--config.samples_per_class="$n")
  run "index-n$n" "$all" "${few[@]}" --config.bands=103
  run "wavelength-n$n" "$all" "${few[@]}" --config.alignment=wavelength
  run "index-alone-n$n" indian_pines "${few[@]}" --config.bands=103
  # The very bands of the three together, as a grid.
  grid=$(.venv/bin/python -c "import json, sys; print(*json.load(open(sys.argv[1]))['scenes']['indian_pines']['channels']['centres'], sep=',')" "results/alignment/wavelength-n$n/scenes.json")
  run "wavelength-alone-n$n" indian_pines "${few[@]}" --config.alignment=wavelength --config.grid="$grid"
done
