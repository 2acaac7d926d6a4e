"""Saves of checkpoints that fail or are killed."""

import shutil
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.training.checkpoints import Checkpoints
from tests.training.test_checkpoints import like_a_tree, replicated_over_devices, tree

ROOT = Path(__file__).parents[2]


def test_a_full_disk_is_one_clear_line(tmp_path, capfd, monkeypatch):
  checkpoints = Checkpoints(tmp_path)
  checkpoints.save_state(10, tree(1))
  monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(2**30, 2**30 - 2**20, 2**20))
  with pytest.raises(
    RequestError, match=r"cannot write checkpoint .*state/20: no space left on device; make room"
  ):
    checkpoints.save_state(20, tree(2))
  assert capfd.readouterr() == ("", "")
  assert [path.name for path in tmp_path.iterdir()] == ["state"]
  assert checkpoints.restore_latest_state(like_a_tree)[0] == 10


def test_an_error_without_a_number_of_the_system_is_one_line_too(tmp_path, monkeypatch):
  def fail(*_, **__):
    raise ValueError("RESOURCE_EXHAUSTED: no handles left\nsource locations: ...")

  monkeypatch.setattr("orbax.checkpoint.v1.save", fail)
  with pytest.raises(RequestError) as refused:
    Checkpoints(tmp_path).save_state(20, tree(2))
  assert str(refused.value) == (
    f"cannot write checkpoint {tmp_path / 'state' / '20'}: RESOURCE_EXHAUSTED: no handles left; run the same "
    "command again"
  )


SAVE_UNDER_A_LIMIT = """
import resource, sys
from pathlib import Path
import jax.numpy as jnp
from mtl_hsi.errors import RequestError
from mtl_hsi.training.checkpoints import Checkpoints
resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000))
try:
  Checkpoints(Path(sys.argv[1])).save_state(20, {"a": jnp.arange(100000)})
except RequestError as error:
  print(error)
"""


def test_a_disk_that_fails_in_mid_save_leaves_nothing_half_done(tmp_path):
  Checkpoints(tmp_path).save_state(10, tree(1))
  command = [sys.executable, "-c", SAVE_UNDER_A_LIMIT, str(tmp_path)]
  result = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
  assert result.stdout.startswith(
    f"cannot write checkpoint {tmp_path / 'state' / '20'}: file too large; make room"
  )
  assert "ERROR" not in result.stderr, "Orbax logs what the message says already"
  assert Checkpoints(tmp_path).restore_latest_state(like_a_tree)[0] == 10


# Forking once everything is imported spares each moment the seconds of a new process.
SAVE_UNTIL_KILLED = """
import os, signal, sys, threading
from pathlib import Path
import jax, numpy as np
from mtl_hsi.training.checkpoints import Checkpoints
for moment in sys.argv[2:]:
  child = os.fork()
  if child == 0:
    checkpoints = Checkpoints(Path(sys.argv[1]) / moment)
    trees = [{"a": jax.device_put(np.full((2, 50000), i, np.float32))} for i in range(3)]
    checkpoints.save_state(0, trees[0])
    threading.Timer(float(moment), os.kill, (os.getpid(), signal.SIGKILL)).start()
    for epoch in range(1, 10**6):
      checkpoints.save_state(epoch, trees[epoch % 3])
  os.waitpid(child, 0)
"""


def save_until_killed(directory: Path, moments: list[float]) -> None:
  arguments = [str(directory), *(f"{moment:.4f}" for moment in moments)]
  subprocess.run([sys.executable, "-c", SAVE_UNTIL_KILLED, *arguments], cwd=ROOT, check=True)
  like = {"a": jax.ShapeDtypeStruct((2, 50000), np.float32, sharding=replicated_over_devices())}
  for moment in arguments[1:]:
    checkpoints = Checkpoints(directory / moment)
    epoch, restored = checkpoints.restore_latest_state(lambda _: like)
    np.testing.assert_array_equal(restored["a"], np.full((2, 50000), epoch % 3, np.float32))
    checkpoints.save_state(epoch + 1, restored)
    kept = sorted(int(path.name) for path in (directory / moment / "state").iterdir())
    assert kept == [epoch, epoch + 1]
    assert [path.name for path in (directory / moment).iterdir()] == ["state"]


def test_a_save_that_was_killed_is_never_taken_for_a_whole_one(tmp_path, caplog):
  save_until_killed(tmp_path, [0.01, 0.04, 0.07, 0.11, 0.17])
  assert not caplog.records, "a checkpoint was found half written"


@pytest.mark.slow
def test_saves_killed_at_many_moments(tmp_path, caplog):
  save_until_killed(tmp_path, [0.005 * i for i in range(1, 61)])
  assert not caplog.records, "a checkpoint was found half written"
