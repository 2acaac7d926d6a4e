"""Makes results/shift.json: how far images are from the scene in training, by the ranges of its channels.

  .venv/bin/python experiments/shift.py --data=<directory with the .npz files of the scenes>

Takes half a minute. Nothing is trained. The channels are those of the recommended recipe: standardised bands,
and 40 MNF components or none.
"""

import argparse
import dataclasses
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np

from experiments import suite_scenes
from mtl_hsi.channels import mnf
from mtl_hsi.channels.inputs import Inputs, make_inputs
from mtl_hsi.channels.ranges import channel_ranges
from mtl_hsi.channels.scaling import by_band
from mtl_hsi.prediction.shift import compare
from mtl_hsi.scenes.files import read_scene
from mtl_hsi.scenes.scene import Scene
from mtl_hsi.storage import atomic_files

_RESULT = Path(__file__).resolve().parents[1] / "results" / "shift.json"
_COMPONENTS = (0, 40)
# Pavia Centre is another place, taken by the sensor of Pavia University with the first 102 of its bands.
_SENSOR_OF_TWO, _OTHER_PLACE = "pavia_university_crop", "pavia_centre_crop"


def main() -> None:
  """Writes the shares and prints them."""
  parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
  parser.add_argument("--data", type=Path, required=True, help="directory of the scenes; see suite_scenes.py")
  parser.add_argument("--prepared", type=Path, default=Path("runs/suite/data"), help="for prepared scenes")
  arguments = parser.parse_args()
  found = {}
  for name in suite_scenes.SCENES:
    scene = suite_scenes.load(name, arguments.data, arguments.prepared)
    if scene is None:
      print(f"{name}: left out, no file", flush=True)
      continue
    for components in _COMPONENTS:
      shares = dict(_shares(scene, components, arguments.data))
      found.setdefault(name, {})[f"{components} MNF components"] = shares
      listed = ", ".join(f"{image} {share:.1%}" for image, share in shares.items())
      print(f"{name}, {components} MNF components: {listed}", flush=True)
  machine = f"{platform.machine()}, Python {platform.python_version()}, NumPy {np.__version__}"
  atomic_files.write_json(_RESULT, {"machine": machine, "share_of_pixels_outside": found})


def _shares(scene: Scene, components: int, data: Path) -> Iterator[tuple[str, float]]:
  """Yields the name of an image and its share of pixels outside the ranges of the scene."""
  inputs, values = fit_inputs(scene, components), scene.cube[scene.measured].astype(np.float32)

  def share(pixels, fitted=inputs):
    return compare(fitted(pixels, None), fitted.ranges).outside

  yield "the scene", share(values)
  for factor in (0.9, 1.1, 1.3):
    yield f"times {factor}", share(factor * values)
  yield "plus 10% of its mean", share(values + 0.1 * values.mean())
  middle = scene.cube.shape[1] // 2
  left = _part(scene, slice(None, middle), slice(None))
  yield (
    "right half of the left one",
    share(scene.cube[:, middle:][scene.measured[:, middle:]], fit_inputs(left, components)),
  )
  other = data / f"{_OTHER_PLACE}.npz"
  if scene.name == _SENSOR_OF_TWO and other.exists():
    place = read_scene(_OTHER_PLACE, cube=other)
    same_bands = _part(scene, slice(None), slice(place.cube.shape[2]))
    yield "another place", share(place.cube[place.measured], fit_inputs(same_bands, components))


def _part(scene: Scene, columns: slice, bands: slice) -> Scene:
  """Returns a part of a scene, with some labels: nothing reads them."""
  measured = scene.measured[:, columns]
  labels = measured.astype(np.int32)
  labels[np.unravel_index(measured.argmax(), measured.shape)] = 2
  nodata = None if scene.nodata is None else scene.nodata[:, columns]
  return dataclasses.replace(
    scene,
    cube=scene.cube[:, columns, bands],
    labels=labels,
    class_names={1: "any", 2: "other"},
    nodata=nodata,
    wavelengths=None,
    widths=None,
  )


def fit_inputs(scene: Scene, components: int) -> Inputs:
  """Returns the channels of a scene in the recommended recipe, with their ranges."""
  bands = scene.cube.shape[2]
  inputs = make_inputs(bands, np.arange(bands), by_band(scene), None)
  if components:
    inputs = dataclasses.replace(inputs, components=mnf.components([(scene, inputs)], components))
  return dataclasses.replace(inputs, ranges=channel_ranges(scene.cube, scene.measured, inputs))


if __name__ == "__main__":
  main()
