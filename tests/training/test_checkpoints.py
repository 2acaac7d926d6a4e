"""Checkpoints: what is restored, and how damage is handled."""

import hashlib
import json
import logging
import shutil
from pathlib import Path

import jax
import numpy as np
import optax
import pytest
from jax.sharding import NamedSharding, PartitionSpec

from mtl_hsi.errors import RequestError
from mtl_hsi.training.checkpoints import Checkpoints


def replicated_over_devices() -> NamedSharding:
  return NamedSharding(jax.make_mesh((2,), ("replica",)), PartitionSpec("replica"))


def tree(value: float) -> dict:
  """Two replicas of a small train state, one on each device."""
  params = {
    "stem": np.full((2, 3, 4), value, np.float32),
    "heads": {"bias": np.full((2, 5), value, np.float32)},
  }
  optimizer = optax.multi_transform(
    {"train": optax.adadelta(1.0), "freeze": optax.set_to_zero()}, {"stem": "freeze", "heads": "train"}
  )
  state = {
    "params": params,
    "optimizer": optimizer.init(params),
    "key": jax.random.split(jax.random.key(int(value)), 2),
  }
  return jax.tree.map(lambda leaf: jax.device_put(leaf, replicated_over_devices()), state)


def abstract(state: dict, sharding: jax.sharding.Sharding | None = None) -> dict:
  return jax.tree.map(
    lambda leaf: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=sharding or leaf.sharding), state
  )


def like_a_tree(_epoch: int) -> dict:
  return abstract(tree(0))


def assert_equal(restored: dict, expected: dict) -> None:
  def check(one, other):
    assert one.sharding == other.sharding
    assert one.dtype == other.dtype
    if jax.dtypes.issubdtype(one.dtype, jax.dtypes.prng_key):
      one, other = jax.random.key_data(one), jax.random.key_data(other)
    np.testing.assert_array_equal(one, other)

  jax.tree.map(check, restored, expected)


def files(checkpoint: Path) -> list[Path]:
  return sorted(path for path in checkpoint.rglob("*") if path.is_file())


