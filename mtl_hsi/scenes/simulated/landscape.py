"""Plan of a simulated scene: parcels, roads and roofs as connected regions."""

import dataclasses
from collections.abc import Sequence

import numpy as np

_ROAD_WIDTHS = (5.0, 4.0, 3.5)
_LOT = (11.0, 16.0)
_STANDING = 0.8


@dataclasses.dataclass(frozen=True, eq=False)
class Landscape:
  """The class and the region of every pixel.

  Attributes:
    classes: class id, 0 for ground without a class, int32 `[H, W]`.
    regions: number of the connected region, from 0, int32 `[H, W]`.
  """

  classes: np.ndarray
  regions: np.ndarray

  def owners(self) -> np.ndarray:
    """Returns the class of each region, int32 `[regions]`."""
    owners = np.zeros(self.regions.max() + 1, np.int32)
    owners[self.regions] = self.classes
    return owners


def draw(rng: np.random.Generator, height: int, width: int, forms: Sequence[str]) -> Landscape:
  """Draws a landscape whose class i + 1 has the form `forms[i]`: "field", "roof" or "road".

  The rotated and slightly bent scene is cut into parcels recursively. The first cuts are roads, so that
  roads are connected and cross the scene. Parcels around one point get rows of houses on ground without a
  class; the others are fields.
  """
  ids = {form: [i + 1 for i, f in enumerate(forms) if f == form] for form in ("field", "roof", "road")}
  u, v = _frame(rng, height, width)
  side = np.clip(np.sqrt(height * width / (3.0 * len(forms))), 11.0, 36.0)
  drawn = np.zeros((2, height * width), np.int64)
  parcels, roads = _cut(rng, u, v, side**2, len(ids["road"]))
  for number, pixels in enumerate(roads):
    drawn[:, pixels] = [[ids["road"][number % len(ids["road"])]], [0]]
  built = _built_up(rng, parcels, u, v, len(ids["field"]), len(ids["roof"]))
  owners = {form: _owners(rng, ids[form], len(parcels)) for form in ("field", "roof")}
  for number, pixels in enumerate(parcels):
    drawn[1, pixels] = number + 1
    if built[number]:
      house = _houses(rng, u[pixels], v[pixels])
      drawn[0, pixels] = np.where(house > 0, owners["roof"].pop(), 0)
      drawn[1, pixels] += len(parcels) * house
    elif ids["field"]:
      drawn[0, pixels] = owners["field"].pop()
  classes, parts = drawn.reshape(2, height, width)
  return Landscape(classes.astype(np.int32), _components(classes + (len(forms) + 1) * parts))


def smooth_noise(rng: np.random.Generator, height: int, width: int, scale: float) -> np.ndarray:
  """Draws Gaussian noise smoothed over `scale` pixels, mean 0, standard deviation 1, float32 `[H, W]`."""
  from scipy import ndimage

  noise = ndimage.gaussian_filter(rng.standard_normal((height, width), np.float32), scale, mode="reflect")
  return (noise - noise.mean()) / noise.std()


def _frame(rng, height, width):
  """Coordinates along and across the parcels in pixels, flat `[H * W]`."""
  angle = rng.uniform(0.1, 0.6) * rng.choice([-1.0, 1.0])
  rows, columns = np.mgrid[:height, :width].astype(np.float32)
  bend = [1.5 * smooth_noise(rng, height, width, 0.12 * (height + width)) for _ in range(2)]
  u = np.cos(angle) * rows + np.sin(angle) * columns + bend[0]
  v = np.cos(angle) * columns - np.sin(angle) * rows + bend[1]
  return u.ravel(), v.ravel()


def _cut(rng, u, v, area, road_classes):
  """Pixels of every parcel and of every road, roads from the longest to the shortest cuts."""
  parcels, roads, queue = [], [], [np.arange(u.size)]
  crossing = 0 if road_classes == 0 else max(road_classes, min(15, int(u.size / area / 12)))
  while queue:
    pixels = queue.pop(0)
    if pixels.size < 1.6 * area and len(roads) >= crossing:
      parcels.append(pixels)
      continue
    axis = u if np.ptp(u[pixels]) >= np.ptp(v[pixels]) else v
    where = axis[pixels] - np.quantile(axis[pixels], rng.uniform(0.38, 0.62))
    half = 0.0
    if len(roads) < crossing:
      half = _ROAD_WIDTHS[min(len(roads) // 3, len(_ROAD_WIDTHS) - 1)] / 2
      roads.append(pixels[np.abs(where) <= half])
    queue += [pixels[where < -half], pixels[where > half] if half else pixels[where >= 0]]
  return parcels, roads


def _built_up(rng, parcels, u, v, fields, roofs):
  """Whether each parcel is built up: those nearest to the middle of a town, bool `[parcels]`."""
  centres = np.array([[u[pixels].mean(), v[pixels].mean()] for pixels in parcels])
  distance = np.linalg.norm(centres - centres[rng.integers(len(parcels))], axis=1)
  count = round(len(parcels) * roofs / max(fields + roofs, 1))
  return np.argsort(np.argsort(distance)) < count


def _owners(rng, ids, count):
  """Class ids to deal out, every class equally often at first (at the list's end), then at random."""
  if not ids:
    return []
  evenly = np.concatenate([rng.permutation(ids) for _ in range(2)])
  weights = rng.dirichlet(np.full(len(ids), 5.0))
  return list(rng.choice(ids, count, p=weights)) + list(evenly)


def _houses(rng, u, v):
  """Number of the house on each pixel of a parcel, 0 between them; houses stand in rows."""
  number, inside = np.zeros(u.size, np.int64), np.ones(u.size, bool)
  for axis, pitch in zip((u, v), _LOT, strict=True):
    low, extent = axis.min(), np.ptp(axis) + 1e-3
    cells = max(1, round(extent / pitch))
    at = (axis - low) / extent * cells
    cell = at.astype(np.int64)
    margin = 2.0 * cells / extent * rng.uniform(0.7, 1.3, cells)[cell]
    inside &= (at - cell > margin) & (at - cell < 1.0 - margin)
    number = number * cells + cell
  standing = rng.random(number.max() + 1) < _STANDING
  standing[rng.integers(standing.size)] = True
  return np.where(inside & standing[number], number + 1, 0)


def _components(image):
  """Numbers the 4-connected areas of equal value, int32 `[H, W]`."""
  from scipy.sparse import coo_array, csgraph

  pixel = np.arange(image.size).reshape(image.shape)
  right, down = image[:, 1:] == image[:, :-1], image[1:] == image[:-1]
  ends = np.concatenate([pixel[:, 1:][right], pixel[1:][down]])
  starts = np.concatenate([pixel[:, :-1][right], pixel[:-1][down]])
  graph = coo_array((np.ones(ends.size, bool), (starts, ends)), shape=(image.size, image.size))
  return csgraph.connected_components(graph, directed=False)[1].reshape(image.shape).astype(np.int32)
