"""One head for several scenes."""

import jax
import numpy as np
import pytest

from mtl_hsi.training import optim, train_step
from mtl_hsi.training.batches import TrainingSet
from mtl_hsi.training.patches import lay_out
from mtl_hsi.training.recipe import Recipe
from tests import tiny

# The first scene has the classes 0, 1 and 2, the second one 3 and 1.
OUTPUTS = ((0, 1, 2), (3, 1))
CHANGES = {"patch": 5, "width": 6, "blocks": 1, "norm_per_scene": False, "class_counts": (3, 2)}
NET = tiny.network("vresnet", **CHANGES, shared_outputs=OUTPUTS)
ABSENT = np.array([[False, False, False, True], [True, False, True, False], [False] * 4])


@pytest.fixture(scope="module")
def weights():
  return tiny.weights(NET)


def test_there_is_one_head_with_an_output_for_every_class(weights):
  params, _ = weights
  assert params["heads"]["kernel"].shape == (1, 6, 4)
  np.testing.assert_array_equal(NET.present, ~ABSENT)


def test_classes_that_a_scene_lacks_are_masked_but_not_in_a_new_scene(weights):
  patches = np.random.default_rng(0).normal(size=(3, 5, 5, tiny.BANDS)).astype(np.float32)
  found = [np.asarray(tiny.patch_logits(NET, *weights, patches, np.int32(scene))) for scene in range(3)]
  for logits, absent in zip(found, ABSENT, strict=True):
    np.testing.assert_array_equal(logits == -np.inf, np.tile(absent, (3, 1)))
    np.testing.assert_array_equal(logits[:, ~absent], found[NET.new_scene][:, ~absent])
  dense = tiny.dense_logits(NET, *weights, patches[0], np.int32(NET.new_scene))
  np.testing.assert_allclose(dense[0, 0], found[2][0], rtol=1e-5, atol=1e-5)


def test_scenes_with_a_shared_head_need_joint_statistics():
  with pytest.raises(ValueError, match="must share the first layer and batch statistics"):
    tiny.network("vresnet", **CHANGES | {"norm_per_scene": True}, shared_outputs=OUTPUTS)


def trained(counts, *, mixed):
  """Trains one epoch of two steps on the first training pixels of both scenes; returns state and patches."""
  generator = np.random.default_rng(1)
  centres = generator.integers(0, 6, (2, 8, 2)).astype(np.int32)
  classes = np.stack([generator.choice(outputs, 8) for outputs in OUTPUTS]).astype(np.int32)
  samples = TrainingSet(centres, classes, np.array(counts, np.int32), np.int32(8))
  recipe = Recipe(
    steps=2, augmentation="symmetries", shift=1, balanced=True, smoothing=0.1, warmup=0.0, decay="none",
    averaging=0.0, jitter=0.0, band_dropout=0.0,
  )  # fmt: skip
  make = optim.optimizer("adamw", {"weight_decay": 0.0})
  run = train_step.make_epoch(NET, make, (), batch_size=5, mixed=mixed, recipe=recipe)
  pixels, _ = lay_out(tiny.layers(), NET.patch)
  arguments = (tiny.phase_start(NET, make, epochs=1), samples, jax.random.key(0), pixels, np.int32(0), 0.01)
  return jax.jit(run)(*arguments, np.int32(2)), jax.make_jaxpr(run)(*arguments, np.int32(2))


@pytest.mark.parametrize("mixed", [False, True], ids=["per scene", "mixed"])
@pytest.mark.parametrize("counts", [(8, 8), (8, 0)])
def test_a_scene_without_samples_has_no_loss_and_no_influence(mixed, counts):
  state, _ = trained(counts, mixed=mixed)
  assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(state))
  assert (np.asarray(state["losses"])[0] > 0).tolist() == [True, counts[1] > 0]
  kernel, before = state["params"]["heads"]["kernel"], tiny.weights(NET)[0]["heads"]["kernel"]
  moved = (np.asarray(kernel) != before).any(axis=(0, 1)).tolist()
  # Only the second scene has the last class.
  assert moved == [True, True, True, counts[1] > 0]


def test_a_mixed_batch_gathers_as_many_patches_as_it_has_samples():
  _, program = trained((8, 8), mixed=True)
  assert "f32[1,5,5,5,3]" in str(program)
  assert "f32[2,5,5,5,3]" not in str(program)