def flip_a_byte(file: Path) -> None:
  data = bytearray(file.read_bytes())
  data[len(data) // 2] ^= 1
  file.write_bytes(data)


def truncate(file: Path) -> None:
  file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def test_a_state_comes_back_as_it_was(tmp_path, capfd):
  assert Checkpoints(tmp_path).restore_latest_state(like_a_tree) is None
  Checkpoints(tmp_path).save_state(30, tree(7))
  epoch, restored = Checkpoints(tmp_path).restore_latest_state(like_a_tree)
  assert epoch == 30
  assert_equal(restored, tree(7))
  assert capfd.readouterr() == ("", "")


def test_numpy_arrays_come_back_where_they_are_wanted(tmp_path):
  Checkpoints(tmp_path).save_state(1, {"mean": np.arange(6, dtype=np.float32).reshape(2, 3)})
  like = {"mean": jax.ShapeDtypeStruct((2, 3), np.float32, sharding=replicated_over_devices())}
  _, restored = Checkpoints(tmp_path).restore_latest_state(lambda _: like)
  assert restored["mean"].sharding == replicated_over_devices()
  np.testing.assert_array_equal(restored["mean"], [[0, 1, 2], [3, 4, 5]])


def test_the_expected_tree_may_depend_on_the_epoch(tmp_path):
  trees = {10: tree(1), 20: tree(2)["params"]}
  checkpoints = Checkpoints(tmp_path)
  for epoch, state in trees.items():
    checkpoints.save_state(epoch, state)
  assert_equal(checkpoints.restore_latest_state(lambda epoch: abstract(trees[epoch]))[1], trees[20])
  flip_a_byte(files(tmp_path / "state" / "20")[0])
  assert_equal(checkpoints.restore_latest_state(lambda epoch: abstract(trees[epoch]))[1], trees[10])


def test_a_state_comes_back_onto_other_devices(tmp_path):
  one_device = jax.sharding.SingleDeviceSharding(jax.devices()[0])
  Checkpoints(tmp_path).save_state(1, tree(7))
  _, restored = Checkpoints(tmp_path).restore_latest_state(lambda _: abstract(tree(0), one_device))
  assert_equal(restored, jax.tree.map(lambda leaf: jax.device_put(leaf, one_device), tree(7)))


def test_a_moved_directory_is_read_where_it_is(tmp_path):
  Checkpoints(tmp_path / "here").save_state(1, tree(7))
  (tmp_path / "here").rename(tmp_path / "there")
  _, restored = Checkpoints(tmp_path / "there").restore_latest_state(like_a_tree)
  assert_equal(restored, tree(7))


def test_two_states_and_all_snapshots_are_kept(tmp_path):
  checkpoints = Checkpoints(tmp_path)
  assert checkpoints.snapshot_epochs() == []
  for epoch in (8, 9, 10, 11):
    checkpoints.save_state(epoch, tree(epoch))
    checkpoints.save_snapshot(epoch, tree(-epoch)["params"])
  assert sorted(path.name for path in (tmp_path / "state").iterdir()) == ["10", "11"]
  assert checkpoints.snapshot_epochs() == [8, 9, 10, 11]
  assert_equal(checkpoints.restore_snapshot(9, abstract(tree(0)["params"])), tree(-9)["params"])
  assert sorted(path.name for path in tmp_path.iterdir()) == ["snapshots", "state"]


def test_a_checkpoint_of_the_same_epoch_is_replaced(tmp_path):
  checkpoints = Checkpoints(tmp_path)
  checkpoints.save_state(10, tree(1))
  checkpoints.save_state(10, tree(2))
  _, restored = checkpoints.restore_latest_state(like_a_tree)
  assert_equal(restored, tree(2))


@pytest.mark.parametrize("damage", [flip_a_byte, truncate, Path.unlink])
def test_damage_to_any_file_leads_back_to_the_state_before(tmp_path, caplog, capfd, damage):
  checkpoints = Checkpoints(tmp_path)
  checkpoints.save_state(10, tree(1))
  checkpoints.save_state(20, tree(2))
  shutil.copytree(tmp_path / "state" / "20", tmp_path / "whole")
  for file in files(tmp_path / "whole"):
    shutil.rmtree(tmp_path / "state" / "20")
    shutil.copytree(tmp_path / "whole", tmp_path / "state" / "20")
    if file.stat().st_size:
      damage(tmp_path / "state" / "20" / file.relative_to(tmp_path / "whole"))
    else:
      (tmp_path / "state" / "20" / file.relative_to(tmp_path / "whole")).unlink()
    caplog.clear()
    epoch, restored = checkpoints.restore_latest_state(like_a_tree)
    assert epoch == 10, f"damage to {file.name} went unseen"
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
      (logging.WARNING, f"checkpoint {tmp_path / 'state' / '20'} is damaged; it is ignored")
    ]
  assert_equal(restored, tree(1))
  out, err = capfd.readouterr()
  assert "Traceback" not in out + err


def test_training_goes_on_after_damage(tmp_path):
  checkpoints = Checkpoints(tmp_path)
  for epoch in (10, 20):
    checkpoints.save_state(epoch, tree(epoch))
  flip_a_byte(files(tmp_path / "state" / "20")[0])
  checkpoints.save_state(15, tree(15))
  assert sorted(path.name for path in (tmp_path / "state").iterdir()) == ["10", "15"]


def test_damage_to_every_state_is_an_error(tmp_path):
  checkpoints = Checkpoints(tmp_path)
  for epoch in (10, 20):
    checkpoints.save_state(epoch, tree(epoch))
    truncate(tmp_path / "state" / str(epoch) / "digests.json")
  with pytest.raises(RequestError, match=f"every checkpoint in .*state is damaged; delete {tmp_path} "):
    checkpoints.restore_latest_state(like_a_tree)


def test_a_damaged_or_missing_snapshot_is_an_error(tmp_path):
  checkpoints = Checkpoints(tmp_path)
  checkpoints.save_snapshot(122, tree(1))
  flip_a_byte(files(tmp_path / "snapshots" / "122")[-1])
  with pytest.raises(RequestError, match=r"snapshot .*snapshots/122 is damaged"):
    checkpoints.restore_snapshot(122, abstract(tree(1)))
  with pytest.raises(RequestError, match=r"snapshot .*snapshots/124 is missing"):
    checkpoints.restore_snapshot(124, abstract(tree(1)))


