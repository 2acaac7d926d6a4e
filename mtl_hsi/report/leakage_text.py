"""What the leakage of a split means, in words."""

from mtl_hsi.plurals import noun

# Share of test pixels from which the reader is warned.
_HIGH = 0.1


def is_high(leakage: float, overlap: float | None) -> bool:
  """Returns whether a `warning` is due."""
  return max(leakage, overlap or 0) >= _HIGH


def warning(test_given: bool, left_out: bool = False) -> str:
  """Returns what a high leakage means and what to do, as plain text.

  Args:
    test_given: whether the user chose the test pixels.
    left_out: whether the test pixels are the labels that folds leave out.
  """
  if left_out:
    tested = "left-out labels lie close to training labels"
    advice = "use --config.fold_buffer=<pixels> to keep them apart, or --config.fold_units=blocks"
  else:
    tested = "test pixels lie close to training pixels"
    farther = "choose test labels farther from the training labels"
    advice = farther if test_given else "use --config.split=blocks"
  return f"Warning: {tested}, so this accuracy is too optimistic for unlabelled areas; {advice}."


def describe(leakage: float, overlap: float | None, smoothing_radius: int = 0, left_out: bool = False) -> str:
  """Returns the leakage in one or two sentences, as plain text.

  Args:
    leakage: share of test pixels with a training pixel in their patch.
    overlap: share of test pixels whose patch overlaps a training patch, or None.
    smoothing_radius: distance in pixels over which the map is smoothed, 0 without smoothing.
    left_out: whether the test pixels are the labels that folds leave out.
  """
  text = _shares(leakage, overlap, "left-out" if left_out else "test")
  if smoothing_radius:
    text += (
      f" Map smoothing can also carry information from training areas up to {smoothing_radius} "
      f"{noun(smoothing_radius, 'pixel')} away."
    )
  return text


def _shares(leakage: float, overlap: float | None, kind: str) -> str:
  if leakage == 0 and not overlap:
    text = f"No {kind} pixel has a training pixel in its patch"
    return f"{text}, and no {kind} patch overlaps a training patch." if overlap == 0 else f"{text}."
  text = f"{100 * leakage:.1f}% of the {kind} pixels have a training pixel in their patch"
  if overlap is not None:
    text += f", and the patches of {100 * overlap:.1f}% overlap a training patch"
  return f"{text}."
