"""Renders the plan of a simulated scene as the measurement of a sensor."""

from collections.abc import Sequence

import numpy as np
from scipy import ndimage, sparse

from mtl_hsi.scenes.public.sensors import Sensor
from mtl_hsi.scenes.simulated import covers, spectral_library
from mtl_hsi.scenes.simulated.landscape import Landscape, smooth_noise
from mtl_hsi.scenes.spectral_response import response

REFLECTANCE_UNIT = 10_000

# How much scenes vary; chosen so that a pixel-wise SVM with ten samples per class reaches an OA of
# about 70% for sixteen classes and 80% for eight.
_FAMILY = 40
_BLEND, _GRAIN, _SLOPES, _ROUGHNESS = 0.5, 0.45, 0.15, 0.08
_SHADOW = 2
_TEXTURE_SCALES = (4.0, 1.6, 2.5, 1.2, 0.7)
_FOREIGN_FROM, _FOREIGN_GAIN, _FOREIGN_MOST = 0.5, 0.6, 0.8

_PSF_SIGMA, _PSF_RADIUS = 0.6, 3
_BLOCK_ROWS = 64
_READ_NOISE, _PHOTON_NOISE = 0.0035, 0.012
# Centre and spread in nm and depth of the atmosphere's bands: oxygen, water, carbon dioxide.
_ABSORPTION = (
  (761, 4, 0.4),
  (942, 18, 0.6),
  (1132, 20, 0.75),
  (1390, 32, 0.95),
  (1875, 45, 0.95),
  (2010, 10, 0.4),
)


def render(
  rng: np.random.Generator, plan: Landscape, kinds: Sequence[covers.Cover], sensor: Sensor
) -> np.ndarray:
  """Renders a landscape with library spectra.

  Every region mixes two library spectra of each constituent in random shares; textures vary both within
  it. Light varies with slopes and roughness; in shadow only the blue sky remains. The result is
  blurred with the point spread (full width 1.4 pixels), which mixes neighbours, and gets read-out and
  photon noise, more where sunlight is weak or absorbed.

  Args:
    rng: source of all random draws.
    plan: landscape of the classes 0 (ground without a class) to len(kinds).
    kinds: cover of each class from 1.
    sensor: its bands.

  Returns:
    Reflectance times 10,000, uint16 `[H, W, B]`. Further memory is needed for one block of rows only.
  """
  height, width = plan.classes.shape
  library = spectral_library.load()
  bands = response(library.wavelengths, sensor.centres, sensor.widths)
  table = np.vstack([library.spectra @ bands, np.zeros(bands.shape[1])]).astype(np.float32)
  members, shares = _mixtures(rng, library, [covers.BACKGROUND, *kinds], plan)
  textures = np.stack([smooth_noise(rng, height, width, scale) for scale in _TEXTURE_SCALES], axis=2)
  slope, sun = _light(rng, np.array([False, *(kind.tall for kind in kinds)])[plan.classes])
  sky, level = _sky(sensor.centres), _radiance(sensor.centres)
  cube = np.empty((height, width, bands.shape[1]), np.uint16)
  for start in range(0, height, _BLOCK_ROWS):
    first = max(start - _PSF_RADIUS, 0)
    rows = slice(first, start + _BLOCK_ROWS + _PSF_RADIUS)
    pixels = plan.regions[rows].ravel(), textures[rows].reshape(-1, len(_TEXTURE_SCALES))
    light = slope[rows, :, None] * (sun[rows, :, None] * (1.0 - sky) + sky)
    seen = light * _mixed(table, members, shares, *pixels).reshape(-1, width, bands.shape[1])
    seen = ndimage.gaussian_filter(seen, _PSF_SIGMA, axes=(0, 1), mode="nearest", radius=_PSF_RADIUS)
    seen = _with_noise(rng, seen[start - first :][:_BLOCK_ROWS], level)
    cube[start : start + _BLOCK_ROWS] = np.clip(np.rint(REFLECTANCE_UNIT * seen), 0, 65535)
  return cube


