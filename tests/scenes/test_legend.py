"""Which output stands for which class of a scene."""

import numpy as np
import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.legend import make_legend, notes, outputs_of

NORTH, SOUTH, EAST = {4: "soil", 1: "grass"}, {2: "soil", 7: "water", 9: "grass"}, {3: "water", 4: "grass"}
SCENES = {"north": NORTH, "south": SOUTH, "east": EAST}


def shared(**scenes):
  return make_legend(scenes or SCENES, shared=True)


def test_separate_scenes_have_an_output_for_each_class_in_the_order_of_ids():
  legend = make_legend(SCENES, shared=False)
  assert legend.outputs() is None
  assert legend.class_ids("north").tolist() == [1, 4]
  assert legend.class_names("south") == SOUTH


def test_names_share_an_output_in_the_order_in_which_they_occur():
  legend = shared()
  assert legend.names == ("grass", "soil", "water")
  assert legend.outputs() == ((0, 1), (1, 2, 0), (2, 0))


def test_classes_that_a_scene_lacks_get_the_id_of_another_scene_or_a_new_one():
  legend = shared()
  assert legend.class_ids("north").tolist() == [1, 4, 7]
  # Id 4 of soil is grass here, so soil gets the number after all ids.
  assert legend.class_names("east") == {4: "grass", 10: "soil", 3: "water"}


def test_ids_become_outputs_and_outputs_ids():
  ids = shared().class_ids("south")
  labels = np.array([[9, 2], [7, 9]], np.int32)
  outputs = outputs_of(ids, labels)
  assert outputs.tolist() == [[0, 1], [2, 0]]
  np.testing.assert_array_equal(ids[outputs], labels)


def test_outputs_of_another_shared_legend():
  other = shared(meadow={1: "water", 2: "rock"})
  assert other.positions_in(shared()).tolist() == [2, -1]
  assert other.positions_in(make_legend(SCENES, shared=False)) is None


def test_a_name_twice_in_one_scene_is_refused():
  with pytest.raises(
    RequestError, match="scene 'north': classes 1 and 3 are both named 'grass'; with legend="
  ):
    shared(north={1: "grass", 2: "soil", 3: "grass"})


def test_names_in_two_spellings_are_warned_of():
  (warning,) = notes(shared(a={1: "Bare soil", 2: "x"}, b={1: "bare_soil", 2: "x"}, c={1: "x"}))
  assert warning.startswith("warning: the classes 'Bare soil' (a) and 'bare_soil' (b) count as two")


def test_nothing_in_common_and_classes_without_names_are_noted():
  (nothing,) = notes(shared(a={1: "x", 2: "y"}, b={1: "z", 2: "w"}))
  assert nothing == "warning: legend=shared, but no two scenes have a class of the same name"
  (unnamed,) = notes(shared(a={1: "class 1", 2: "x"}, b={1: "class 1", 2: "x"}))
  assert unnamed.startswith("note: classes without names are shared by their ids (class 1)")
  assert not list(notes(make_legend(SCENES, shared=False)))
