#!/usr/bin/env bash
# The recipe of configs/best.py: what each part of it is worth, and what it reaches.
#
#   experiments/best.sh ../shared/data ablations     one change at a time of the forerunner, Indian Pines, seeds 100-104
#   experiments/best.sh ../shared/data partners      with other scenes, likewise
#   experiments/best.sh ../shared/data report        the recipe as it is, 5 and 10 samples per class, seeds 0-9
#   experiments/best.sh ../shared/data report alone  only its scenes on their own; or `together`
#   experiments/best.sh ../shared/data without       the same without noise fractions
#   experiments/best.sh ../shared/data before        of the forerunner; and the letter's network on its blocks
#
# Parts are chosen by the first two, which see no seed of the others; these are run once a recipe.
# Beside every run stands, as <run>-plain, what its networks say without smoothing; nothing is trained for it.
# The directory, named from the top of the repository, holds salinas_a.npz and pavia_university_crop.npz
# (arrays `cube` and `label`). Finished runs are skipped and an interrupted one resumes.
# Tables and plots: .venv/bin/python experiments/best.py
set -euo pipefail
data=${1:?name the directory of the crops, from the top of the repository}
part=${2:?name a part: ablations, partners, report, without or before}
cd "$(dirname "$0")/.."
source experiments/keep.sh

launch() { # name, scenes, overrides
  local name=$1 scenes=$2 scene files=()
  shift 2
  for scene in ${scenes//,/ }; do
    [ "$scene" = indian_pines ] || files+=(--config.files."$scene".cube="$data/$scene.npz")
  done
  .venv/bin/python launch.py --config="configs/best.py:$scenes" "${files[@]}" --workdir="runs/best/$name" "$@"
  keep "runs/best/$name" "results/best/$name" config environment metrics
}

# The networks of a finished run in another work directory, which asks for another classification.
classify_again() { # name, finished run, key below classify, value, scenes, overrides
  local name=$1 trained=$2 key=$3 value=$4 begun=runs/best/.begun
  shift 4
  if [ ! -d "runs/best/$name" ]; then
    rm -rf "$begun"
    mkdir "$begun"
    cp -r "runs/best/$trained/checkpoints" "$begun/"
    .venv/bin/python - "runs/best/$trained/config.json" "$begun/config.json" "$key" "$value" <<'END'
import json, sys

trained, new, key, value = sys.argv[1:]
config = json.load(open(trained))
*groups, last = key.split(".")
group = config["classify"]
for name in groups:
  group = group[name]
group[last] = json.loads(value)
json.dump(config, open(new, "w"))
END
    mv "$begun" "runs/best/$name"
  fi
  launch "$name" "$@" --config.classify."$key"="$value"
}

run() { # name, scenes, overrides
  launch "$@"
  classify_again "$1-plain" "$1" smoothing.steps 0 "${@:2}"
}

# What the recipe was before its parts were taken apart.
bands_alone=(--config.mnf_components=0)
forerunner=("${bands_alone[@]}" --config.model.patch=13 --config.phases.phase1.epochs=15)
choosing=(--config.samples_per_class=5 --config.seed=100 --config.replicas=5 "${forerunner[@]}")
at_ten=(--config.samples_per_class=10 --config.seed=100 --config.replicas=5 --config.proposals=0 "${forerunner[@]}")

change() { # name, overrides
  local name=$1
  shift
  run "indian_pines-$name" indian_pines "${choosing[@]}" "$@"
}

ablations() {
  local key rate count longer=(--config.model.patch=9 --config.phases.phase1.epochs=30)
  change start
  for key in steps-20 steps-80 restart-0.003 restart-0.03 sharpness-1.0 sharpness-4.0; do
    classify_again "indian_pines-smoothing_$key" indian_pines-start smoothing."${key%-*}" "${key#*-}" \
      indian_pines "${choosing[@]}"
  done
  classify_again indian_pines-classify_symmetries indian_pines-start symmetries true \
    indian_pines "${choosing[@]}"
  change patch_shift-0 --config.patch_shift=0
  change augmentation-none --config.augmentation=none
  change label_smoothing-0 --config.label_smoothing=0.0
  change weight_decay-0 --config.optimizer.weight_decay=0.0
  change learning_rate_decay-none --config.learning_rate_decay=none
  change steps-700 --config.phases.phase1.epochs=7
  change scaling-maximum --config.scaling=maximum
  change patch-9 --config.model.patch=9
  change patch-9,steps-3000 "${longer[@]}"
  for count in 20 40 80; do
    change "patch-9,steps-3000,mnf-$count" "${longer[@]}" --config.mnf_components="$count"
  done
  change width-32 --config.model.width=32
  change blocks-2 --config.model.blocks=2
  change radiometric_jitter-0.1 --config.radiometric_jitter=0.1
  change band_dropout-0.2 --config.band_dropout=0.2
  change balanced --config.balanced=True
  change weight_averaging-0.99 --config.weight_averaging=0.99
  for rate in 5e-4 5e-3; do change "learning_rate-$rate" --config.phases.phase1.learning_rate="$rate"; done
  # Small patches are as good at 5 samples and cost a third; what of more samples?
  run indian_pines_n10-start indian_pines "${at_ten[@]}"
  run indian_pines_n10-patch-9 indian_pines "${at_ten[@]}" --config.model.patch=9
  run indian_pines_n10-patch-9,steps-3000 indian_pines "${at_ten[@]}" "${longer[@]}"
  run indian_pines_n10-patch-9,steps-3000,mnf-40 indian_pines "${at_ten[@]}" "${longer[@]}" \
    --config.mnf_components=40
}

own_stems=(--config.spectral_knowledge=False)

partners() {
  local scene
  run indian_pines-start indian_pines "${choosing[@]}"
  for scene in salinas_a pavia_university_crop; do
    run "indian_pines+$scene-own_stems" "indian_pines,$scene" "${choosing[@]}" "${own_stems[@]}"
  done
  run indian_pines+salinas_a-joint_norm indian_pines,salinas_a "${choosing[@]}" "${own_stems[@]}" \
    --config.model.norm=joint
  # By index, as in the letter: the last 160 bands of both.
  run indian_pines-160_bands indian_pines "${choosing[@]}" --config.bands=160
  run indian_pines+salinas_a-160_bands indian_pines,salinas_a "${choosing[@]}" --config.bands=160 \
    --config.files.salinas_a.sensor=AVIRIS
}

# The letter's network on the pixels of a run by blocks.
letter() { # report or forerunner, samples per class
  local pixels=runs/best/$1-indian_pines-n$2-blocks/split.npz name=letter-on-$1-n$2-blocks
  .venv/bin/python launch.py --config=configs/letter.py:indian_pines --workdir="runs/best/$name" \
    --config.samples_per_class="$2" --config.split="$pixels"
  keep "runs/best/$name" "results/best/$name" config environment metrics
}

scenes=(indian_pines salinas_a pavia_university_crop)

report() { # alone or together; both where nothing is named
  local n split given scene
  case ${1:-alone} in alone | together) ;; *) echo "$1 is no part of report" >&2 && exit 2 ;; esac
  for split in random blocks; do
    for n in 5 10; do
      given=(--config.samples_per_class="$n" --config.split="$split")
      if [ "${1:-alone}" = alone ]; then
        for scene in "${scenes[@]}"; do run "report-$scene-n$n-$split" "$scene" "${given[@]}"; done
        [ "$split" = random ] || letter report "$n"
      fi
      if [ "${1:-together}" = together ]; then
        run "report-together-n$n-$split" "$(IFS=, && echo "${scenes[*]}")" "${given[@]}" "${own_stems[@]}"
      fi
    done
  done
}

