"""Band centres and widths of the sensors of the public scenes."""

import dataclasses
import functools
import importlib.resources

import numpy as np

from mtl_hsi.errors import RequestError

_ROSIS_COUNTS = {"pavia_university": 103, "pavia_centre": 102}
_ROSIS_RANGE_NM = (430.0, 860.0)
_ROSIS_BANDS = 103


@dataclasses.dataclass(frozen=True, eq=False)
class Sensor:
  """An imaging spectrometer.

  Attributes:
    name: short name such as "AVIRIS".
    centres: band centres in nm, float64 `[B]`; not monotonic where detectors overlap.
    widths: full widths at half maximum in nm, float64 `[B]`, positive.

  Raises:
    RequestError: centres and widths are not two equally long lists of finite, positive values.
  """

  name: str
  centres: np.ndarray
  widths: np.ndarray

  def __post_init__(self):
    centres, widths = np.shape(self.centres), np.shape(self.widths)
    if len(centres) != 1 or centres != widths:
      raise RequestError(
        f"sensor {self.name!r}: {np.size(self.centres)} band centres and {np.size(self.widths)} widths; "
        "give two equally long lists in nm"
      )
    if not (np.isfinite(self.centres).all() and np.isfinite(self.widths).all() and np.min(self.widths) > 0):
      raise RequestError(f"sensor {self.name!r}: centres and widths in nm must be finite, widths positive")


def indian_pines_bands() -> tuple[np.ndarray, np.ndarray]:
  """Returns centres and widths in nm, float64 `[200]` each, of Indian Pines without water-vapour bands.

  The centres step back by 10 nm at two of the instrument's detector joins. Source: 92AV3C.spc of
  spectralpython/spectral; see the header of indian_pines_bands.csv.
  """
  table = _indian_pines_table()
  return table[:, 2].copy(), table[:, 3].copy()


def rosis_bands(count: int) -> tuple[np.ndarray, np.ndarray]:
  """Returns centres and widths in nm, float64 `[count]` each, of a Pavia scene with 102 or 103 bands.

  The centres divide 430 to 860 nm evenly, about 4.2 nm apart [inferred from the published range and band
  count]. 102 bands are the first 102 of these [inferred]. The width is one step [inferred: the bands of
  ROSIS are contiguous].

  Raises:
    RequestError: for any other band count.
  """
  if count not in (_ROSIS_BANDS - 1, _ROSIS_BANDS):
    raise RequestError(
      f"ROSIS scenes have {_ROSIS_BANDS} bands (pavia_university) or {_ROSIS_BANDS - 1} (pavia_centre), "
      f"not {count}; give band centres and widths for another sensor"
    )
  centres, step = np.linspace(*_ROSIS_RANGE_NM, _ROSIS_BANDS, retstep=True)
  return centres[:count], np.full(count, step)


def public_wavelengths(scene: str) -> tuple[np.ndarray | None, np.ndarray | None]:
  """Returns centres and widths of a public scene's bands in nm, or two None if they are not known."""
  if scene == "indian_pines":
    return indian_pines_bands()
  if scene in _ROSIS_COUNTS:
    return rosis_bands(_ROSIS_COUNTS[scene])
  # The band centres of Salinas are not known well enough. Its 204 bands are AVIRIS channels 1..223 without
  # 108-112 and 154-167, but the table of Indian Pines does not apply: it lacks channels 1, 33, 97, 107 and
  # 153, and the channels moved between the two flights. The oxygen line at 761 nm is in channel 42 of Indian
  # Pines and in channel 43 of Salinas, the water band at 1130 nm in channels 80 and 81, but the CO2 bands
  # near 2010 nm are in the same channels: a shift of about 10 nm in one detector and none in another
  # [inferred from the mean spectra of the two cubes].
  return None, None


def sensor(name: str) -> Sensor:
  """Returns the sensor "AVIRIS" (the 200 bands of Indian Pines) or "ROSIS" (103 bands).

  Raises:
    RequestError: for an unknown name.
  """
  known = {"AVIRIS": indian_pines_bands, "ROSIS": functools.partial(rosis_bands, _ROSIS_BANDS)}
  if name not in known:
    raise RequestError(
      f"unknown sensor {name!r}; known are {', '.join(known)}, or give band centres and widths"
    )
  return Sensor(name, *known[name]())


@functools.cache
def _indian_pines_table() -> np.ndarray:
  source = importlib.resources.files(__package__) / "indian_pines_bands.csv"
  with source.open() as lines:
    return np.loadtxt(lines, delimiter=",", skiprows=2)
