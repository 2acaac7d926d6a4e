"""From an experiment's scenes to what is done to their pixels: bands, resampling, scaling, components."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from mtl_hsi.channels import by_index, by_wavelength, mnf
from mtl_hsi.channels.inputs import Inputs, make_inputs
from mtl_hsi.errors import RequestError
from mtl_hsi.runs.trained_run import TrainedRun
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.settings.band_settings import BY_WAVELENGTH
from mtl_hsi.settings.experiment_settings import Settings
from mtl_hsi.settings.model_settings import SVM


def align(
  settings: Settings, scenes: Mapping[str, Scene], origin: TrainedRun | None
) -> tuple[Mapping[str, Inputs], by_wavelength.SpectralBands | None]:
  """What is done to every scene's pixels, and the bands that all then have, where these have wavelengths.

  Args:
    settings: what is asked for.
    scenes: by name.
    origin: the run that training starts from, or None.

  Raises:
    RequestError: the scenes' bands cannot be aligned as asked.
  """
  chosen = {name: _bands_in_range(settings, scene) for name, scene in scenes.items()}
  if settings.bands.alignment == BY_WAVELENGTH:
    own = {name: by_wavelength.bands_of(scene, chosen[name]) for name, scene in scenes.items()}
    channels = _common_bands(own, settings)
    weights = {name: by_wavelength.resampling(bands, channels) for name, bands in own.items()}
  else:
    channels, weights = None, dict.fromkeys(scenes)
    for name, scene in scenes.items():
      chosen[name] = chosen[name][
        by_index.index_bands(len(chosen[name]), settings.bands.count, scene.sensor, scene.name)
      ]
  inputs = {}
  for name, scene in scenes.items():
    scaling = settings.bands.scaling(scene)
    made = make_inputs(scene.cube.shape[2], chosen[name], scaling, weights[name])
    inputs[name] = made.reversed() if name in settings.bands.reversed else made
  if not _each_for_itself(settings):
    _check_counts(settings, inputs)
  if settings.bands.mnf_components:
    inputs = _with_components(settings, scenes, inputs, origin)
  return _filled_up(settings, inputs), channels


def _each_for_itself(settings):
  """Whether nothing reads the channels of all scenes."""
  return settings.model.name == SVM or not settings.model.spectral_knowledge


def _check_counts(settings, inputs):
  counts = {name: own.channels for name, own in inputs.items()}
  if settings.origin and len(set(counts.values())) > 1:
    found = ", ".join(f"{name} {count}" for name, count in counts.items())
    raise RequestError(
      f"the new scenes have different numbers of bands ({found}) and get one first convolution together; "
      "adapt to them one at a time, or choose as many of each by --config.files.<scene>.bands"
    )
  by_index.check_equal_counts(counts)


def _with_components(settings, scenes, inputs, origin):
  """Those that scenes have in common, where a first convolution reads them all; else each scene's own."""
  pairs = {name: (scene, inputs[name]) for name, scene in scenes.items()}
  if origin and not settings.origin.new_stem:
    found = dict.fromkeys(pairs, _known_components(origin, inputs))
  elif _each_for_itself(settings):
    found = {name: mnf.components([pair], settings.bands.mnf_components) for name, pair in pairs.items()}
  else:
    found = dict.fromkeys(pairs, mnf.components(list(pairs.values()), settings.bands.mnf_components))
  return {name: dataclasses.replace(own, components=found[name]) for name, own in inputs.items()}


def _known_components(origin, inputs):
  """Those that the run's first convolution reads."""
  known = origin.scenes[origin.target].inputs.components
  if known is None:
    raise RequestError(
      f"{origin.directory / 'scenes.json'} has no components, which its config.json asks for; it is damaged"
    )
  (name, own), *_ = inputs.items()
  if own.channels != len(known):
    raise RequestError(
      f"scene {name!r} has {own.channels} bands and the first convolution of the run in {origin.directory} "
      f"reads {len(known)}; choose as many by a band range, or train another one: --config.stem=new"
    )
  return known


def _filled_up(settings, inputs):
  """Where every scene has its own first convolution, all get the channels of the widest, the others' empty.

  A convolution reads nothing of channels that are 0, nor does it learn from them.
  """
  if settings.model.name == SVM or not _each_for_itself(settings):
    return inputs
  widest = max(own.channels for own in inputs.values())
  return {name: dataclasses.replace(own, empty=widest - own.channels) for name, own in inputs.items()}


def _common_bands(own, settings):
  """Those of the scenes, or of the run that training starts from."""
  channels = settings.origin and settings.origin.channels
  if channels is None:
    return by_wavelength.common_bands(own, settings.bands.grid)
  covered = by_wavelength.common_bands(own, channels.centres).centres
  missing = np.setdiff1d(channels.centres, covered)
  if len(missing):
    raise RequestError(
      f"the run in {settings.origin.run} reads {len(channels.centres)} bands of "
      f"{by_wavelength.range_of(channels)}, of which the new scenes do not all measure {len(missing)}, "
      f"such as {missing[0]:.5g} nm; give --config.stem=new"
    )
  return channels


def _bands_in_range(settings, scene):
  chosen = np.arange(scene.cube.shape[2], dtype=np.int32)
  if scene.name not in settings.scenes.band_ranges:
    return chosen
  end = settings.scenes.band_ranges[scene.name].stop
  if end > scene.cube.shape[2]:
    raise RequestError(f"files.{scene.name}.bands ends at {end}; the scene has {scene.cube.shape[2]} bands")
  return chosen[settings.scenes.band_ranges[scene.name]]
