"""Loads public scenes by name, from the data directory, an installed package or the internet."""

import dataclasses
import difflib
import importlib.util
from pathlib import Path

from absl import logging

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.files import read_scene
from mtl_hsi.scenes.public.catalogue import PUBLIC_SCENES, PublicScene
from mtl_hsi.scenes.public.sensors import public_wavelengths
from mtl_hsi.scenes.public.verification import check_content, check_files
from mtl_hsi.scenes.scene import Scene


def load_public(name: str, data_dir: Path, download: bool, accept_changed: bool) -> Scene:
  """Loads one of the four public scenes and verifies its files.

  The files are read from `data_dir`. If Indian Pines is not there, the copy in the package tensorly is used.

  Args:
    name: one of `PUBLIC_SCENES`.
    data_dir: directory of the public files under their own names.
    download: whether to download missing files into `data_dir`.
    accept_changed: whether to accept files with another SHA-256 but the scene's shape and pixel counts.

  Raises:
    RequestError: the name is unknown, or files are missing, cannot be downloaded or read, or are not those
      of the scene.
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
  centres, widths = public_wavelengths(name)
  source = "the copy in the package tensorly" if packaged else f"the files of {facts.page_url}"
  return dataclasses.replace(
    scene,
    class_names=dict(enumerate(facts.class_names, start=1)),
    wavelengths=centres,
    widths=widths,
    provenance=f"{facts.title} from {source}: {scene.provenance}{remark}; {facts.citation}",
  )


def missing_files(name: str, data_dir: Path) -> list[str]:
  """Returns the names of a public scene's files that are neither in `data_dir` nor in an installed package.

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
  """Returns the directory of the scene's files and their suffix: .mat, or .npy in the package tensorly."""
  if all((data_dir / file.filename).is_file() for file in (facts.cube, facts.labels)):
    return data_dir, ".mat"
  missing = missing_files(facts.name, data_dir)
  if not missing:
    return _tensorly_data(), ".npy"
  if not download:
    raise RequestError(
      f"scene {facts.name!r}: {' and '.join(missing)} not found; download from "
      f"{facts.page_url} into {data_dir}, or add --config.download=True"
    )
  # Imported here because most runs download nothing.
  from mtl_hsi.scenes.public.download import fetch_public

  fetch_public(facts, data_dir, accept_changed)
  return data_dir, ".mat"


def _check_files(facts: PublicScene, folder: Path, accept_changed: bool) -> str:
  """Returns a remark for the provenance, empty if both files have the known SHA-256."""
  changed = " and ".join(check_files(facts, folder, accept_changed))
  if not changed:
    return ""
  remark = f"{changed}: another SHA-256 than the known file, accepted by shape and pixel counts"
  logging.warning("scene %r: %s", facts.name, remark)
  return f" ({remark})"


def _tensorly_data() -> Path | None:
  """Finds the data of the package tensorly without importing it, which would take seconds."""
  spec = importlib.util.find_spec("tensorly")
  if spec is None or spec.origin is None:
    return None
  folder = Path(spec.origin).parent / "datasets" / "data"
  names = "Indian_pines_corrected.npy", "Indian_pines_gt.npy"
  return folder if all((folder / name).is_file() for name in names) else None
