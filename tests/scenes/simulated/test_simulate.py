"""Simulated scenes: plan, rendering and what comes out."""

import resource
import subprocess
import sys
import time

import numpy as np
import pytest
from scipy import ndimage

from mtl_hsi.errors import RequestError
from mtl_hsi.scenes.public import sensors
from mtl_hsi.scenes.simulated import covers, landscape, rendering
from mtl_hsi.scenes.simulated.simulate import simulate

_CLASSES = ("asphalt road", "clay tile roof", "composite shingle roof", "grass", "vineyard", "fallow")
_BANDS = sensors.Sensor("coarse", np.array([450.0, 550.0, 670.0, 850.0, 942.0, 1650.0]), np.full(6, 20.0))
_EVERY_WAY = np.ones((3, 3))


def _simulate(**changes):
  values = {
    "height": 90,
    "width": 80,
    "sensor": _BANDS,
    "classes": _CLASSES,
    "seed": 3,
    "labelled_fraction": 0.3,
  }
  return simulate("test", **(values | changes))


@pytest.fixture(scope="module")
def scene():
  return _simulate()


def _render(plan, classes, seed=0):
  return rendering.render(np.random.default_rng(seed), plan, covers.find(classes), _BANDS).astype(float)


@pytest.fixture
def plain(monkeypatch):
  """No noise and nothing that varies within a region."""
  for name in ("_BLEND", "_GRAIN", "_SLOPES", "_ROUGHNESS", "_FOREIGN_GAIN", "_READ_NOISE", "_PHOTON_NOISE"):
    monkeypatch.setattr(rendering, name, 0.0)
  return monkeypatch


def _halves(left, right):
  """A landscape whose left half is of one class and whose right half of another, 20 x 16 pixels."""
  classes = np.repeat([[left] * 8 + [right] * 8], 20, axis=0).astype(np.int32)
  return landscape.Landscape(classes, (classes == right).astype(np.int32))


def test_a_scene_carries_what_its_readers_need(scene):
  assert scene.cube.shape == (90, 80, 6)
  assert scene.cube.dtype == np.uint16
  assert scene.simulated
  assert "simulated with seed 3" in scene.provenance
  assert "coarse" in scene.provenance
  assert scene.sensor == "coarse"
  assert scene.class_names == dict(enumerate(_CLASSES, start=1))
  assert scene.georeference is None
  np.testing.assert_array_equal(scene.wavelengths, _BANDS.centres)
  np.testing.assert_array_equal(scene.widths, _BANDS.widths)


def test_equal_seeds_give_equal_scenes_whatever_else_draws(scene):
  np.random.default_rng(3).random(10)
  again, other = _simulate(), _simulate(seed=4)
  np.testing.assert_array_equal(again.cube, scene.cube)
  np.testing.assert_array_equal(again.labels, scene.labels)
  assert (other.labels != scene.labels).any()


def test_the_landscape_does_not_depend_on_the_sensor(scene):
  other = _simulate(sensor=sensors.Sensor("two", np.array([550.0, 850.0]), np.array([10.0, 10.0])))
  np.testing.assert_array_equal(other.labels, scene.labels)


def test_values_are_reflectances_times_ten_thousand(scene):
  green = scene.cube[scene.labels == 4].mean(axis=0) / 10_000
  assert green[3] > 0.25
  assert green[2] < 0.15


@pytest.mark.parametrize("seed", range(4))
def test_every_class_gets_its_labelled_pixels(seed):
  scene = _simulate(seed=seed)
  counts = np.bincount(scene.labels.ravel(), minlength=7)
  assert counts[1:].min() >= 60
  assert 0.27 < counts[1:].sum() / scene.labels.size < 0.4


def test_few_labels_are_still_enough_of_every_class():
  counts = np.bincount(_simulate(labelled_fraction=0.01).labels.ravel())[1:]
  assert counts.min() >= 60
  assert counts.sum() < 0.25 * 90 * 80


def test_all_covers_fit_into_one_scene():
  scene = _simulate(height=145, width=145, classes=tuple(covers.COVERS), labelled_fraction=0.5)
  assert np.bincount(scene.labels.ravel())[1:].min() >= 60


def test_labels_keep_away_from_borders(scene):
  """No two classes touch, and no labelled pixel lies at the rim of its area of the landscape."""
  largest = ndimage.maximum_filter(scene.labels, 3)
  smallest = ndimage.minimum_filter(np.where(scene.labels > 0, scene.labels, 99), 3)
  labelled = scene.labels > 0
  np.testing.assert_array_equal(largest[labelled], scene.labels[labelled])
  np.testing.assert_array_equal(smallest[labelled], scene.labels[labelled])


