"""The networks of a run as one StableHLO program: from the values of an image to classes and probabilities.

The program includes every step of `predict` for an image of one tile: bands, scaling, MNF components,
repeated border pixels, all networks, mixture, smoothing and temperature. A pixel with a value that is not
finite has no measurement.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, export

from mtl_hsi.channels.inputs import Inputs
from mtl_hsi.classification import classify
from mtl_hsi.classification.logits import METHODS, average_symmetries
from mtl_hsi.models import products
from mtl_hsi.prediction import image_classifier
from mtl_hsi.runs.trained_run import TrainedRun
from mtl_hsi.runs.trained_scene import TrainedScene
from mtl_hsi.runtime.replicas import loop_over_replicas
from mtl_hsi.storage.atomic_files import json_bytes

# The program is exported for CPUs. It only has operations of StableHLO, so it runs on other backends too.
_PLATFORM = "cpu"
# Endings of the program and its description.
ENDINGS = ".mlirbc", ".json"


def files(trained: TrainedRun, scene: TrainedScene, tile: int | None) -> dict[str, bytes]:
  """Returns the program, and a description of its argument and results, by file ending.

  Arguments and errors are those of `program`.
  """
  names = dict(sorted(trained.legend.class_names(scene.name).items()))
  size = ["h", "w"] if tile is None else [tile, tile]
  description = {
    "scene": scene.name,
    "argument": {"dtype": "float32", "shape": [*size, scene.inputs.bands]},
    "results": [
      {"name": "class ids, 0 where a value is not finite", "dtype": "int32", "shape": size},
      {"name": "probabilities of the classes", "dtype": "float32", "shape": [*size, len(names)]},
    ],
    "classes": [{"id": class_id, "name": name} for class_id, name in names.items()],
    "wavelengths": None if scene.wavelengths is None else scene.wavelengths.tolist(),
    "stablehlo": "portable artifact (bytecode); the function is main",
  }
  contents = program(trained, scene, tile).mlir_module_serialized, json_bytes(description)
  return dict(zip(ENDINGS, contents, strict=True))


def program(trained: TrainedRun, scene: TrainedScene, tile: int | None) -> export.Exported:
  """Returns the program for images like one scene, with the weights as constants.

  Its argument is float32 `[H, W, bands]` in the unit of the scene. Its results are class ids, int32 `[H, W]`,
  0 where nothing was measured, and probabilities, float32 `[H, W, C]`, in ascending order of the ids.

  Args:
    trained: the run.
    scene: the scene whose bands and classes apply.
    tile: rows and columns of images, or None for a program for images of any size.

  Raises:
    RequestError: a network cannot be read.
  """
  networks = image_classifier.read_networks(trained, scene, None)
  snapshots = jax.tree.map(lambda *leaves: np.stack(leaves), *networks)
  size = export.symbolic_shape("h, w") if tile is None else (tile, tile)
  argument = jax.ShapeDtypeStruct((*size, scene.inputs.bands), np.float32)
  with products.precision(trained.precision):
    function = jax.jit(_classified(trained, scene, snapshots))
    return export.export(
      function, platforms=[_PLATFORM], disabled_checks=[export.DisabledSafetyCheck.platform()]
    )(argument)


def _classified(trained, scene, snapshots):
  """Builds the function of an image."""
  options, logits = image_classifier.inference_options(trained, scene, None), METHODS["dense"]
  vote = classify.voting_program(
    trained.networks_of_mixture,
    average_symmetries(logits) if options.symmetric else logits,
    options.smoothing,
    (0, 0),
    loop_over_replicas(_PLATFORM),
    all_classes=True,
  )
  index = image_classifier.scene_index(trained, scene)
  class_ids = trained.legend.class_ids(scene.name)
  order, contrast = np.argsort(class_ids), np.float32(scene.inputs.contrast or 1)

  def classified(image: Array) -> tuple[Array, Array]:
    measured = jnp.isfinite(image).all(axis=-1)
    channels = _channels(scene.inputs, image, measured)
    margin = trained.network.patch // 2
    padded = jnp.pad(channels, ((margin, margin), (margin, margin), (0, 0)), mode="edge")
    votes, probabilities = vote(snapshots, padded[None], measured[None], np.int32(index), contrast)
    ids = jnp.asarray(class_ids)[votes.labels[0, 0]]
    return jnp.where(measured, ids, 0), probabilities[0, 0][..., order]

  return classified


def _channels(inputs: Inputs, image: Array, measured: Array) -> Array:
  """Computes the same channels as `Inputs`, up to rounding."""
  offset, scale = (numbers.astype(np.float32).reshape(1, 1, -1) for numbers in inputs.scaling)
  scaled = (image[..., inputs.chosen] - offset) / scale
  if inputs.weights is not None:
    scaled = _combined(scaled, inputs.weights)
  scaled = jnp.where(measured[..., None], scaled, 0)
  if inputs.components is not None:
    scaled = jnp.concatenate([scaled, _combined(scaled, inputs.components)], axis=-1)
  return jnp.pad(scaled, ((0, 0), (0, 0), (0, inputs.empty)))


def _combined(values: Array, weights: np.ndarray) -> Array:
  # The bands are strongly correlated, so the products need full precision.
  return jnp.einsum("hwb,bc->hwc", values, weights, precision=jax.lax.Precision.HIGHEST)
