"""The land covers available to simulated scenes, by class name."""

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.simulated import spectral_library

SHADE = "shade"


@dataclasses.dataclass(frozen=True)
class Constituent:
  """One constituent of a cover.

  Attributes:
    material: LEVEL_3 of earthlib's library, or `SHADE`, which reflects nothing.
    name: regular expression that the names of its spectra match.
    share: lowest and highest share of a region's area; shares are scaled to sum to 1.
  """

  material: str
  name: str
  share: tuple[float, float]


@dataclasses.dataclass(frozen=True)
class Cover:
  """The composition of a class.

  Attributes:
    form: "field", "roof" or "road".
    parts: its constituents.
    tall: whether it casts shadows.
  """

  form: str
  parts: tuple[Constituent, ...]
  tall: bool = False


def _soil(low: float, high: float) -> Constituent:
  return Constituent("soil", "FS", (low, high))


def _dry(low: float, high: float) -> Constituent:
  return Constituent("litter", "", (low, high))


def _shade(low: float, high: float) -> Constituent:
  return Constituent(SHADE, "", (low, high))


def _canopy(leaf_area: str, chlorophyll: str, low: float, high: float) -> Constituent:
  """Selects canopies by the first digit of their leaf area index and the tens of their chlorophyll."""
  return Constituent("canopy", rf"v-LAI-{leaf_area}\.\d-.*-CHL-{chlorophyll}\d\.", (low, high))


def _roof(material: str, name: str) -> Cover:
  return Cover("roof", (Constituent(material, name, (1.0, 1.0)),), tall=True)


def _road(material: str, name: str) -> Cover:
  return Cover("road", (Constituent(material, name, (0.94, 1.0)), _dry(0.0, 0.06)))


# Letters in the names of the Santa Barbara urban spectra distinguish materials within a LEVEL_3:
# rpae and rpcs are roads paved with asphalt and with concrete, fsc shingles, frrk and fgg roofs of
# rock-covered asphalt and of gravel, mu unpaved ground.
COVERS: Mapping[str, Cover] = {
  "asphalt road": _road("road", "rpae"),
  "concrete road": _road("road", "rpcs"),
  "gravel road": _road("gravel", "mu"),
  "composite shingle roof": _roof("comp_shingle", "fsc"),
  "wood shingle roof": _roof("wood_shingle", ""),
  "asphalt roof": _roof("asphalt", "frrk"),
  "gravel roof": _roof("gravel", "fgg"),
  "clay tile roof": _roof("tile", ""),
  "concrete tile roof": _roof("concrete_tile", ""),
  "metal roof": _roof("metal", ""),
  "parking lot": Cover("field", (Constituent("parking_lot", "", (0.97, 1.0)), _dry(0.0, 0.03))),
  "sand": Cover("field", (Constituent("sand", "", (0.9, 1.0)), _dry(0.0, 0.1))),
  "bare soil": Cover("field", (_soil(0.95, 1.0), _dry(0.0, 0.05))),
  "ploughed soil": Cover("field", (_soil(0.78, 0.9), _shade(0.1, 0.22))),
  "fallow": Cover("field", (_soil(0.78, 0.9), _dry(0.1, 0.2), _canopy("[0-2]", "[23]", 0.0, 0.03))),
  "stubble": Cover("field", (_soil(0.45, 0.65), _dry(0.35, 0.55))),
  "dry grass": Cover("field", (_dry(0.6, 0.8), _canopy("[0-2]", "1", 0.05, 0.2), _soil(0.1, 0.25))),
  "burnt field": Cover("field", (Constituent("char", "", (0.7, 0.9)), _soil(0.1, 0.3))),
  "grass": Cover("field", (_canopy("[1-3]", "[34]", 0.7, 0.85), _soil(0.05, 0.15), _dry(0.05, 0.15))),
  "sparse crop": Cover("field", (_canopy("[1-3]", "[34]", 0.3, 0.5), _soil(0.5, 0.7))),
  "green crop": Cover("field", (_canopy("[3-5]", "[34]", 0.85, 0.97), _soil(0.03, 0.15))),
  "ripening crop": Cover("field", (_canopy("[2-4]", "1", 0.6, 0.8), _dry(0.15, 0.3), _soil(0.03, 0.1))),
  "vineyard": Cover("field", (_canopy("[2-4]", "[34]", 0.35, 0.55), _soil(0.3, 0.45), _shade(0.1, 0.2))),
  "trees": Cover("field", (_canopy("[4-7]", "[45]", 0.65, 0.8), _shade(0.2, 0.35)), tall=True),
}

# The cover of all ground without a class, such as gardens between roofs.
BACKGROUND = Cover("field", (_canopy("[1-4]", "[2-4]", 0.2, 0.7), _soil(0.2, 0.5), _dry(0.1, 0.3)))


def find(classes: Sequence[str]) -> list[Cover]:
  """Returns the covers of a list of classes.

  Raises:
    RequestError: there are fewer than two classes, or one is listed twice or unknown.
  """
  unknown = [name for name in classes if name not in COVERS]
  if unknown:
    raise RequestError(f"cannot simulate the class {unknown[0]!r}; known are {', '.join(COVERS)}")
  if len(classes) < 2 or len(set(classes)) < len(classes):
    raise RequestError(f"a simulated scene needs at least two different classes, not {list(classes)}")
  return [COVERS[name] for name in classes]


def family(
  rng: np.random.Generator, library: spectral_library.Library, part: Constituent, size: int
) -> np.ndarray:
  """Draws the spectra that represent a constituent in one scene; returns their indices, int `[at most size]`.

  The soils of one landscape, or the shingles of one town, resemble each other more than a worldwide
  collection does. One spectrum is drawn at random; its nearest neighbours complete the family.
  """
  pool = spectral_library.members(library, part.material, part.name)
  spectra = library.spectra[pool]
  distance = np.linalg.norm(spectra - spectra[rng.integers(len(pool))], axis=1)
  return pool[np.argsort(distance, kind="stable")[:size]]
