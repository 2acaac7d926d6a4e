#!/usr/bin/env bash
# What a trained backbone is worth to a new scene, seeds 0-9: Indian Pines on a network of SalinasA and the two Pavia
# crops, and Pavia University's crop on one of Pavia Centre's, each with the backbone frozen, fine-tuned in the second
# phase, and trained from scratch on the same pixels.
#
#   results/adapt.sh ../shared/data           5 and 10 samples per class
#   results/adapt.sh ../shared/data 5         5 only
#   .venv/bin/python results/adapt.py         the table, results/adapt.md
#
# The directory, named from the top of the repository, holds salinas_a.npz, pavia_university_crop.npz and
# pavia_centre_crop.npz (arrays `cube` and `label`). The networks that are started from see 10 samples per class.
# Finished runs are skipped and an interrupted one goes on, so the script can be started again at any time.
set -euo pipefail
data=${1:?name the directory of the crops, from the top of the repository}
shift
rows=("${@:-5 10}")
cd "$(dirname "$0")/.."
source results/keep.sh

salinas_a=(--config.files.salinas_a.cube="$data/salinas_a.npz" --config.files.salinas_a.sensor=AVIRIS)
pavia_university_crop=(--config.files.pavia_university_crop.cube="$data/pavia_university_crop.npz"
  --config.files.pavia_university_crop.sensor=ROSIS)
pavia_centre_crop=(--config.files.pavia_centre_crop.cube="$data/pavia_centre_crop.npz"
  --config.files.pavia_centre_crop.sensor=ROSIS)

run() { # name, config, further overrides
  local name=$1 config=$2
  shift 2
  .venv/bin/python launch.py --config="configs/$config" --workdir="runs/$name" "$@"
  keep "runs/$name" "results/$name" config environment metrics
}

adapt() { # run that is started from, new scene, its files
  local base=$1 scene=$2
  shift 2
  for n in ${rows[*]}; do
    local few=(--config.samples_per_class="$n" --config.run="runs/$base" "$@")
    run "adapt/$scene-frozen-n$n" "adapt.py:$scene" "${few[@]}"
    run "adapt/$scene-tuned-n$n" "adapt.py:$scene" "${few[@]}" --config.phases.phase2.frozen='()'
  done
}

scratch() { # scene, bands, its files
  local scene=$1 bands=$2
  shift 2
  for n in ${rows[*]}; do
    run "adapt/$scene-scratch-n$n" "own.py:$scene" --config.bands="$bands" --config.samples_per_class="$n" "$@"
  done
}

run adapt/base-160 own.py:salinas_a,pavia_university_crop,pavia_centre_crop --config.bands=160 \
  --config.samples_per_class=10 "${salinas_a[@]}" "${pavia_university_crop[@]}" "${pavia_centre_crop[@]}"
adapt adapt/base-160 indian_pines
scratch indian_pines 160
run adapt/base-103 own.py:pavia_centre_crop --config.bands=103 --config.samples_per_class=10 \
  "${pavia_centre_crop[@]}"
adapt adapt/base-103 pavia_university_crop "${pavia_university_crop[@]}"
scratch pavia_university_crop 103 "${pavia_university_crop[@]}"
