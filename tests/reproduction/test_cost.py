"""The arithmetic of an experiment, counted by hand."""

import numpy as np
import pytest

from mtl_hsi.models.registry import make_network
from mtl_hsi.reproduction import cost

OPTIONS = {
  "spectral_knowledge": True,
  "norm_per_scene": True,
  "blocks": 1,
  "pool": False,
  "glorot": False,
  "convolution": "products",
}


def network(name, bands, *classes):
  return make_network(name, bands=bands, class_counts=classes, **OPTIONS)


def test_size_counts_pixels_of_every_class():
  size = cost.size(np.array([[0, 4, 4], [9, 4, 0]]))
  assert size == (6, (3, 1))
  assert size.training_pixels(2) == 3


# Multiplications for one patch: first convolution at 49 positions, two of 64 x 64, the head on 3136 features.
HRESNET = 49 * 9 * 160 * 64 + 2 * 49 * 9 * 64 * 64 + 3136 * 16
# 1x1 at 25 positions, 3x3 at 9, 5x5 at one; 384 to 128, seven times 128 to 128, the head.
CCNN = (25 + 9 * 9 + 25) * 160 * 128 + 384 * 128 + 7 * 128 * 128 + 128 * 16


@pytest.mark.parametrize(("name", "multiplications"), [("hresnet", HRESNET), ("ccnn", CCNN)])
def test_training(name, multiplications):
  # 4 mirror images of 30 pixels in batches of 20: 6 steps of 20 patches, three passes, two epochs.
  flop = cost.training(network(name, 160, 16), [30], batch_size=20, mixed=False, drop_last=False, epochs=2)
  assert flop == 2 * multiplications * 3 * 6 * 20 * 2


def test_training_of_a_number_of_steps():
  options = {"batch_size": 20, "mixed": False, "drop_last": False, "epochs": 2}
  few, many = (cost.training(network("ccnn", 160, 16), [n], **options, steps=7) for n in (5, 500))
  assert few == many == 2 * CCNN * 3 * 7 * 20 * 2


# Multiplications of VResNet for one patch: 1x1 at 49 positions, 3x3 at 25 and at 9, the head.
VRESNET = 49 * 160 * 8 + (25 + 9) * 9 * 8 * 8 + 8 * 16


def test_training_of_a_network_of_valid_convolutions():
  net = make_network("vresnet", bands=160, class_counts=(16,), **{**OPTIONS, "blocks": 2}, patch=7, width=8)
  flop = cost.training(net, [5], batch_size=20, mixed=False, drop_last=False, epochs=1, steps=3)
  assert flop == 2 * VRESNET * 3 * 3 * 20


def test_classification_counts_every_row_of_a_region():
  net = make_network("vresnet", bands=160, class_counts=(16,), **{**OPTIONS, "blocks": 2}, patch=7, width=8)
  # In a tile of 32 x 32 pixels: 1x1 at 38 x 38 positions, 3x3 at 36 x 36 and at 34 x 34, and so the head.
  tile = 38**2 * 160 * 8 + (36**2 + 34**2) * 9 * 8 * 8 + 34**2 * 8 * 16
  assert cost.classification(net, 100, 2) == pytest.approx(2 * tile / 32**2 * 100 * 2)


def test_every_scene_takes_as_many_steps_as_the_longest():
  flop = cost.training(
    network("ccnn", 160, 16, 16), [30, 5], batch_size=20, mixed=False, drop_last=False, epochs=2
  )
  assert flop == 2 * CCNN * 3 * 6 * 40 * 2


def test_classification_is_proportional_to_pixels_and_snapshots():
  net = network("hresnet", 5, 3)
  one = cost.classification(net, 100, 1)
  # Dense: less than patch by patch, more than the first convolution alone.
  assert 100 * 2 * 9 * 5 * 64 < one < 100 * 2 * (49 * 9 * 5 * 64 + 2 * 49 * 9 * 64 * 64)
  assert cost.classification(net, 200, 5) == pytest.approx(10 * one)


def test_svm_grows_with_the_square_of_its_training_set():
  small, large = (cost.svm(cost.Size(0, (100,) * 4), n, 160) for n in (5, 10))
  assert large == pytest.approx(4 * small)


def test_speed_is_that_of_a_machine():
  assert 1e8 < cost.expected_speed() < 1e16
