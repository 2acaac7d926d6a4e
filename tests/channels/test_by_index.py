"""The letter's rules from every scene's bands to the network's input channels."""

import numpy as np
import pytest

from mtl_hsi.channels import by_index
from mtl_hsi.errors import RequestError

# Bands counted from 0, as the letter's section III-C and III-D has them counted from 1.
RULES = {
  ("indian_pines", "AVIRIS", 200, 103): [*range(10, 113)],
  ("salinas", "AVIRIS", 204, 103): [*range(10, 113)],
  ("pavia_university", "ROSIS", 103, 103): [*range(103)],
  ("pavia_centre", "ROSIS", 102, 103): [*range(102), 101],
  ("indian_pines", "AVIRIS", 200, 160): [*range(40, 200)],
  ("salinas", "AVIRIS", 204, 160): [*range(44, 204)],
  ("pavia_university", "ROSIS", 103, 160): [*range(103), *range(46, 103)],
  ("pavia_centre", "ROSIS", 102, 160): [*range(102), *range(44, 102)],
}


@pytest.mark.parametrize(("case", "expected"), RULES.items(), ids=lambda case: "-".join(map(str, case[:4])))
def test_bands_of_the_paper(case, expected):
  name, sensor, available, wanted = case
  bands = by_index.index_bands(available, wanted, sensor, name)
  assert bands.dtype == np.int32
  assert bands.tolist() == expected
  assert len(bands) == wanted


@pytest.mark.parametrize(("available", "appended"), [(103, 57), (102, 58)])
def test_rosis_scenes_append_their_last_bands_once_more(available, appended):
  bands = by_index.index_bands(available, 160, "ROSIS", "pavia")
  assert bands[available - 1] == bands[-1] == available - 1
  assert bands[available] == available - appended


@pytest.mark.parametrize("wanted", [None, 57])
def test_a_scene_with_the_wanted_number_of_bands_stays_as_it_is(wanted):
  assert by_index.index_bands(57, wanted, None, "field").tolist() == [*range(57)]


@pytest.mark.parametrize(
  ("available", "wanted", "sensor", "message"),
  [
    (200, 120, "AVIRIS", "has 200 bands and 120 are wanted.*know 103 and 160 bands"),
    (120, 103, "Hyperion", "this scene's sensor is Hyperion; give each scene a band range"),
    (120, 103, None, "this scene's sensor is not known"),
    (115, 103, "ROSIS", "only ever lengthened"),
    (79, 160, "ROSIS", "at most all its bands once more"),
    (112, 103, "AVIRIS", "too few bands"),
    (159, 160, "AVIRIS", "too few bands"),
  ],
)
def test_bands_without_a_rule_are_refused(available, wanted, sensor, message):
  with pytest.raises(RequestError, match=f"scene 'field'.*{message}"):
    by_index.index_bands(available, wanted, sensor, "field")


def test_the_shortest_scenes_that_the_rules_can_serve():
  assert by_index.index_bands(80, 160, "ROSIS", "field").tolist() == [*range(80), *range(80)]
  assert by_index.index_bands(113, 103, "AVIRIS", "field")[-1] == 112


def test_unequal_band_counts_are_refused_with_both_names():
  counts = {"fields": 200, "town": 200, "coast": 103}
  with pytest.raises(
    RequestError, match=r"'fields' has 200 bands and scene 'coast' has 103.*coast\.bands=0:103"
  ):
    by_index.check_equal_counts(counts)


def test_equal_band_counts_are_the_networks_input():
  assert by_index.check_equal_counts({"fields": 103, "town": 103}) == 103
