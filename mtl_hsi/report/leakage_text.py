"""What the leakage of a split means, in words."""

from mtl_hsi.plurals import noun

# Share of test pixels from which the reader is warned.
_HIGH = 0.1


def is_high(leakage: float, overlap: float | None) -> bool:
  """Returns whether a `warning` is due."""
  return max(leakage, overlap or 0) >= _HIGH


def warning(test_given: bool) -> str:
  """Returns what a high leakage means and what to do, as plain text.

  Args:
    test_given: whether the user chose the test pixels.
  """
  farther = "choose test labels farther from the training labels"
  advice = farther if test_given else "use --config.split=blocks"
  return (
    "Warning: test pixels lie close to training pixels, so this accuracy is too optimistic for unlabelled "
    f"areas; {advice}."
  )


def describe(leakage: float, overlap: float | None, smoothing_radius: int = 0) -> str:
  """Returns the leakage in one or two sentences, as plain text.

  Args:
    leakage: share of test pixels with a training pixel in their patch.
    overlap: share of test pixels whose patch overlaps a training patch, or None.
    smoothing_radius: distance in pixels over which the map is smoothed, 0 without smoothing.
  """
  text = _shares(leakage, overlap)
  if smoothing_radius:
    text += (
      f" Map smoothing can also carry information from training areas up to {smoothing_radius} "
      f"{noun(smoothing_radius, 'pixel')} away."
    )
  return text


def _shares(leakage: float, overlap: float | None) -> str:
  if leakage == 0 and not overlap:
    text = "No test pixel has a training pixel in its patch"
    return f"{text}, and no test patch overlaps a training patch." if overlap == 0 else f"{text}."
  text = f"{100 * leakage:.1f}% of the test pixels have a training pixel in their patch"
  if overlap is not None:
    text += f", and the patches of {100 * overlap:.1f}% overlap a training patch"
  return f"{text}."