def test_labels_come_in_areas_not_in_specks(scene):
  areas, count = ndimage.label(scene.labels > 0, structure=_EVERY_WAY)
  assert np.median(np.bincount(areas.ravel())[1:]) >= 12
  assert count < 80


@pytest.mark.parametrize("seed", range(3))
def test_regions_are_connected_and_of_one_class(seed):
  plan = landscape.draw(np.random.default_rng(seed), 70, 60, ["road", "roof", "field", "field"])
  for region in range(plan.regions.max() + 1):
    assert ndimage.label(plan.regions == region)[1] == 1
    assert len(np.unique(plan.classes[plan.regions == region])) == 1
  np.testing.assert_array_equal(plan.owners()[plan.regions], plan.classes)


@pytest.mark.parametrize("seed", range(4))
def test_roads_hang_together_and_cross_the_scene(seed):
  plan = landscape.draw(np.random.default_rng(seed), 120, 100, ["road", "roof", "field", "road"])
  roads, count = ndimage.label((plan.classes == 1) | (plan.classes == 4), structure=_EVERY_WAY)
  assert count == 1
  sides = [roads[0].any(), roads[-1].any(), roads[:, 0].any(), roads[:, -1].any()]
  assert (sides[0] and sides[1]) or (sides[2] and sides[3])


def test_houses_stand_apart(scene):
  plan = landscape.draw(np.random.default_rng(0), 80, 80, ["roof", "field", "field"])
  roofs, count = ndimage.label(plan.classes == 1)
  assert count >= 5
  assert count == len(np.unique(plan.regions[roofs > 0]))
  assert np.bincount(roofs.ravel())[1:].max() < 500


def test_a_landscape_of_roofs_or_of_roads_alone_has_ground_of_no_class():
  roofs = landscape.draw(np.random.default_rng(0), 80, 80, ["roof", "roof"])
  roads = landscape.draw(np.random.default_rng(0), 80, 80, ["road", "road"])
  assert set(np.unique(roofs.classes)) == {0, 1, 2}
  assert set(np.unique(roads.classes)) == {0, 1, 2}


def test_only_pixels_at_borders_are_mixed_and_by_the_point_spread(plain):
  """Weights by hand: exp(-x^2 / (2 * 0.6^2)) at -3..3 pixels, scaled to sum to 1."""
  plain.setattr(rendering, "_light", lambda rng, tall: (np.ones(tall.shape, np.float32),) * 2)
  cube = _render(_halves(1, 2), ["clay tile roof", "metal roof"])
  kernel = np.exp(-(np.arange(-3, 4) ** 2) / (2 * 0.6**2))
  kernel /= kernel.sum()
  left, right = cube[10, 0], cube[10, 15]
  assert np.abs(left - right).min() > 100
  for column, beyond in ((7, kernel[:3].sum()), (6, kernel[:2].sum()), (8, 1 - kernel[:3].sum())):
    np.testing.assert_allclose(cube[10, column], (1 - beyond) * left + beyond * right, atol=1.5)
  assert kernel[:3].sum() > 0.15
  np.testing.assert_allclose(cube[:, :5], np.broadcast_to(left, (20, 5, 6)), atol=1.0)


def test_blocks_of_rows_leave_no_seam(plain):
  across = _halves(1, 2)
  plan = landscape.Landscape(across.classes.T, across.regions.T)
  whole = _render(plan, ["clay tile roof", "metal roof"])
  plain.setattr(rendering, "_BLOCK_ROWS", 4)
  np.testing.assert_allclose(_render(plan, ["clay tile roof", "metal roof"]), whole, atol=1.0)


def test_regions_of_one_class_differ(plain):
  plan = _halves(1, 1)
  plan.regions[:, :8] = 0
  plain.setattr(rendering, "_light", lambda rng, tall: (np.ones(tall.shape, np.float32),) * 2)
  cube = _render(plan, ["clay tile roof", "trees"])
  assert np.abs(cube[10, 2] - cube[10, 13]).max() > 100


def test_pixels_of_one_region_vary():
  plan = landscape.Landscape(np.ones((40, 40), np.int32), np.zeros((40, 40), np.int32))
  cube = _render(plan, ["grass", "trees"])
  brightness = cube[:, :, 3]
  assert 0.05 < brightness.std() / brightness.mean() < 0.6
  neighbours = np.corrcoef(brightness[:, 1:].ravel(), brightness[:, :-1].ravel())[0, 1]
  assert neighbours > 0.4


def test_noise_is_stronger_where_the_atmosphere_absorbs(plain):
  plain.setattr(rendering, "_READ_NOISE", 0.0035)
  plain.setattr(rendering, "_light", lambda rng, tall: (np.ones(tall.shape, np.float32),) * 2)
  plan = landscape.Landscape(np.ones((40, 40), np.int32), np.zeros((40, 40), np.int32))
  cube = _render(plan, ["sand", "trees"])
  noise = cube.std(axis=(0, 1))
  assert 20.0 < noise[2] < 60.0
  assert noise[4] > 1.5 * noise[3]


