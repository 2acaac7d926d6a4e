# Copies JSON files of a finished run to results/; sourced by the scripts of this directory.

keep() { # run, directory, names of its JSON files
  local run=$1 to=$2 name
  shift 2
  mkdir -p "$to"
  for name in "$@"; do
    cp "$run/$name.json" "$to/"
  done
  # Paths of this machine are left out.
  sed -i.before '/^ *"directory": /d' "$to/environment.json"
  sed -i.before "s#\"$PWD/#\"#" "$to/config.json"
  rm "$to"/*.before
}
