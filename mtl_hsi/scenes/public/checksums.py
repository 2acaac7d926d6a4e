"""Whether a file on disk is the public one: by its SHA-256, else by its content and the user's word."""

from pathlib import Path

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.images.arrays import read_array
from mtl_hsi.scenes.labels.arrays import read_label_array
from mtl_hsi.scenes.public.catalogue import PublicFile, PublicScene, check_counts, check_shape
from mtl_hsi.storage.atomic_files import reason
from mtl_hsi.storage.checksums import sha256


class ChangedFile(RequestError):
  """A file of another SHA-256 whose content is the scene's was not to be taken; the message says how it is.

  Attributes:
    found: the message without that, for whoever never takes one.
  """

  def __init__(self, found: str):
    super().__init__(f"{found}, or take it as it is with --config.accept_changed_files=True")
    self.found = found


def check_files(facts: PublicScene, data_dir: Path, accept_changed: bool) -> tuple[str, ...]:
  """Checks those files of a public scene that are in `data_dir`, whoever put them there.

  Args:
    facts: the scene.
    data_dir: directory of the public files under their own names.
    accept_changed: whether to take a file of another SHA-256 whose content is the scene's.

  Returns:
    Names of the files that are taken although their SHA-256 differs.

  Raises:
    ChangedFile: a file may be the public one, but is not to be taken for it.
    RequestError: a file is not the public one.
  """
  changed = {}
  for file in (facts.cube, facts.labels):
    path = data_dir / file.filename
    digest = _sha256_if_there(path)
    if digest not in (None, file.sha256):
      check_file_content(facts, file, path)
      changed[file.filename] = f"{path} (SHA-256 {digest}, expected {file.sha256})"
  if changed and not accept_changed:
    raise ChangedFile(
      f"scene {facts.name!r}: not the known file, though of its shape or pixel counts: "
      f"{' and '.join(changed.values())}; get it again from {facts.page_url}"
    )
  return tuple(changed)


def check_file_content(facts: PublicScene, file: PublicFile, path: Path) -> None:
  """Checks the shape of the cube, or the pixels per class, in a file of a public scene.

  Raises:
    RequestError: the file cannot be read or names the first difference.
  """
  if file == facts.cube:
    check_shape(read_array(path, file.key).shape, facts)
  else:
    check_counts(read_label_array(path, file.key), facts)


def _sha256_if_there(path: Path) -> str | None:
  try:
    return sha256(path)
  except (FileNotFoundError, NotADirectoryError):
    return None
  except OSError as error:
    raise RequestError(f"cannot read {path}: {reason(error)}") from error
