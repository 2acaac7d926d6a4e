"""Simulates scenes: random landscapes, rendered with library spectra for a sensor."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.public.sensors import Sensor
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.scenes.simulated import covers, landscape, rendering

LEAST_LABELLED = 60

_ATTEMPTS = 20
_SHORTEST_SIDE = 24
_ENOUGH_PIXELS = {"field": 400, "roof": 900, "road": 1500}


def simulate(
  name: str,
  *,
  height: int,
  width: int,
  sensor: Sensor,
  classes: Sequence[str],
  seed: int,
  labelled_fraction: float,
) -> Scene:
  """Simulates a scene with the statistics of a measured one.

  Fields, roofs and roads are connected regions. Each region mixes its own library spectra. Then texture,
  slopes, shadows, the point spread of the sensor (mixed pixels at borders) and its noise are added. Whole
  regions without their borders are labelled until the requested fraction is reached.

  Args:
    name: the scene's name.
    height, width: rows and columns.
    sensor: sensor that measures the scene.
    classes: names from `covers.COVERS`; ids count from 1 in this order.
    seed: equal arguments and seeds give equal scenes.
    labelled_fraction: approximate fraction of labelled pixels, in (0, 1]. It is higher if 60 pixels of
      every class need more, and lower if borders and ground without a class leave less.

  Returns:
    A scene in uint16 reflectance times 10,000 with at least 60 labelled pixels of every class.

  Raises:
    RequestError: a class is unknown, a band is outside the spectral library, the scene is too small for
      its classes, or the fraction or the seed is out of range.
  """
  kinds = covers.find(classes)
  if not 0.0 < labelled_fraction <= 1.0:
    raise RequestError(f"scene {name!r}: labelled_fraction is {labelled_fraction}; it must lie in (0, 1]")
  if seed < 0:
    raise RequestError(f"scene {name!r}: seed is {seed}; it must be 0 or larger")
  plan_rng, render_rng = np.random.default_rng(seed).spawn(2)
  plan, labels = _plan(plan_rng, name, height, width, kinds, labelled_fraction)
  return Scene(
    name=name,
    cube=rendering.render(render_rng, plan, kinds, sensor),
    labels=labels,
    class_names=dict(enumerate(classes, start=1)),
    sensor=sensor.name,
    wavelengths=np.asarray(sensor.centres, np.float64),
    widths=np.asarray(sensor.widths, np.float64),
    provenance=(
      f"simulated with seed {seed}: a landscape drawn by chance, covered with spectra of the earthlib "
      f"library (measured, but for green canopies, which are modelled with PROSAIL) and seen by "
      f"{sensor.name}, in reflectance times {rendering.REFLECTANCE_UNIT}"
    ),
    simulated=True,
  )


def _plan(rng, name, height, width, kinds, fraction):
  """Draws landscapes and label images until every class has enough labelled pixels."""
  forms = [kind.form for kind in kinds]
  for _ in range(_ATTEMPTS if min(height, width) >= _SHORTEST_SIDE else 0):
    plan = landscape.draw(rng, height, width, forms)
    labels = _label(rng, plan, len(kinds), fraction)
    if np.bincount(labels.ravel(), minlength=len(kinds) + 1)[1:].min() >= LEAST_LABELLED:
      return plan, labels
  side = max(_SHORTEST_SIDE, int(np.ceil(np.sqrt(sum(_ENOUGH_PIXELS[form] for form in forms)))))
  raise RequestError(
    f"scene {name!r}: {height} x {width} pixels have no room for {LEAST_LABELLED} labelled pixels of each of "
    f"{len(kinds)} classes; take at least {side} x {side} (no side below {_SHORTEST_SIDE}) or fewer classes"
  )


def _label(rng, plan, classes, fraction):
  """Labels whole regions without borders: first enough of every class, then any; int32 `[H, W]`."""
  core = ndimage.minimum_filter(plan.regions, 3) == ndimage.maximum_filter(plan.regions, 3)
  core &= plan.classes > 0
  owner = plan.owners()
  sizes = np.bincount(plan.regions[core], minlength=owner.size)
  order = rng.permutation(np.flatnonzero(sizes))
  chosen, counts = np.zeros(owner.size, bool), np.zeros(classes + 1, np.int64)
  for enough_of_all in (True, False):
    for region in order[~chosen[order]]:
      short = counts[owner[region]] < LEAST_LABELLED if enough_of_all else counts.sum() < fraction * core.size
      if short:
        chosen[region] = True
        counts[owner[region]] += sizes[region]
  return np.where(core & chosen[plan.regions], plan.classes, 0).astype(np.int32)
