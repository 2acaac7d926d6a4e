"""Stems, backbone and heads together: two scenes, in training and in use, by patches and densely."""

import jax
import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from tests import tiny

OPTIONS = {
  "hresnet": {},
  "hresnet, separate stems, joint statistics": {"spectral_knowledge": False, "norm_per_scene": False},
  "hresnet, pooled, separate stems": {"pool": True, "spectral_knowledge": False},
  "hresnet, two blocks, joint statistics": {"blocks": 2, "norm_per_scene": False},
  "hresnet, three blocks, pooled": {"blocks": 3, "pool": True},
  "vresnet": {"name": "vresnet", "patch": 7, "width": 6, "blocks": 2},
  "vresnet, separate stems, joint statistics": {
    **{"name": "vresnet", "patch": 5, "width": 6, "blocks": 1},
    **{"spectral_knowledge": False, "norm_per_scene": False},
  },
  "ccnn": {"name": "ccnn"},
  "ccnn, separate stems, joint statistics": {
    "name": "ccnn",
    "spectral_knowledge": False,
    "norm_per_scene": False,
  },
}


def options(*names: str):
  slow = {"hresnet, three blocks, pooled": pytest.mark.slow}
  return pytest.mark.parametrize(
    "changes", [pytest.param(OPTIONS[name], id=name, marks=slow.get(name, ())) for name in names or OPTIONS]
  )


@options()
def test_a_scene_classified_densely_equals_its_patches(changes):
  net = tiny.network(**changes)
  params, stats = tiny.weights(net)
  cube = np.random.default_rng(0).normal(size=(5, 8, tiny.BANDS)).astype(np.float32)
  margin = net.patch // 2
  padded = np.pad(cube, [(margin, margin), (margin, margin), (0, 0)], mode="edge")
  for scene, classes in enumerate(tiny.CLASSES):
    result = np.asarray(tiny.dense_logits(net, params, stats, padded, np.int32(scene)))
    cut = tiny.all_patches(padded, net.patch)
    expected = np.asarray(tiny.patch_logits(net, params, stats, cut, np.int32(scene)))
    assert result.shape == (5, 8, max(tiny.CLASSES))
    np.testing.assert_allclose(result.reshape(expected.shape), expected, rtol=1e-4, atol=1e-4)
    assert (expected[:, :classes].std(axis=0) > 0.05).all(), "equal pixels would not show a difference"


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (3, 1)])
def test_a_sliver_of_a_scene_is_classified_densely_too(shape):
  net = tiny.network()
  params, stats = tiny.weights(net)
  padded = np.random.default_rng(0).normal(size=(shape[0] + 8, shape[1] + 8, tiny.BANDS)).astype(np.float32)
  dense = tiny.dense_logits(net, params, stats, padded, np.int32(1))
  by_patch = tiny.patch_logits(net, params, stats, tiny.all_patches(padded, 9), np.int32(1))
  np.testing.assert_allclose(dense.reshape(by_patch.shape), by_patch, rtol=1e-4, atol=1e-4)


@options(
  "hresnet", "hresnet, separate stems, joint statistics", "vresnet", "ccnn, separate stems, joint statistics"
)
def test_the_whole_step_and_a_scene_alone_have_equal_logits(changes):
  net = tiny.network(**changes)
  params, stats = tiny.weights(net)
  batch = tiny.batch(net)
  # With the backbone frozen a training batch is normalised as in use.
  together, _ = tiny.train_logits(
    net, params, stats, batch.patches, batch.valid, jax.random.key(0), frozen=("backbone",)
  )
  for scene in range(net.scenes):
    alone = tiny.patch_logits(net, params, stats, batch.patches[scene], np.int32(scene))
    np.testing.assert_allclose(together[scene], alone, rtol=1e-5, atol=1e-5)


@options("hresnet", "ccnn")
def test_classes_that_a_scene_lacks_cannot_win(changes):
  net = tiny.network(**changes)
  params, stats = tiny.weights(net)
  params["heads"]["bias"][1, 2:] = 1e6
  batch = tiny.batch(net)
  logits, _ = tiny.train_logits(net, params, stats, batch.patches, batch.valid, jax.random.key(0), frozen=())
  assert np.isfinite(logits[0]).all()
  assert np.isfinite(logits[1, :, :2]).all()
  assert (np.asarray(logits[1, :, 2:]) == -np.inf).all()
  dense = tiny.dense_logits(net, params, stats, batch.patches[1, 0], np.int32(1))
  assert (np.asarray(dense[..., 2:]) == -np.inf).all()


