"""Copies of the shared finished runs with other predictions, as if other runs had made them."""

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mtl_hsi.storage import atomic_files, checksums


@pytest.fixture
def changed_copy(tmp_path) -> Callable[..., Path]:
  """Copies a run under another name, with changes of its JSON files and arrays, as if it had written them."""

  def copy(run: Path, name: str, json_changes=None, array_changes=None) -> Path:
    target = tmp_path / name
    shutil.copytree(run, target, ignore=shutil.ignore_patterns("checkpoints", "tensorboard"))
    for file, change in (json_changes or {}).items():
      content = json.loads((target / file).read_text())
      change(content)
      atomic_files.write_json(target / file, content)
    for file, change in (array_changes or {}).items():
      arrays = dict(np.load(io.BytesIO((target / file).read_bytes())))
      change(arrays)
      atomic_files.write_npz(target / file, arrays)
    (target / checksums.NAME).write_bytes(_again(target))
    return target

  return copy


def _again(run: Path) -> bytes:
  names = [line.split("  ", 1)[1] for line in (run / checksums.NAME).read_text().splitlines()]
  return checksums.listing(run, names)