def _mixtures(rng, library, kinds, plan):
  """What each region is made of: two spectra of every constituent and, last, of foreign matter.

  Foreign matter is weeds, litter or soil: a constituent of the ground of no class, `kinds[0]`.

  Returns:
    Row numbers into the library's spectra, one past the last for no light, `[regions, parts + 1, 2]`, and
    the constituents' shares, which sum to 1, float32 `[regions, parts]`.
  """
  owner = plan.owners()
  parts = max(len(kind.parts) for kind in kinds)
  members = np.full((owner.size, parts + 1, 2), len(library.spectra))
  shares = np.zeros((owner.size, parts), np.float32)
  families = {}
  for number, kind in enumerate(kinds):
    regions = np.flatnonzero(owner == number)
    for position, part in enumerate(kind.parts):
      shares[regions, position] = rng.uniform(*part.share, regions.size)
      if part.material != covers.SHADE:
        key = (part.material, part.name)
        if key not in families:
          families[key] = covers.family(rng, library, part, _FAMILY)
        members[regions, position] = rng.choice(families[key], (regions.size, 2))
  ground = np.concatenate([families[part.material, part.name] for part in kinds[0].parts])
  members[:, -1] = rng.choice(ground, (owner.size, 2))
  return members, shares / shares.sum(axis=1, keepdims=True)


def _mixed(table, members, shares, regions, textures):
  """Spectrum of every pixel before light falls on it, float32 `[pixels, B]`."""
  shares = shares[regions]
  parts = shares.shape[1]
  blend = np.clip(0.5 + _BLEND * textures[:, :1], 0.0, 1.0)
  foreign = np.clip(_FOREIGN_GAIN * (textures[:, 1:2] - _FOREIGN_FROM), 0.0, _FOREIGN_MOST)
  shares = shares * np.clip(1.0 + _GRAIN * textures[:, 2 : 2 + parts], 0.05, None)
  shares *= (1.0 - foreign) / shares.sum(axis=1, keepdims=True)
  shares = np.concatenate([shares, foreign], axis=1)
  data = np.stack([shares * blend, shares * (1.0 - blend)], axis=2)
  starts = np.arange(0, data.size + 1, 2 * (parts + 1))
  weights = (data.ravel(), members[regions].ravel(), starts)
  return sparse.csr_array(weights, shape=(regions.size, len(table))) @ table


def _light(rng, tall):
  """Brightness by slope and roughness, and the part of the sunlight that arrives, float32 `[H, W]` each."""
  height, width = tall.shape
  slope = 1.0 + _SLOPES * smooth_noise(rng, height, width, 0.04 * (height + width))
  slope += _ROUGHNESS * smooth_noise(rng, height, width, 0.7)
  cast = ndimage.shift(tall.astype(np.uint8), _SHADOW * rng.choice([-1, 1], 2), order=0) > 0
  cloud = smooth_noise(rng, height, width, 0.03 * (height + width))
  sun = np.where(cast & ~tall, 0.15, 1.0) * np.clip(1.0 - 1.5 * (cloud - 2.2), 0.3, 1.0)
  return np.clip(slope, 0.5, 1.5), sun.astype(np.float32)


def _sky(centres):
  """Light of the blue sky against that of sun and sky together, float32 `[B]`."""
  return np.clip(0.3 * (centres / 450.0) ** -1.5, 0.0, 0.35).astype(np.float32)


def _radiance(centres):
  """Photons that a white surface sends to the sensor, against the brightest wavelength, float32 `[B]`."""

  def photons(wavelength):
    return wavelength**-4.0 / np.expm1(1.4388e7 / (wavelength * 5778.0))

  level = photons(centres) / photons(635.0)
  for centre, spread, depth in _ABSORPTION:
    level = level * (1.0 - depth * np.exp(-0.5 * ((centres - centre) / spread) ** 2))
  return level.astype(np.float32)


def _with_noise(rng, reflectance, level):
  """Adds read-out and photon noise, both in units of the signal at `level`."""
  variance = _READ_NOISE**2 + _PHOTON_NOISE**2 * reflectance * level
  return reflectance + rng.standard_normal(reflectance.shape, np.float32) * np.sqrt(variance) / level
