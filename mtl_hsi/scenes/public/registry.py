"""Public scenes by name, from wherever their files are."""

import dataclasses
import difflib
import importlib.util
from pathlib import Path

import numpy as np
from absl import logging

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.files import read_scene
from mtl_hsi.scenes.public.catalogue import PUBLIC_SCENES, PublicScene, check_content
from mtl_hsi.scenes.public.checksums import check_files
from mtl_hsi.scenes.public.sensors import indian_pines_bands, rosis_bands, salinas_bands
from mtl_hsi.scenes.scene import Scene


def load_public(name: str, data_dir: Path, download: bool, accept_changed: bool) -> Scene:
  """Loads one of the four public scenes and checks that its files are the known ones.

  The files are taken from `data_dir`; Indian Pines, if it is not there, from the installed package tensorly.

  Args:
    name: one of `PUBLIC_SCENES`.
    data_dir: directory of the public files under their own names.
    download: whether to fetch missing files into `data_dir`.
    accept_changed: whether to take files of another SHA-256 whose shape and pixel counts are the scene's.

  Raises:
    RequestError: the name is unknown, files are missing and not to be fetched, cannot be fetched, cannot be
      read, or are not those of the scene.
  """
  facts = _facts(name)
  folder, suffix = _find(facts, data_dir.absolute(), download, accept_changed)
  packaged = suffix == ".npy"
  remark = "" if packaged else _check_files(facts, folder, accept_changed)
  scene = read_scene(
    name,
    cube=folder / Path(facts.cube.filename).with_suffix(suffix),
    labels=folder / Path(facts.labels.filename).with_suffix(suffix),
    cube_key=None if packaged else facts.cube.key,
    labels_key=None if packaged else facts.labels.key,
    sensor=facts.sensor,
  )
  check_content(scene, facts)
  centres, widths = _bands(facts)
  source = "the copy in the package tensorly" if packaged else f"the files of {facts.page_url}"
  return dataclasses.replace(
    scene,
    class_names=dict(enumerate(facts.class_names, start=1)),
    wavelengths=centres,
    widths=widths,
    provenance=f"{facts.title} from {source}: {scene.provenance}{remark}; {facts.citation}",
  )


def missing_files(name: str, data_dir: Path) -> list[str]:
  """Names of a public scene's files that are not in the data directory, nor in an installed package.

  Raises:
    RequestError: the name is unknown.
  """
  facts = _facts(name)
  missing = [file.filename for file in (facts.cube, facts.labels) if not (data_dir / file.filename).is_file()]
  return [] if name == "indian_pines" and _tensorly_data() is not None else missing


def _facts(name: str) -> PublicScene:
  if name in PUBLIC_SCENES:
    return PUBLIC_SCENES[name]
  aliases = {}
  for facts in PUBLIC_SCENES.values():
    for alias in (facts.name, facts.short_name, facts.cube.key, facts.cube.filename):
      aliases[alias.lower()] = facts.name
  closest = difflib.get_close_matches(name.lower(), aliases, n=1)
  hint = f"; did you mean {aliases[closest[0]]!r}?" if closest else ""
  raise RequestError(f"unknown scene {name!r}; the public scenes are {', '.join(PUBLIC_SCENES)}{hint}")


def _find(facts: PublicScene, data_dir: Path, download: bool, accept_changed: bool) -> tuple[Path, str]:
  """The directory of the scene's files and their suffix, .mat or, as tensorly has them, .npy."""
  if all((data_dir / file.filename).is_file() for file in (facts.cube, facts.labels)):
    return data_dir, ".mat"
  missing = missing_files(facts.name, data_dir)
  if not missing:
    return _tensorly_data(), ".npy"
  if not download:
    raise RequestError(
      f"scene {facts.name!r}: {' and '.join(missing)} not found; get them with a browser from "
      f"{facts.page_url} and put them into {data_dir}, or add --config.download=True to fetch them"
    )
  # Only a run that downloads should need the network's modules.
  from mtl_hsi.scenes.public.download import fetch_public

  fetch_public(facts, data_dir, accept_changed)
  return data_dir, ".mat"


def _check_files(facts: PublicScene, folder: Path, accept_changed: bool) -> str:
  """A remark for the provenance, empty where both files are the known ones byte for byte."""
  changed = " and ".join(check_files(facts, folder, accept_changed))
  if not changed:
    return ""
  remark = f"{changed} not the known file by SHA-256, taken for its shape and pixel counts"
  logging.warning("scene %r: %s", facts.name, remark)
  return f" ({remark})"


def _tensorly_data() -> Path | None:
  """Found without importing the package, which would take seconds."""
  spec = importlib.util.find_spec("tensorly")
  if spec is None or spec.origin is None:
    return None
  folder = Path(spec.origin).parent / "datasets" / "data"
  names = "Indian_pines_corrected.npy", "Indian_pines_gt.npy"
  return folder if all((folder / name).is_file() for name in names) else None


def _bands(facts: PublicScene) -> tuple[np.ndarray | None, np.ndarray | None]:
  if facts.sensor == "ROSIS":
    return rosis_bands(facts.shape[2])
  return indian_pines_bands() if facts.name == "indian_pines" else salinas_bands() or (None, None)
