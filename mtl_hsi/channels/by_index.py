"""Alignment of scenes with different numbers of bands by the bands' index (see also `by_wavelength.py`).

The alignment of a scene is an integer array `[B]`: the index of the band that each input channel reads.
"""

import numpy as np

from mtl_hsi.errors import RequestError

# Band counts of the letter's two groups of experiments (section III-C and III-D).
ROSIS_BANDS = 103
AVIRIS_BANDS = 160

# "We used bands from 11 to 113 from the AVIRIS data sets when they were involved to train the ROSIS data
# sets", counted from 1.
_AVIRIS_START = 10


def index_bands(available: int, wanted: int | None, sensor: str | None, where: str) -> np.ndarray:
  """Chooses bands by their index, as in the letter (sections III-C and III-D).

  | sensor | 103 bands | 160 bands |
  |---|---|---|
  | ROSIS | all, and the last one again if one is missing | all, and the last ones again, up to 160 |
  | AVIRIS | bands 11 to 113, counted from 1 | the last 160 |

  Args:
    available: the scene's number of bands.
    wanted: input channels B, or None for all bands as they are.
    sensor: "ROSIS", "AVIRIS" or another.
    where: the scene's name, for errors.

  Returns:
    int32 `[B]`, indices from 0 into the scene's bands.

  Raises:
    RequestError: the letter has no rule for this sensor or band count.
  """
  if wanted is None or wanted == available:
    return np.arange(available, dtype=np.int32)
  known = f"scene {where!r} has {available} bands and {wanted} are wanted (config key 'bands')"
  if wanted not in (ROSIS_BANDS, AVIRIS_BANDS) or sensor not in ("ROSIS", "AVIRIS"):
    raise RequestError(
      f"{known}: the letter's rules by index know {ROSIS_BANDS} and {AVIRIS_BANDS} bands of ROSIS and AVIRIS "
      f"scenes, and this scene's sensor is {sensor or 'not known'}; give each scene a band range of equal "
      "length instead, or a new scene on a trained network --config.stem=new"
    )
  if sensor == "ROSIS":
    missing = wanted - available
    if not 0 <= missing <= available:
      raise RequestError(
        f"{known}: a ROSIS scene is only ever lengthened, by at most all its bands once more"
      )
    bands = np.concatenate([np.arange(available), np.arange(available - missing, available)])
  elif wanted == ROSIS_BANDS:
    bands = np.arange(_AVIRIS_START, _AVIRIS_START + wanted)
  else:
    bands = np.arange(available - wanted, available)
  if bands[0] < 0 or bands[-1] >= available:
    raise RequestError(f"{known}: the scene has too few bands")
  return bands.astype(np.int32)


def check_equal_counts(counts: dict[str, int]) -> int:
  """Returns the number of bands that all scenes have in common, by name in `counts`.

  Raises:
    RequestError: two scenes differ; the message has both with their counts.
  """
  (first, reference), *others = counts.items()
  for name, count in others:
    if count != reference:
      raise RequestError(
        f"scene {first!r} has {reference} bands and scene {name!r} has {count}; one network "
        "needs equal counts: give a band range, such as "
        f"--config.files.{name}.bands=0:{min(reference, count)}, or --config.alignment=wavelength, or "
        "a first convolution for every scene by --config.spectral_knowledge=False"
      )
  return reference
