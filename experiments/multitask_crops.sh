#!/usr/bin/env bash
# Real scenes trained alone and together, seeds 0-9: Indian Pines with SalinasA in the columns of Table III (with and
# without spectral knowledge, SalinasA's bands reversed, all four scenes), and crops of Pavia University and
# Pavia Centre with each other.
#
#   experiments/multitask_crops.sh ../shared/data           5, 10 and 20 samples per class
#   experiments/multitask_crops.sh ../shared/data 5         5 only
#
# Indian Pines alone is in Table III: launch.py --config=configs/paper.py:table3 --config.cells=hresnet/single.
# The directory, named from the top of the repository, holds salinas_a.npz, pavia_university_crop.npz and
# pavia_centre_crop.npz (arrays `cube` and `label`).
# Finished runs are skipped and an interrupted one resumes, so the script can be started again at any time.
set -euo pipefail
data=${1:?name the directory of the crops, from the top of the repository}
shift
rows=("${@:-5 10 20}")
cd "$(dirname "$0")/.."
source experiments/keep.sh

run() { # name, scenes, bands, further overrides
  local name=$1 scenes=$2 bands=$3
  shift 3
  local files=()
  case ",$scenes," in *,salinas_a,*) files+=(--config.files.salinas_a.cube="$data/salinas_a.npz" --config.files.salinas_a.sensor=AVIRIS) ;; esac
  case ",$scenes," in *,pavia_university_crop,*) files+=(--config.files.pavia_university_crop.cube="$data/pavia_university_crop.npz" --config.files.pavia_university_crop.sensor=ROSIS) ;; esac
  case ",$scenes," in *,pavia_centre_crop,*) files+=(--config.files.pavia_centre_crop.cube="$data/pavia_centre_crop.npz" --config.files.pavia_centre_crop.sensor=ROSIS) ;; esac
  .venv/bin/python launch.py --config="configs/letter.py:$scenes" --config.bands="$bands" "${files[@]}" \
    --workdir="runs/multitask_crops/$name" "$@"
  keep "runs/multitask_crops/$name" "results/multitask_crops/$name" config environment metrics
}

for n in ${rows[*]}; do
  few=(--config.samples_per_class="$n")
  run "indian_pines+salinas_a-with-n$n" indian_pines,salinas_a 160 "${few[@]}"
  run "indian_pines+salinas_a-without-n$n" indian_pines,salinas_a 160 "${few[@]}" --config.spectral_knowledge=False
  run "indian_pines+salinas_a-inverse-n$n" indian_pines,salinas_a 160 "${few[@]}" --config.reversed="('salinas_a',)"
  run "indian_pines+all-with-n$n" indian_pines,salinas_a,pavia_university_crop,pavia_centre_crop 160 "${few[@]}"
done
for n in ${rows[*]}; do
  # By 20 there is nothing left to gain on these.
  [ "$n" -le 10 ] || continue
  few=(--config.samples_per_class="$n")
  run "salinas_a-n$n" salinas_a 160 "${few[@]}"
  run "pavia_university_crop-n$n" pavia_university_crop 103 "${few[@]}"
  run "pavia_centre_crop-n$n" pavia_centre_crop 103 "${few[@]}"
  run "pavia_crops-with-n$n" pavia_university_crop,pavia_centre_crop 103 "${few[@]}"
  run "pavia_crops-without-n$n" pavia_university_crop,pavia_centre_crop 103 "${few[@]}" --config.spectral_knowledge=False
done
