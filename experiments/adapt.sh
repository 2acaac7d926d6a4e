#!/usr/bin/env bash
# What a trained backbone is worth to a new scene, seeds 0-4: Indian Pines on a network of SalinasA and the crop of
# Pavia University, with the backbone frozen, fine-tuned in the second phase, and trained from scratch on the same
# pixels, all by the forerunner of the recommended recipe (experiments/best.sh).
#
#   experiments/adapt.sh ../shared/data 5         5 samples per class, as the table has
#   experiments/adapt.sh ../shared/data           5 and 10
#   .venv/bin/python experiments/adapt.py         the table, results/adapt.md
#
# The directory, named from the top of the repository, holds salinas_a.npz and pavia_university_crop.npz (arrays `cube`
# and `label`). The networks that are started from see 10 samples per class.
# Finished runs are skipped and an interrupted one resumes, so the script can be started again at any time.
set -euo pipefail
data=${1:?name the directory of the crops, from the top of the repository}
shift
rows=("${@:-5 10}")
cd "$(dirname "$0")/.."
source experiments/keep.sh

run() { # name, config, further overrides
  local name=$1 config=$2
  shift 2
  .venv/bin/python launch.py --config="configs/$config" --workdir="runs/$name" "$@"
  keep "runs/$name" "results/$name" config environment metrics
}

forerunner=(--config.mnf_components=0 --config.model.patch=13 --config.phases.phase1.epochs=15)
run adapt/base-160 own.py:salinas_a,pavia_university_crop "${forerunner[@]}" \
  --config.bands=160 --config.samples_per_class=10 --config.replicas=5 \
  --config.files.salinas_a.cube="$data/salinas_a.npz" --config.files.salinas_a.sensor=AVIRIS \
  --config.files.pavia_university_crop.cube="$data/pavia_university_crop.npz" \
  --config.files.pavia_university_crop.sensor=ROSIS
for n in ${rows[*]}; do
  few=(--config.samples_per_class="$n")
  from=(--config.run=runs/adapt/base-160)
  run "adapt/indian_pines-frozen-n$n" adapt.py:indian_pines "${from[@]}" "${few[@]}"
  run "adapt/indian_pines-tuned-n$n" adapt.py:indian_pines "${from[@]}" "${few[@]}" --config.phases.phase2.frozen='()'
  run "adapt/indian_pines-scratch-n$n" own.py:indian_pines --config.bands=160 --config.replicas=5 "${few[@]}" \
    "${forerunner[@]}"
done
