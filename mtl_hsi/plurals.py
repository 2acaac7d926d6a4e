"""Nouns after numbers: "1 class", "2 classes"."""


def noun(number: float, singular: str, plural: str = "") -> str:
  """Returns the form of a noun that fits a number; without `plural`, the plural has an added s."""
  return singular if number == 1 else plural or f"{singular}s"