def test_bright_surfaces_are_noisier(plain):
  plain.setattr(rendering, "_PHOTON_NOISE", 0.012)
  plain.setattr(rendering, "_light", lambda rng, tall: (np.ones(tall.shape, np.float32),) * 2)
  cube = _render(_halves(1, 2), ["trees", "sand"])
  assert cube[:, 11:, 2].std() > 1.5 * cube[:, :5, 2].std()


def test_tall_covers_cast_blue_shadows_on_what_is_beside_them(plain):
  classes = np.full((30, 30), 2, np.int32)
  classes[12:18, 12:18] = 1
  plan = landscape.Landscape(classes, (classes == 1).astype(np.int32))
  plain.setattr(rendering, "_PSF_SIGMA", 0.01)
  cube = _render(plan, ["metal roof", "sand"])
  share = cube / np.median(cube, axis=(0, 1))
  near = ndimage.binary_dilation(classes == 1, _EVERY_WAY, iterations=2) & (classes == 2)
  dark = share[:, :, 3] < 0.6
  assert 0.25 < dark[near].mean() < 0.75
  assert dark[(classes == 2) & ~near].mean() < 0.05
  assert share[dark & near][:, 0].mean() > 1.2 * share[dark & near][:, 3].mean()


@pytest.mark.parametrize(
  ("changes", "message"),
  [
    ({"classes": ("grass", "lava")}, "cannot simulate the class 'lava'; known are asphalt road, "),
    ({"classes": ("grass",)}, "at least two different classes"),
    ({"classes": ("grass", "grass")}, "at least two different classes"),
    ({"labelled_fraction": 0.0}, r"labelled_fraction is 0.0; it must lie in \(0, 1\]"),
    ({"labelled_fraction": 1.5}, "labelled_fraction is 1.5"),
    ({"seed": -1}, "seed is -1"),
    ({"height": 20, "width": 20}, "scene 'test': 20 x 20 pixels .* 60 .* 6 classes; take at least 68 x 68"),
    ({"height": 10, "width": 2000}, "10 x 2000 pixels .*no side below 24"),
    ({"sensor": sensors.Sensor("far", np.array([0.5, 0.6]), np.array([0.1, 0.1]))}, "0.5 nm lies outside"),
  ],
)
def test_requests_that_cannot_be_met(changes, message):
  with pytest.raises(RequestError, match=message):
    _simulate(**changes)


@pytest.mark.parametrize("seed", range(5))
def test_the_smallest_scene_holds_two_fields_but_not_three_roads(seed):
  small = {"height": 29, "width": 29, "seed": seed}
  assert np.bincount(_simulate(classes=("grass", "trees"), **small).labels.ravel())[1:].min() >= 60
  with pytest.raises(RequestError, match="take at least 68 x 68"):
    _simulate(classes=("asphalt road", "concrete road", "gravel road"), **small)


@pytest.mark.slow
def test_ten_samples_a_class_leave_a_pixel_wise_svm_something_to_learn():
  from sklearn.svm import SVC

  accuracies, classes = [], tuple(covers.COVERS)[::2]
  for seed in range(3):
    scene = _simulate(height=145, width=145, sensor=sensors.sensor("AVIRIS"), classes=classes, seed=seed)
    rng = np.random.default_rng(seed)
    spectra, labels = scene.cube[scene.labels > 0] / scene.cube.max(), scene.labels[scene.labels > 0]
    train = np.concatenate([rng.permutation(np.flatnonzero(labels == c))[:10] for c in scene.class_ids])
    test = np.setdiff1d(np.arange(len(labels)), train)
    predicted = SVC(C=1000.0, gamma=0.1).fit(spectra[train], labels[train]).predict(spectra[test])
    accuracies.append((predicted == labels[test]).mean())
  assert 0.55 < np.mean(accuracies) < 0.85


@pytest.mark.slow
def test_a_scene_of_the_size_of_pavia_centre_is_quick_and_small():
  code = (
    "from mtl_hsi.scenes.public import sensors; from mtl_hsi.scenes.simulated import simulate;"
    "s = sensors.Sensor('ROSIS', *sensors.rosis_bands(102));"
    "simulate.simulate('large', height=1096, width=715, sensor=s, classes=('grass', 'trees', 'asphalt road'),"
    "seed=0, labelled_fraction=0.2)"
  )
  start = time.monotonic()
  subprocess.run([sys.executable, "-c", code], check=True)
  assert time.monotonic() - start < 60.0
  assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 3e6