def test_every_scene_starts_from_its_own_head_and_shares_the_stem():
  params, _ = tiny.init(tiny.network(), jax.random.key(0))
  kernels = np.asarray(params["heads"]["kernel"])
  assert kernels.shape == (2, 3136, 4)
  assert np.std(kernels, axis=(1, 2)) == pytest.approx(0.01, rel=0.03)
  assert np.abs(kernels[0] - kernels[1]).min() > 0
  np.testing.assert_array_equal(params["heads"]["bias"], np.zeros((2, 4)))
  assert params["stem"]["conv"]["kernel"].shape == (64, 3, 3, tiny.BANDS)


def test_without_spectral_knowledge_every_scene_has_its_own_first_convolution():
  net = tiny.network(spectral_knowledge=False)
  params, stats = tiny.init(net, jax.random.key(0))
  kernels = np.asarray(params["stem"]["conv"]["kernel"])
  assert kernels.shape == (2, 64, 3, 3, tiny.BANDS)
  assert np.abs(kernels[0] - kernels[1]).min() > 0
  patches = tiny.batch(net).patches[0]
  before = [tiny.patch_logits(net, params, stats, patches, np.int32(scene)) for scene in range(2)]
  params["stem"]["conv"]["kernel"] = kernels * np.array([1, 2], np.float32).reshape(2, 1, 1, 1, 1)
  after = [tiny.patch_logits(net, params, stats, patches, np.int32(scene)) for scene in range(2)]
  np.testing.assert_array_equal(before[0], after[0])
  assert not np.allclose(before[1], after[1])


def test_a_key_decides_on_the_initial_network():
  net = tiny.network()
  first, same, other = (tiny.init(net, jax.random.key(seed)) for seed in (3, 3, 4))
  assert tiny.equal(first, same)
  assert not tiny.equal(first, other)


@pytest.mark.parametrize(
  ("name", "changes", "message"),
  [
    ("resnet", {}, r"model\.name is 'resnet'; expected one of hresnet, ccnn, vresnet"),
    ("hresnet", {"blocks": 0}, r"model\.blocks is 0; hresnet needs at least one"),
    ("ccnn", {"pool": True}, r"model\.pool is True, but ccnn has no such option; set it to False"),
    ("ccnn", {"blocks": 2}, r"model\.blocks is 2, but ccnn has no such option; set it to 1"),
    (
      "ccnn",
      {"width": 32},
      r"model\.width is 32, but ccnn has no such option; start from a config without it",
    ),
    (
      "hresnet",
      {"patch": 9},
      r"hresnet has no such option; start from a config without it, such as configs/letter\.py",
    ),
  ],
)
def test_impossible_networks_are_refused(name, changes, message):
  with pytest.raises(RequestError, match=message):
    tiny.network(name, **changes)


@options("hresnet", "ccnn, separate stems, joint statistics")
def test_glorots_rule_gives_every_kernel_the_deviation_of_its_fans(changes):
  plain, _ = tiny.init(tiny.network(**changes), jax.random.key(0))
  params, _ = tiny.init(tiny.network(**changes, glorot=True), jax.random.key(0))

  def check(path, before, after):
    if path[-1].key != "kernel":
      np.testing.assert_array_equal(after, before)
    elif path[0].key == "heads":
      fans = after.shape[1] + after.shape[2]
      np.testing.assert_allclose(after, before * (2 / fans) ** 0.5 / 0.01, rtol=1e-6)
    else:
      outputs, size, _, inputs = after.shape[-4:]
      assert after.std() == pytest.approx((2 / (size**2 * (inputs + outputs))) ** 0.5, rel=0.1)

  jax.tree.map_with_path(check, plain, params)


@options("hresnet, separate stems, joint statistics", "ccnn, separate stems, joint statistics")
def test_empty_channels_of_a_scene_are_neither_read_nor_learnt_from(changes):
  net = tiny.network(**changes)
  params, stats = tiny.weights(net)
  batch = tiny.batch(net)
  patches = batch.patches.copy()
  patches[0, ..., 2:] = 0

  def loss(stem):
    logits, _ = tiny.train_logits(
      net, params | {"stem": stem}, stats, patches, batch.valid, jax.random.key(0), frozen=()
    )
    return logits[:, :, 0].sum(), logits

  def other(path, x):
    return x.at[0, ..., 2:].add(7) if path[-1].key == "kernel" else x

  stem = jax.tree.map(jax.numpy.asarray, params["stem"])
  (_, logits), gradient = jax.value_and_grad(loss, has_aux=True)(stem)
  _, same = loss(jax.tree_util.tree_map_with_path(other, stem))
  np.testing.assert_array_equal(same, logits)
  for path, x in jax.tree_util.tree_leaves_with_path(gradient):
    if path[-1].key == "kernel":
      np.testing.assert_array_equal(x[0, ..., 2:], 0)
      assert np.abs(x[0, ..., :2]).max() > 0
      assert np.abs(x[1, ..., 2:]).max() > 0
