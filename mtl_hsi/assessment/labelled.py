"""From a design and a filled-in sample to what the estimators need: labels, strata and what is missing."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from mtl_hsi.assessment.design import STRATIFIED, Design, Stratum
from mtl_hsi.assessment.estimators import Labels, Strata
from mtl_hsi.assessment.sample_files import Answers
from mtl_hsi.errors import RequestError

# Needed for a standard error.
_FEWEST = 2
# Smallest sample of a class that is a stratum after the fact.
_FEWEST_AFTER = 10


class Response(NamedTuple):
  """What became of the units of one stratum of the design: numbers of units.

  Attributes:
    stratum: the stratum.
    labelled: units with a class.
    unsure: units that were marked as unsure.
    missing: units without an answer, before the last one with an answer.
    not_reached: units after that.
  """

  stratum: Stratum
  labelled: int
  unsure: int
  missing: int
  not_reached: int


class Labelled(NamedTuple):
  """A sample that is ready for the estimators.

  Attributes:
    labels: the labelled units.
    strata: strata of the design or, for designs without, strata after the fact.
    names: names of these strata.
    responses: what became of the units of each stratum of the design.
  """

  labels: Labels
  strata: Strata
  names: tuple[str, ...]
  responses: tuple[Response, ...]


def combine(design: Design, answers: Answers, mapped: np.ndarray) -> Labelled:
  """Combines a design with the labels of its units.

  Simple random and systematic samples are stratified after the fact by the classes of the map, whose areas
  are known (Card, Photogrammetric Engineering and Remote Sensing 48, 1982; Olofsson et al. 2014). Classes
  with fewer than 10 labelled units form one stratum.

  Args:
    design: the design.
    answers: the labels.
    mapped: index of the class of every unit in the map that is assessed `[n]`.

  Raises:
    RequestError: a stratum has too few labelled units.
  """
  has_label = answers.labels >= 0
  responses = tuple(_response(stratum, design, answers) for stratum in design.strata)
  if design.design == STRATIFIED:
    groups = [[stratum] for stratum in design.strata]
    ids = design.drawn.strata
  else:
    groups, ids = _after_the_fact(design, has_label), design.drawn.classes
  place = {member.id: index for index, group in enumerate(groups) for member in group}
  stratum = np.array([place[i] for i in ids.tolist()])[has_label]
  _check(groups, stratum)
  areas = np.array([sum(member.area for member in group) for group in groups])
  units = np.array([sum(member.units for member in group) for group in groups])
  return Labelled(
    Labels(stratum, mapped[has_label], answers.labels[has_label], design.drawn.areas[has_label]),
    Strata(areas / areas.sum(), units),
    tuple(" and ".join(member.name for member in group) for group in groups),
    responses,
  )


def assumptions(design: Design, labelled: Labelled) -> list[str]:
  """Returns a sentence for everything that the estimates assume of this sample."""
  found = []
  unsure, missing, later = (
    sum(getattr(response, key) for response in labelled.responses)
    for key in ("unsure", "missing", "not_reached")
  )
  if unsure + missing:
    found.append(
      f"{unsure} units are marked as unsure and {missing} have no class. They are left out, as if their "
      "classes were distributed like those of the labelled units of their stratum. If they are harder to "
      "tell than others, the accuracies are too high."
    )
  if later:
    found.append(
      f"Labelling stopped {later} units before the end. That assumes nothing, because the order is random, "
      "unless the result decided when to stop."
    )
  if design.design == "systematic":
    found.append(
      "A systematic sample has no unbiased standard error. Those given are those of a random sample, which "
      "are usually too large, unless the landscape repeats at the distance of the grid."
    )
  if design.design != STRATIFIED:
    listed = "; ".join(labelled.names)
    found.append(f"The units are stratified after the fact by the class in the map: {listed}.")
  if trained := design.left_out.get("training"):
    found.append(f"All figures hold without {trained} pixels in units that trained.")
  if outside := design.left_out.get("outside_strata"):
    found.append(f"All figures hold without {outside} pixels that are in no stratum.")
  if design.unit_side > 1:
    found.append(f"All figures are of squares of {design.unit_side} pixels, by the class with most pixels.")
  return found


def _response(stratum: Stratum, design: Design, answers: Answers) -> Response:
  inside = design.drawn.strata == stratum.id
  reached = np.arange(len(inside)) < answers.reached
  has_label = answers.labels >= 0
  parts = has_label, answers.unsure, ~has_label & ~answers.unsure & reached, ~reached
  return Response(stratum, *(int((inside & part).sum()) for part in parts))


def _after_the_fact(design: Design, has_label: np.ndarray) -> list[list[Stratum]]:
  """Groups the classes of the map so that every group has enough labelled units."""
  number = _counts(design.drawn.classes[has_label], design.classes)
  ordered = sorted(design.classes, key=lambda member: (number[member.id], member.id))
  few: list[Stratum] = []
  while ordered and (
    number[ordered[0].id] < _FEWEST_AFTER
    or (few and sum(number[member.id] for member in few) < _FEWEST_AFTER)
  ):
    few.append(ordered.pop(0))
  groups = [[member] for member in sorted(ordered, key=lambda member: member.id)]
  return groups + ([few] if few else [])


def _counts(ids: np.ndarray, members: Sequence[Stratum]) -> Mapping[int, int]:
  return {member.id: int((ids == member.id).sum()) for member in members}


def _check(groups: Sequence[Sequence[Stratum]], stratum: np.ndarray) -> None:
  for index, group in enumerate(groups):
    labelled, units = int((stratum == index).sum()), sum(member.units for member in group)
    if labelled < min(_FEWEST, units):
      names = " and ".join(f"{member.id} ({member.name!r})" for member in group)
      raise RequestError(
        f"stratum {names} has {labelled} labelled {'unit' if labelled == 1 else 'units'}; label at least "
        f"{min(_FEWEST, units)} in each stratum"
      )
