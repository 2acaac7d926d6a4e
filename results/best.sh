#!/usr/bin/env bash
# The recipe of configs/best.py: what each part of it is worth, and what it reaches.
#
#   results/best.sh ../shared/data ablations     one change at a time, 5 samples per class, seeds 100-104
#   results/best.sh ../shared/data partners      with other scenes, likewise
#   results/best.sh ../shared/data report        the recipe as it is, 5 and 10 samples per class, seeds 0-9
#
# Parts of the recipe are chosen by the first two, which see no seed of the third; that one is run last and once.
# The directory, named from the top of the repository, holds salinas_a.npz, pavia_university_crop.npz and
# pavia_centre_crop.npz (arrays `cube` and `label`). Finished runs are skipped and an interrupted one goes on.
# Tables: .venv/bin/python results/best.py
set -euo pipefail
data=${1:?name the directory of the crops, from the top of the repository}
part=${2:?name a part: ablations, partners or report}
cd "$(dirname "$0")/.."
source results/keep.sh

run() { # name, scenes, overrides
  local name=$1 scenes=$2 scene files=()
  shift 2
  for scene in ${scenes//,/ }; do
    [ "$scene" = indian_pines ] || files+=(--config.files."$scene".cube="$data/$scene.npz")
  done
  .venv/bin/python launch.py --config="configs/best.py:$scenes" "${files[@]}" --workdir="runs/best/$name" "$@"
  keep "runs/best/$name" "results/best/$name" config environment metrics
}

choosing=(--config.samples_per_class=5 --config.seed=100 --config.replicas=5)

change() { # name, overrides
  local name=$1 scene
  shift
  for scene in indian_pines pavia_university_crop; do
    run "$scene-$name" "$scene" "${choosing[@]}" "$@"
  done
}

ablations() {
  change default
  for side in 9 19 25; do change "patch-$side" --config.model.patch="$side"; done
  for width in 32 128; do change "width-$width" --config.model.width="$width"; done
  for blocks in 2 6; do change "blocks-$blocks" --config.model.blocks="$blocks"; done
  change init-normal --config.model.init=normal
  change scaling-maximum --config.scaling=maximum
  change augmentation-none --config.augmentation=none
  change augmentation-mirrors --config.augmentation=mirrors
  change radiometric_jitter-0.1 --config.radiometric_jitter=0.1
  change band_dropout-0.2 --config.band_dropout=0.2
  change balanced --config.balanced=True
  change label_smoothing-0 --config.label_smoothing=0.0
  change weight_decay-0 --config.optimizer.weight_decay=0.0
  change warmup-0 --config.warmup=0.0
  change learning_rate_decay-none --config.learning_rate_decay=none
  for rate in 5e-4 5e-3; do change "learning_rate-$rate" --config.phases.phase1.learning_rate="$rate"; done
  change weight_averaging-0.99 --config.weight_averaging=0.99
  change vote --config.snapshots='(-4, -2, 0)'
  change classify.symmetries --config.classify.symmetries=True
  change steps-700 --config.phases.phase1.epochs=7
  change steps-3000 --config.phases.phase1.epochs=30
  for size in 16 64; do change "batch_size-$size" --config.batch_size="$size"; done
}

own_stems=(--config.spectral_knowledge=False)

partners() {
  run indian_pines-default indian_pines "${choosing[@]}"
  run indian_pines+salinas_a-own_stems indian_pines,salinas_a "${choosing[@]}" "${own_stems[@]}"
  run indian_pines+salinas_a-joint_norm indian_pines,salinas_a "${choosing[@]}" "${own_stems[@]}" \
    --config.model.norm=joint
  # By index, as in the letter: the last 160 bands of both.
  run indian_pines-160_bands indian_pines "${choosing[@]}" --config.bands=160
  run indian_pines+salinas_a-160_bands indian_pines,salinas_a "${choosing[@]}" --config.bands=160 \
    --config.files.salinas_a.sensor=AVIRIS
  run indian_pines+all-own_stems "$all" "${choosing[@]}" "${own_stems[@]}"
}

all=indian_pines,salinas_a,pavia_university_crop,pavia_centre_crop

report() {
  local n split given scene
  for n in 5 10; do
    for split in random blocks; do
      given=(--config.samples_per_class="$n" --config.split="$split")
      for scene in indian_pines salinas_a pavia_university_crop; do
        run "report-$scene-n$n-$split" "$scene" "${given[@]}"
      done
      run "report-all-n$n-$split" "$all" "${given[@]}" "${own_stems[@]}"
    done
  done
}

case $part in
  ablations | partners | report) "$part" ;;
  *) echo "$part is no part; name ablations, partners or report" >&2 && exit 2 ;;
esac
