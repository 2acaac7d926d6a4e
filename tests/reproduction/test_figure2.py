"""Figure 2 as a picture: six maps with their titles in two rows."""

import io

import numpy as np
from PIL import Image

from mtl_hsi.paper import published
from mtl_hsi.report import colours
from mtl_hsi.reproduction import figure2
from mtl_hsi.reproduction.figure2 import Panel
from mtl_hsi.scenes.scene import Scene

LABELS = np.array([[1, 1, 2, 2]] * 6, np.int32)
SCENE = Scene("my_town", np.ones((6, 4, 3)), LABELS, {1: "roof", 2: "road"})


def count(image, colour):
  return int((image == colour).all(axis=-1).sum())


def draw(maps):
  picture = figure2.draw(SCENE, [Panel(column, ids, 50.0, comparable=True) for column, ids in maps])
  with Image.open(io.BytesIO(picture)) as image:
    return np.array(image)


def test_its_columns_are_of_table_1():
  assert set(figure2.COLUMNS) <= set(published.columns_of("PU"))
  assert len(figure2.COLUMNS) == 6


def test_every_map_has_its_place():
  roof, road = colours.class_colour(0), colours.class_colour(1)
  one = draw([("hresnet/single", LABELS)])
  six = draw([(column, LABELS) for column in figure2.COLUMNS])
  # Eight times magnified, beside a legend of one swatch a class.
  assert 12 * 64 <= count(one, roof) <= 12 * 64 + 200
  assert count(six, roof) - count(one, roof) == count(six, road) - count(one, road) == 5 * 12 * 64
  assert six.shape[0] > one.shape[0]
  assert six.shape[1] > 2 * one.shape[1] / 2


def test_the_papers_accuracies_stand_beside_ours_by_letter():
  titles = [Panel(column, LABELS, 70.0, comparable=True).title for column in figure2.COLUMNS]
  assert titles[0] == "(a) HResNet, single task: 70.00 % (in the letter: 75.25 %)"
  printed = ("75.25", "81.03", "79.83", "80.42", "81.45", "80.54")
  for letter, title, accuracy in zip("abcdef", titles, printed):
    assert title.startswith(f"({letter}) ")
    assert title.endswith(f": 70.00 % (in the letter: {accuracy} %)")


def test_they_do_not_stand_beside_another_training():
  title = Panel("hresnet/single", LABELS, 70.0, comparable=False).title
  assert title == "(a) HResNet, single task: 70.00 %"