without() {
  local scene
  for scene in "${scenes[@]}"; do
    run "bands-$scene-n5-random" "$scene" --config.samples_per_class=5 --config.split=random "${bands_alone[@]}"
  done
  run bands-indian_pines-n10-random indian_pines --config.samples_per_class=10 --config.split=random \
    "${bands_alone[@]}"
  run bands-indian_pines-n5-blocks indian_pines --config.samples_per_class=5 --config.split=blocks \
    "${bands_alone[@]}"
}

before() {
  local n split scene
  for split in random blocks; do
    for n in 5 10; do
      run "forerunner-indian_pines-n$n-$split" indian_pines --config.samples_per_class="$n" \
        --config.split="$split" "${forerunner[@]}"
    done
  done
  letter forerunner 5
  for scene in salinas_a pavia_university_crop; do
    run "forerunner-$scene-n5-random" "$scene" --config.samples_per_class=5 --config.split=random "${forerunner[@]}"
  done
  run forerunner-together-n5-random "$(IFS=, && echo "${scenes[*]}")" --config.samples_per_class=5 \
    --config.split=random "${own_stems[@]}" "${forerunner[@]}"
}

case $part in
  ablations | partners | report | without | before) "$part" "${@:3}" ;;
  *) echo "$part is no part; name ablations, partners, report, without or before" >&2 && exit 2 ;;
esac