@pytest.mark.parametrize("damage", [lambda path: flip_a_byte(files(path)[-1]), shutil.rmtree])
def test_a_lost_snapshot_leads_back_to_a_state_from_before_it(tmp_path, caplog, damage):
  checkpoints = Checkpoints(tmp_path, voting=(5, 15, 25))
  checkpoints.save_snapshot(5, tree(5))
  checkpoints.save_state(10, tree(10))
  checkpoints.save_snapshot(15, tree(15))
  checkpoints.save_state(20, tree(20))
  assert checkpoints.latest_intact_state() == 20
  damage(tmp_path / "snapshots" / "15")
  epoch, restored = checkpoints.restore_latest_state(like_a_tree)
  assert epoch == 10
  assert_equal(restored, tree(10))
  assert [record.getMessage() for record in caplog.records] == [
    f"checkpoint {tmp_path / 'state' / '20'} needs a snapshot that is damaged; it is ignored"
  ]
  damage(tmp_path / "snapshots" / "5")
  with pytest.raises(RequestError, match=f"snapshot .*snapshots/5 is .*; delete {tmp_path} to train from"):
    checkpoints.latest_intact_state()


def warnings(caplog) -> list[str]:
  assert {record.levelno for record in caplog.records} <= {logging.WARNING}
  return [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize("gone", ["state/20", "state"])
def test_a_state_that_is_gone_is_missed_where_there_is_a_later_snapshot(tmp_path, caplog, gone):
  checkpoints = Checkpoints(tmp_path, voting=(15,))
  checkpoints.save_state(10, tree(10))
  checkpoints.save_snapshot(15, tree(15))
  checkpoints.save_state(20, tree(20))
  checkpoints.restore_latest_state(like_a_tree)
  assert not caplog.records
  shutil.rmtree(tmp_path / gone)
  restored = checkpoints.restore_latest_state(like_a_tree)
  left = {"state/20": 10, "state": 0}[gone]
  assert (restored[0] if restored else 0) == left
  assert warnings(caplog) == [
    f"{tmp_path / 'state'} has no state after epoch {left}, although there is a snapshot of epoch 15; "
    "the epochs after the state are trained again"
  ]


def test_damage_to_the_state_before_is_told(tmp_path, caplog):
  checkpoints = Checkpoints(tmp_path)
  for epoch in (10, 20):
    checkpoints.save_state(epoch, tree(epoch))
  flip_a_byte(files(tmp_path / "state" / "10")[0])
  assert checkpoints.restore_latest_state(like_a_tree)[0] == 20
  assert warnings(caplog) == [
    f"checkpoint {tmp_path / 'state' / '10'} is damaged; the later one of epoch 20 is used"
  ]


def test_digests_nested_too_deep_are_damage(tmp_path):
  checkpoints = Checkpoints(tmp_path)
  for epoch in (10, 20):
    checkpoints.save_state(epoch, tree(epoch))
  (tmp_path / "state" / "20" / "digests.json").write_text("[" * 100_000)
  assert checkpoints.latest_intact_state() == 10


@pytest.mark.parametrize("told", [None, {}, {"leaves": 5}, {"leaves": ["losses"]}])
def test_a_whole_checkpoint_of_another_program_is_refused(tmp_path, told):
  Checkpoints(tmp_path).save_state(1, tree(1))
  state = tmp_path / "state" / "1"
  metadata = json.loads((state / "_CHECKPOINT_METADATA").read_text())
  (state / "_CHECKPOINT_METADATA").write_text(json.dumps({**metadata, "custom_metadata": told}))
  saved = [file for file in files(state) if file.name != "digests.json"]
  digests = {str(file.relative_to(state)): hashlib.sha256(file.read_bytes()).hexdigest() for file in saved}
  (state / "digests.json").write_text(json.dumps(digests))
  with pytest.raises(RequestError, match=r"state/1 was not written by a run .*; choose another --workdir"):
    Checkpoints(tmp_path).restore_latest_state(like_a_tree)


@pytest.mark.parametrize(
  ("change", "message"),
  [
    (lambda state: state["params"].pop("stem"), r"params/stem is float32\[2, 3, 4\] in the file but absent"),
    (lambda state: state.update(step=state["params"]["stem"]), "step is absent in the file but float32"),
    (
      lambda state: state["params"].update(stem=jax.ShapeDtypeStruct((2, 3, 5), np.float32)),
      r"params/stem is float32\[2, 3, 4\] in the file but float32\[2, 3, 5\] in the",
    ),
    (
      lambda state: state["params"].update(stem=jax.ShapeDtypeStruct((2, 3, 4), np.float16)),
      r"params/stem is float32\[2, 3, 4\] in the file but float16\[2, 3, 4\] in the",
    ),
  ],
)
def test_a_tree_of_other_shape_is_an_error(tmp_path, change, message):
  Checkpoints(tmp_path).save_state(1, tree(1))
  other = abstract(tree(1))
  change(other)
  with pytest.raises(RequestError, match=message):
    Checkpoints(tmp_path).restore_latest_state(lambda _: other)
