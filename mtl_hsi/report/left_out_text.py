"""What accuracies on left-out labels mean, in words."""

from collections.abc import Mapping

from mtl_hsi.splits.units import FEATURES

MAP = "The map is by networks that trained on all labels."

_EXPLAINED = {FEATURES: f"{FEATURES} (polygons, lines or points)"}


def describe(left_out: Mapping) -> str:
  """Returns what was left out and what the interval resamples, as plain text.

  Args:
    left_out: `kind` of the units (plural), number of `folds` and `units`, as in `metrics.json`; with
      `whole_scene`, the scene itself was left out.
  """
  kind = left_out["kind"]
  if left_out.get("whole_scene"):
    return (
      f"Accuracy by networks that saw no label of this scene, on {left_out['units']:,} {kind}; the interval "
      f"resamples {kind}."
    )
  return (
    f"Accuracy on the labels of {_EXPLAINED.get(kind, kind)} that were left out: {left_out['folds']} folds, "
    f"{left_out['units']:,} {kind}; the interval resamples {kind}."
  )
