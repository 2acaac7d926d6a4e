"""Phases and snapshots, counted by hand."""

import pytest

from mtl_hsi.errors import RequestError
from mtl_hsi.training.schedule import Phase, Schedule

FIRST = Phase("phase1", 100, 1.0, ())
SECOND = Phase("phase2", 30, 0.1, ())


def test_the_authors_snapshots_follow_the_last_phase_and_prolong_it():
  schedule = Schedule((FIRST, SECOND), (2, 4, 6, 8, 10))
  assert schedule.epochs == 140
  assert schedule.snapshot_epochs == (132, 134, 136, 138, 140)
  assert schedule.spans == ((FIRST, 0, 100), (SECOND, 100, 40))


def test_snapshots_within_the_papers_epochs():
  schedule = Schedule((FIRST, SECOND), (-8, -6, -4, -2, 0))
  assert schedule.epochs == 130
  assert schedule.snapshot_epochs == (122, 124, 126, 128, 130)
  assert schedule.spans == ((FIRST, 0, 100), (SECOND, 100, 30))


def test_training_goes_to_the_end_of_the_last_phase_whatever_the_snapshots():
  assert Schedule((FIRST, SECOND), (-129, -10)).epochs == 130


def test_every_epoch_belongs_to_one_span():
  schedule = Schedule((FIRST, SECOND), (2, 10))
  spans = [schedule.span_at(epoch) for epoch in (0, 99, 100, 129, 139)]
  assert spans == [(FIRST, 0, 100)] * 2 + [(SECOND, 100, 40)] * 3


def test_a_phase_equal_to_the_one_before_has_a_span_of_its_own():
  schedule = Schedule((FIRST, Phase("phase1", 100, 1.0, ())), (0,))
  assert [schedule.span_at(epoch).first for epoch in (0, 99, 100, 199)] == [0, 0, 100, 100]


@pytest.mark.parametrize(
  ("epochs", "frozen", "message"),
  [
    (0, (), r"phases\.adapt\.epochs is 0"),
    (
      1,
      ("steam",),
      r"phases\.adapt\.frozen names \['steam'\]; the parameter groups are stem, backbone, heads",
    ),
    (1, ("heads", "stem", "backbone"), r"phases\.adapt\.frozen names every parameter group"),
  ],
)
def test_impossible_phases_are_refused(epochs, frozen, message):
  with pytest.raises(RequestError, match=message):
    Phase("adapt", epochs, 1.0, frozen)


@pytest.mark.parametrize(
  ("phases", "snapshots", "message"),
  [
    ((), (0,), "phases is empty"),
    ((FIRST,), (), "snapshots is .*expected ascending epochs, at least one"),
    ((FIRST,), (2, 1), "expected ascending"),
    ((FIRST,), (1, 1), "expected ascending"),
    ((FIRST,), (-100, 0), "snapshots starts 100 epochs before the end"),
  ],
)
def test_impossible_schedules_are_refused(phases, snapshots, message):
  with pytest.raises(RequestError, match=message):
    Schedule(phases, snapshots)
