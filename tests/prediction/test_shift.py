"""How far an image is from the scene in training."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from mtl_hsi.prediction import shift
from mtl_hsi.scenes.images.image import Image
from tests.tiny import inputs_by

RANGES = np.array([[0, 0], [1, 1], [3, 1]], np.float32)


def scene(**changes):
  inputs = dataclasses.replace(inputs_by(np.array([2, 0]), 10.0, 3), ranges=RANGES, **changes)
  return SimpleNamespace(name="fields", inputs=inputs, wavelengths=np.array([450.0, 550.0, 650.0]))


def test_pixels_outside_are_counted_and_medians_compared():
  values = np.array([[2, 1], [2, 0.5], [4, 2], [2, -1]])
  found = shift.compare(values, RANGES)
  assert found.outside == 0.5
  np.testing.assert_array_equal(found.by_channel, [0.25, 0.5])
  # The second median, 0.75, is a quarter of the way to the low end.
  np.testing.assert_array_equal(found.moved, [0.5, -0.25])
  # A channel that never varied in training has no unit.
  assert shift.compare(np.add(values, [0, 9]), RANGES).moved[1] == 1


@pytest.mark.parametrize(("value", "far"), [(5, False), (40, True)])
def test_one_line_tells_of_the_image_and_advises_if_it_is_far(tmp_path, value, far):
  image = np.full((4, 5, 3), 5, np.uint8)
  image[..., 2] = value
  image[0] = 255
  np.save(tmp_path / "a.npy", image)
  found = shift.measure(Image.open(tmp_path / "a.npy", nodata=255), scene())
  assert found.outside == far
  text = shift.sentence(found, scene())
  assert text.startswith(f"{100 * far}% of the pixels are outside the range of 'fields' in training")
  assert ("most in band 2 (650 nm) (100%)" in text) == far
  assert "\n" not in text
  assert shift.table(found, scene()).decode().splitlines() == [
    "channel,outside_percent,median_moved",
    f"any,{100 * far:.2f},",
    f"band 2 (650 nm),{100 * far:.2f},{(value / 10 - 1) / (2 if far else 1):.3f}",
    "band 0 (450 nm),0.00,-0.500",
  ]


def test_nothing_is_said_without_ranges_or_measurements(tmp_path):
  np.save(tmp_path / "a.npy", np.zeros((4, 5, 3)))
  assert shift.measure(Image.open(tmp_path / "a.npy", nodata=0), scene()) is None
  unknown = dataclasses.replace(scene().inputs, ranges=None)
  assert shift.measure(Image.open(tmp_path / "a.npy"), SimpleNamespace(inputs=unknown)) is None


def test_a_large_image_is_sampled_up_to_its_edges():
  places = shift._sample(3000, 40)
  assert len(places) == 5
  assert [places[index][0] for index in (0, -1)] == [slice(0, 64), slice(2936, 3000)]
  assert all(place[1] == slice(0, 40) for place in places)
  assert shift._sample(300, 40) == [(slice(0, 300), slice(0, 40))]


def test_channels_have_names():
  components = np.zeros((2, 2), np.float32)
  assert shift.channel_names(scene(components=components))[2:] == ["MNF component 1", "MNF component 2"]
  assert shift.channel_names(scene(weights=np.eye(2)))[0] == "common band 0"
  unknown = SimpleNamespace(inputs=scene().inputs, wavelengths=None)
  assert shift.channel_names(unknown) == ["band 2", "band 0"]
