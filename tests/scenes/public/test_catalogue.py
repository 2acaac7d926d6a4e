"""Facts about the public scenes and the check that a scene is one of them."""

import dataclasses
import re

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.public.catalogue import PUBLIC_SCENES
from mtl_hsi.scenes.public.verification import check_content
from mtl_hsi.scenes.scene import Scene


def _labels(facts):
  """A label image with the scene's pixel counts."""
  rows, columns, _ = facts.shape
  labels = np.zeros(rows * columns, np.int32)
  ids = np.repeat(np.arange(1, len(facts.class_counts) + 1), facts.class_counts)
  labels[: len(ids)] = ids
  return labels.reshape(rows, columns)


def _scene(facts, labels, shape=None):
  return Scene(
    name=facts.name,
    cube=np.broadcast_to(np.uint8(1), shape or facts.shape),
    labels=labels,
    class_names={label: f"class {label}" for label in np.unique(labels[labels > 0]).tolist()},
  )


@pytest.mark.parametrize(
  ("name", "short_name", "sensor", "classes", "labelled"),
  [
    ("indian_pines", "in", "AVIRIS", 16, 10_249),
    ("salinas", "sa", "AVIRIS", 16, 54_129),
    ("pavia_university", "pu", "ROSIS", 9, 42_776),
    ("pavia_centre", "pc", "ROSIS", 9, 148_152),
  ],
)
def test_classes_and_pixels_add_up(name, short_name, sensor, classes, labelled):
  facts = PUBLIC_SCENES[name]
  assert (facts.name, facts.short_name, facts.sensor) == (name, short_name, sensor)
  assert len(set(facts.class_names)) == len(facts.class_counts) == classes
  assert sum(facts.class_counts) == labelled
  assert max(facts.false_colour_bands) < facts.shape[2]


def test_files_are_distinct_and_the_publisher_comes_first():
  files = [file for facts in PUBLIC_SCENES.values() for file in (facts.cube, facts.labels)]
  for field in ("filename", "key", "sha256"):
    assert len({getattr(file, field) for file in files}) == 8
  for file in files:
    assert re.fullmatch("[0-9a-f]{64}", file.sha256)
    assert file.urls[0].startswith("https://www.ehu.eus/ccwintco/uploads/")
    assert len(file.urls) >= 2
    assert all(url.startswith("https://") and url.endswith(f"/{file.filename}") for url in file.urls)


@pytest.mark.parametrize("facts", PUBLIC_SCENES.values(), ids=lambda facts: facts.name)
def test_the_scene_itself_passes(facts):
  check_content(_scene(facts, _labels(facts)), facts)


@pytest.mark.parametrize("name", ["salinas", "pavia_university", "pavia_centre"])
def test_the_real_label_images_pass(real_data, name):
  facts = PUBLIC_SCENES[name]
  with np.load(real_data / "labels_full.npz") as images:
    check_content(_scene(facts, images[name].astype(np.int32)), facts)


def test_another_band_count_is_named():
  facts = PUBLIC_SCENES["indian_pines"]
  with pytest.raises(RequestError, match="145 x 145 x 220, expected 145 x 145 x 200"):
    check_content(_scene(facts, _labels(facts), shape=(145, 145, 220)), facts)


def test_one_pixel_too_few_is_named():
  facts = PUBLIC_SCENES["indian_pines"]
  labels = _labels(facts)
  labels[np.unravel_index(np.argmax(labels == 9), labels.shape)] = 0
  with pytest.raises(RequestError, match=r"19 pixels of class 9 \(Oats\) in the label image, expected 20"):
    check_content(_scene(facts, labels), facts)


def test_the_first_of_several_differences_is_named():
  facts = PUBLIC_SCENES["indian_pines"]
  labels = _labels(facts)
  labels[labels == 9] = 12
  with pytest.raises(RequestError, match=r"0 pixels of class 9 \(Oats\)"):
    check_content(_scene(facts, labels), facts)


def test_a_class_too_many_is_named():
  facts = PUBLIC_SCENES["pavia_centre"]
  labels = _labels(facts)
  labels[-1, -1] = 10
  with pytest.raises(RequestError, match="1 pixels of class 10 in the label image, expected 0"):
    check_content(_scene(facts, labels), facts)


def test_another_scene_is_refused_with_the_page_to_get_the_right_one():
  facts = PUBLIC_SCENES["salinas"]
  wrong = dataclasses.replace(facts, class_counts=facts.class_counts[::-1])
  with pytest.raises(
    RequestError, match=r"not the public files of Salinas; download them again from https://www.ehu"
  ):
    check_content(_scene(facts, _labels(wrong)), facts)
