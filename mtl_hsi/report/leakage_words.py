"""What a split's leakage means, in words."""

# Share of test pixels from which on the reader is warned.
_HIGH = 0.1


def warning(given: bool) -> str:
  """What high shares mean, and what to do; plain text.

  Args:
    given: whether the user said which pixels are tested.
  """
  usual = "" if given else ", as with most random splits"
  advice = "test labels farther from those for training keep" if given else "split=blocks keeps"
  return (
    f"Warning: the network has seen the surroundings of test pixels in training{usual}, and the accuracy "
    f"overestimates what to expect of new ground; {advice} their patches apart."
  )


def is_high(leakage: float, overlap: float | None) -> bool:
  """Whether a `warning` is due."""
  return max(leakage, overlap or 0) >= _HIGH


def words(leakage: float, overlap: float | None, reach: int = 0) -> str:
  """Returns what the shares say, in a sentence or two; plain text.

  Args:
    leakage: share of test pixels whose patch holds a training pixel.
    overlap: share of those whose patch overlaps a training patch, or None.
    reach: pixels over which the map is smoothed, 0 where it is not.
  """
  text = _shares(leakage, overlap)
  if reach:
    text += f" Smoothing carries what the network says of trained ground up to {reach} pixels further."
  return text


def _shares(leakage, overlap):
  if leakage == 0 and not overlap:
    text = "No test pixel has a training pixel within its patch"
    return f"{text}, and no test patch overlaps a training patch." if overlap == 0 else f"{text}."
  text = f"{100 * leakage:.1f} % of the test pixels have a training pixel within their patch"
  if overlap is not None:
    text += f", and the patches of {100 * overlap:.1f} % overlap a training patch"
  return f"{text}."
