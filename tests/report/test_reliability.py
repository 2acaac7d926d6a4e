import pytest

from mtl_hsi.report import reliability


def diagram(before, after):
  bins = [
    [dict(zip(("confidence", "accuracy", "pixels"), entry, strict=True)) for entry in entries]
    for entries in (before, after)
  ]
  return reliability.diagram({"reliability_before": bins[0], "reliability_after": bins[1]})


def test_bins_are_drawn_at_their_confidence_and_accuracy():
  drawn = diagram([(0.0, 0.0, 5), (0.5, 1.0, 5)], [(1.0, 0.5, 5)])
  middle = (reliability.LEFT + reliability.RIGHT) / 2
  assert [point[:2] for point in drawn.before.points] == [
    (reliability.LEFT, reliability.BOTTOM),
    (middle, reliability.TOP),
  ]
  assert drawn.before.line == f"M52.0,264.0L{middle},8.0"
  assert drawn.after.points[0][:2] == (reliability.RIGHT, (reliability.TOP + reliability.BOTTOM) / 2)


def test_bins_with_more_pixels_have_larger_points_on_one_scale():
  drawn = diagram([(0.2, 0.2, 1), (0.5, 0.5, 25)], [(0.5, 0.5, 100)])
  radii = [radius for series in (drawn.before, drawn.after) for *_, radius in series.points]
  assert radii == pytest.approx([2.35, 3.75, 5.5], abs=0.06)


def test_the_frame_is_square_and_has_equal_ticks():
  drawn = diagram([], [])
  assert reliability.RIGHT - reliability.LEFT == reliability.BOTTOM - reliability.TOP
  assert [label for _, label in drawn.across] == [label for _, label in drawn.up]
  assert (drawn.across[0][0], drawn.up[0][0]) == (reliability.LEFT, reliability.BOTTOM)
  assert (drawn.across[-1][0], drawn.up[-1][0]) == (reliability.RIGHT, reliability.TOP)


def test_a_diagram_without_bins_is_empty():
  drawn = diagram([], [])
  assert (drawn.before.line, drawn.before.points) == ("", [])
