"""What accuracies on left-out labels mean, in words."""

from collections.abc import Mapping

from mtl_hsi.report import experts
from mtl_hsi.splits.units import FEATURES

_EXPLAINED = {FEATURES: f"{FEATURES} (polygons, lines or points)"}


def of_map(mixture: Mapping | None) -> str:
  """Returns a sentence on the experts of the map.

  Args:
    mixture: of the scene, as in `metrics.json`; None if there are only networks.
  """
  if mixture is None:
    return "The map was made by networks that trained on all labels."
  *names, last = (f"the {row.name}" for row in experts.summarise(mixture).rows if row.weight > 0)
  listed = f"{', '.join(names)} and {last}" if names else last
  return f"The map was made by {listed}, trained on all labels."


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


def measured_on(left_out: Mapping) -> str:
  """Returns the left-out labels in short, as the end of a sentence that starts with an accuracy."""
  pixels, kind = left_out["pixels"], left_out["kind"]
  if left_out.get("whole_scene"):
    return f"on {pixels:,} labelled pixels, by networks that saw no label of this scene"
  return f"on {pixels:,} labelled pixels of {left_out['units']:,} {kind} that were left out in turn"
