"""Verification of the public scenes: by the SHA-256 of their files, by shape and by pixels per class."""

from pathlib import Path

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.arrays import format_shape, read_array
from mtl_hsi.scenes.labels.arrays import read_label_array
from mtl_hsi.scenes.labels.label_set import Reading
from mtl_hsi.scenes.public.catalogue import PUBLIC_SCENES, PublicFile, PublicScene
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.storage.atomic_files import reason
from mtl_hsi.storage.checksums import sha256


class ChangedFile(RequestError):
  """A file has the shape or pixel counts of the scene, but another SHA-256.

  Attributes:
    found: the message without the advice to accept the file.
  """

  def __init__(self, found: str):
    super().__init__(f"{found}, or accept it with --config.accept_changed_files=True")
    self.found = found


def check_content(scene: Scene, facts: PublicScene) -> None:
  """Checks that a scene has the shape and the exact pixel count per class of a public scene.

  Raises:
    RequestError: they differ; the message names the first difference.
  """
  check_shape(scene.cube.shape, facts)
  check_counts(scene.labels, facts)


def is_public(scene: Scene) -> bool:
  """Returns whether a scene is the measured public scene of its name, by shape and pixel counts."""
  if scene.simulated or scene.name not in PUBLIC_SCENES:
    return False
  try:
    check_content(scene, PUBLIC_SCENES[scene.name])
  except RequestError:
    return False
  return True


def check_shape(shape: tuple[int, ...], facts: PublicScene) -> None:
  """Checks the shape of a cube.

  Raises:
    RequestError: it differs from that of the public scene.
  """
  if shape != facts.shape:
    difference = f"the cube is {format_shape(shape)}, expected {format_shape(facts.shape)}"
    raise RequestError(f"scene {facts.name!r}: {difference}; {_advice(facts)}")


def check_counts(labels: np.ndarray, facts: PublicScene) -> None:
  """Checks the pixels per class of a label image `[H, W]`.

  Raises:
    RequestError: they differ from those of the public scene; the message names the first class.
  """
  ids, counts = np.unique(labels[labels > 0], return_counts=True)
  found = dict(zip(ids.tolist(), counts.tolist(), strict=True))
  expected = dict(enumerate(facts.class_counts, start=1))
  for label in sorted(found | expected):
    count, wanted = found.get(label, 0), expected.get(label, 0)
    if count != wanted:
      class_name = f" ({facts.class_names[label - 1]})" if label in expected else ""
      raise RequestError(
        f"scene {facts.name!r}: {count} pixels of class {label}{class_name} in the label image, "
        f"expected {wanted}; {_advice(facts)}"
      )


def _advice(facts: PublicScene) -> str:
  return f"these are not the public files of {facts.title}; download them again from {facts.page_url}"


def check_files(facts: PublicScene, data_dir: Path, accept_changed: bool) -> tuple[str, ...]:
  """Checks the files of a public scene that are in `data_dir`. Missing files pass.

  Args:
    facts: the scene.
    data_dir: directory of the public files under their own names.
    accept_changed: whether to accept a file with another SHA-256 but the scene's shape or pixel counts.

  Returns:
    Names of the accepted files with another SHA-256.

  Raises:
    ChangedFile: such a file was found, and `accept_changed` is False.
    RequestError: a file has another content or cannot be read.
  """
  changed = {}
  for file in (facts.cube, facts.labels):
    path = data_dir / file.filename
    digest = _sha256_if_present(path)
    if digest not in (None, file.sha256):
      check_file_content(facts, file, path)
      changed[file.filename] = f"{path} (SHA-256 {digest}, expected {file.sha256})"
  if changed and not accept_changed:
    raise ChangedFile(
      f"scene {facts.name!r}: another SHA-256 than the known file, but the same shape or pixel counts: "
      f"{' and '.join(changed.values())}; download it again from {facts.page_url}"
    )
  return tuple(changed)


def check_file_content(facts: PublicScene, file: PublicFile, path: Path) -> None:
  """Checks the shape of the cube, or the pixels per class of the labels, in a file of a public scene.

  Raises:
    RequestError: the file cannot be read or differs; the message names the first difference.
  """
  if file == facts.cube:
    check_shape(read_array(path, file.key).shape, facts)
  else:
    check_counts(read_label_array(path, file.key, Reading()).image, facts)


def _sha256_if_present(path: Path) -> str | None:
  try:
    return sha256(path)
  except (FileNotFoundError, NotADirectoryError):
    return None
  except OSError as error:
    raise RequestError(f"cannot read {path}: {reason(error)}") from error
