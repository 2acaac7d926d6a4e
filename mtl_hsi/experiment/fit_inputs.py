"""Fits the input channels of an experiment to its scenes: bands, resampling, scaling, MNF components."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from mtl_hsi.channels import by_index, by_wavelength, mnf
from mtl_hsi.channels.inputs import Inputs, make_inputs
from mtl_hsi.channels.scaling import Scaling, by_band_jointly
from mtl_hsi.errors import RequestError
from mtl_hsi.runs.trained_run import TrainedRun
from mtl_hsi.scenes.cube import lines
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.settings.band_settings import BY_WAVELENGTH
from mtl_hsi.settings.experiment_settings import Settings
from mtl_hsi.settings.model_settings import SVM


def align(
  settings: Settings, scenes: Mapping[str, Scene], origin: TrainedRun | None
) -> tuple[Mapping[str, Inputs], by_wavelength.SpectralBands | None]:
  """Returns the input channels of every scene, and the common bands if they are aligned by wavelength.

  Args:
    settings: the settings.
    scenes: the scenes by name.
    origin: the run that training starts from, or None.

  Raises:
    RequestError: the bands of the scenes cannot be aligned, or a scene has the same spectrum everywhere.
  """
  for scene in scenes.values():
    _check_varies(scene)
  chosen = {name: _bands_in_range(settings, scene) for name, scene in scenes.items()}
  if settings.bands.alignment == BY_WAVELENGTH:
    measured = {name: by_wavelength.bands_of(scene, chosen[name]) for name, scene in scenes.items()}
    channels = _common_bands(measured, settings)
    weights = {name: by_wavelength.resampling(bands, channels) for name, bands in measured.items()}
  else:
    channels, weights = None, dict.fromkeys(scenes)
    for name, scene in scenes.items():
      chosen[name] = chosen[name][
        by_index.index_bands(len(chosen[name]), settings.bands.count, scene.sensor, scene.name)
      ]
  inputs, scalings = {}, _scalings(settings, scenes, chosen, origin)
  for name, scene in scenes.items():
    made = make_inputs(scene.cube.shape[2], chosen[name], scalings[name], weights[name])
    inputs[name] = made.reversed() if name in settings.bands.reversed else made
  if not _separate_stems(settings):
    _check_counts(settings, inputs)
  if settings.bands.mnf_components:
    inputs = _with_components(settings, scenes, inputs, origin)
  return _with_empty_channels(settings, inputs), channels


def _check_varies(scene: Scene) -> None:
  """Rejects a scene whose labelled pixels (or, without labels, all pixels) have the same spectrum.

  In other scenes the first rows already differ, so reading stops there.
  """
  labelled = scene.measured & (scene.labels > 0)
  mask, which = (labelled, "labelled pixels") if labelled.any() else (scene.measured, "pixels")
  spectra = (spectrum for row, inside in lines(scene.cube, mask) for spectrum in row[inside])
  first = next(spectra)
  if all((spectrum == first).all() for spectrum in spectra):
    raise RequestError(
      f"scene {scene.name!r}: all {which} have the same values, so there is nothing to learn from; is it the "
      "right image, and are its values measurements?"
    )


def _scalings(settings, scenes, chosen, origin):
  """Returns the scaling of every scene: its own or a common one, which is that of the run if its stem is."""
  if settings.bands.scaling is not None:
    return {name: settings.bands.scaling(scene) for name, scene in scenes.items()}
  joint = by_band_jointly(list(scenes.values()))
  if not origin or settings.origin.new_stem:
    return dict.fromkeys(scenes, joint)
  known = origin.scenes[origin.target].inputs
  for name, scene in scenes.items():
    if scene.cube.shape[2] != known.bands or np.setdiff1d(chosen[name], known.chosen).size:
      raise RequestError(
        f"scene {name!r} has other bands than the run in {origin.path}, which standardised its bands "
        "over all its scenes (scaling='per_band_joint'); use --config.stem=new"
      )
  offset, scale = (numbers.copy() for numbers in joint)
  offset[known.chosen], scale[known.chosen] = known.scaling
  return dict.fromkeys(scenes, Scaling(offset, scale))


def _separate_stems(settings):
  """Returns whether no layer reads the channels of all scenes."""
  return settings.model.name == SVM or not settings.model.spectral_knowledge


def _check_counts(settings, inputs):
  counts = {name: of_scene.channels for name, of_scene in inputs.items()}
  if settings.origin and len(set(counts.values())) > 1:
    found = ", ".join(f"{name} {count}" for name, count in counts.items())
    raise RequestError(
      f"the new scenes share one first layer but have different numbers of bands ({found}); adapt to them "
      "one at a time, or select equal numbers with --config.files.<scene>.bands"
    )
  by_index.check_equal_counts(counts)


def _with_components(settings, scenes, inputs, origin):
  """Adds MNF components: common ones if the scenes share the first layer, else separate ones."""
  pairs = {name: (scene, inputs[name]) for name, scene in scenes.items()}
  if origin and not settings.origin.new_stem:
    found = dict.fromkeys(pairs, _known_components(origin, inputs))
  elif _separate_stems(settings):
    found = {name: mnf.components([pair], settings.bands.mnf_components) for name, pair in pairs.items()}
  else:
    found = dict.fromkeys(pairs, mnf.components(list(pairs.values()), settings.bands.mnf_components))
  return {name: dataclasses.replace(of_scene, components=found[name]) for name, of_scene in inputs.items()}


def _known_components(origin, inputs):
  """Returns the MNF components that the run's first layer reads."""
  known = origin.scenes[origin.target].inputs.components
  if known is None:
    raise RequestError(
      f"{origin.path / 'scenes.json'} lacks the MNF components that config.json requires; it is damaged"
    )
  (name, first), *_ = inputs.items()
  if first.channels != len(known):
    raise RequestError(
      f"scene {name!r} has {first.channels} bands, but the first layer of the run in {origin.path} "
      f"reads {len(known)}; select that number with a band range, or train another first layer with "
      "--config.stem=new"
    )
  return known


def _with_empty_channels(settings, inputs):
  """Adds empty channels if the scenes have separate first layers, so that all have the same number.

  A convolution neither reads channels that are 0 nor learns from them.
  """
  if settings.model.name == SVM or not _separate_stems(settings):
    return inputs
  widest = max(of_scene.channels for of_scene in inputs.values())
  return {
    name: dataclasses.replace(of_scene, empty=widest - of_scene.channels) for name, of_scene in inputs.items()
  }


def _common_bands(measured, settings):
  """Returns the common bands of the scenes, or those of the run that training starts from."""
  channels = settings.origin and settings.origin.channels
  if channels is None:
    return by_wavelength.common_bands(measured, settings.bands.grid)
  covered = by_wavelength.common_bands(measured, channels.centres).centres
  missing = np.setdiff1d(channels.centres, covered)
  if len(missing):
    raise RequestError(
      f"the run in {settings.origin.run} reads {len(channels.centres)} bands "
      f"({by_wavelength.range_of(channels)}), but {len(missing)} of them are not covered by all new scenes, "
      f"such as {missing[0]:.5g} nm; use --config.stem=new"
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
