#!/usr/bin/env bash
# Runs the recipe of configs/fields.py on three scenes, seeds 0-9. Takes about a day on 2 cores.
#
#   experiments/best.sh ../shared/data recommended   the recipe, 5 and 10 samples per class, alone and together
#   experiments/best.sh ../shared/data without_mnf   the recipe without MNF components
#   experiments/best.sh ../shared/data cost          training time of the recipe and of the letter's network
#
# Each run <name> has a second one, <name>-plain: the same networks without smoothing. The directory, relative to the
# top of the repository, contains salinas_a.npz and pavia_university_crop.npz (arrays `cube` and `label`). Finished runs
# are skipped, and an interrupted run resumes. `.venv/bin/python experiments/best.py` makes the tables.
set -euo pipefail
data=${1:?name the directory of the crops, relative to the top of the repository}
part=${2:?name a part: recommended, without_mnf or cost}
cd "$(dirname "$0")/.."
source experiments/keep.sh

scenes=(indian_pines salinas_a pavia_university_crop)

launch() { # name, config, scenes, overrides
  local name=$1 config=$2 names=$3 scene files=()
  shift 3
  for scene in ${names//,/ }; do
    [ "$scene" = indian_pines ] || files+=(--config.files."$scene".cube="$data/$scene.npz")
  done
  .venv/bin/python launch.py --config="configs/$config.py:$names" "${files[@]}" --workdir="runs/best/$name" "$@"
  keep "runs/best/$name" "results/best/$name" config environment metrics
}

# Copies the networks of a finished run to a work directory whose config has no smoothing.
copy_without_smoothing() { # run, copy
  local begun=runs/best/.begun
  [ -d "$2" ] && return
  rm -rf "$begun"
  mkdir "$begun"
  cp -r "$1/checkpoints" "$begun/"
  .venv/bin/python - "$1/config.json" "$begun/config.json" <<'PYTHON'
import json, sys

config = json.load(open(sys.argv[1]))
config["classify"]["smoothing"]["steps"] = 0
json.dump(config, open(sys.argv[2], "w"))
PYTHON
  mv "$begun" "$2"
}

run() { # name, scenes, overrides
  launch "$1" fields "${@:2}"
  copy_without_smoothing "runs/best/$1" "runs/best/$1-plain"
  launch "$1-plain" fields "${@:2}" --config.classify.smoothing.steps=0
}

recommended() {
  local n split few scene
  for split in random blocks; do
    for n in 5 10; do
      few=(--config.samples_per_class="$n" --config.split="$split")
      for scene in "${scenes[@]}"; do run "recommended-$scene-n$n-$split" "$scene" "${few[@]}"; done
      run "recommended-together-n$n-$split" "$(IFS=, && echo "${scenes[*]}")" "${few[@]}" \
        --config.spectral_knowledge=False
    done
  done
  launch letter-indian_pines-n5-blocks letter indian_pines --config.samples_per_class=5 \
    --config.split=runs/best/recommended-indian_pines-n5-blocks/split.npz
}

without_mnf() {
  local scene without=(--config.mnf_components=0)
  for scene in "${scenes[@]}"; do
    run "without_mnf-$scene-n5-random" "$scene" --config.samples_per_class=5 "${without[@]}"
  done
  run without_mnf-indian_pines-n10-random indian_pines --config.samples_per_class=10 "${without[@]}"
  run without_mnf-indian_pines-n5-blocks indian_pines --config.samples_per_class=5 --config.split=blocks "${without[@]}"
}

cost() {
  local two=(--config.samples_per_class=10 --config.replicas=2)
  launch cost-recommended fields indian_pines "${two[@]}"
  launch cost-letter letter indian_pines "${two[@]}"
}

case $part in
  recommended | without_mnf | cost) "$part" ;;
  *) echo "unknown part $part; name recommended, without_mnf or cost" >&2 && exit 2 ;;
esac
