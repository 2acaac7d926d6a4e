"""The networks of a run as a StableHLO program, compared with `predict`."""

import json

import jax
import numpy as np
import pytest
from jax import export
from jaxlib import xla_client
from jaxlib.mlir import ir
from jaxlib.mlir.dialects import stablehlo as dialect

from mtl_hsi import Model
from mtl_hsi.runs.trained_run import read_run
from mtl_hsi.sharing import stablehlo
from tests import launching

SCENES = {"fields": (launching.FIELDS, 1), "town": (launching.TOWN, 2)}


@pytest.mark.parametrize("name", SCENES)
def test_a_program_for_any_size_classifies_as_predict_does(finished_by_folds, name):
  run, image = read_run(finished_by_folds), launching.cube(*SCENES[name]).astype(np.float32)
  model = Model.load(finished_by_folds)
  program = stablehlo.program(run, run.scene(name), None)
  ids, probabilities = program.call(image)
  np.testing.assert_array_equal(ids, model.predict(image, scene=name).map)
  np.testing.assert_allclose(probabilities, model.predict_proba(image, scene=name), atol=1e-5)
  # Operations of other libraries would bind the program to a backend.
  assert set(_custom_calls(program)) <= {"shape_assertion"}


def _custom_calls(program: export.Exported) -> list[str]:
  return [part.partition("(")[0] for part in program.mlir_module().split("custom_call @")[1:]]


def test_pixels_that_are_not_finite_have_no_class(finished_by_folds):
  run, image = read_run(finished_by_folds), launching.cube(launching.FIELDS, 1).astype(np.float32)
  image[4, 5, 2] = np.nan
  ids, _ = stablehlo.program(run, run.scene("fields"), None).call(image)
  np.testing.assert_array_equal(ids, Model.load(finished_by_folds).predict(image).map)
  assert ids[4, 5] == 0


def test_the_file_is_a_program_for_any_compiler(finished_by_folds, tmp_path):
  words = ("--stablehlo", "--scene", "town", "--tile", "8", "-o", str(tmp_path / "town"), "--json")
  outcome = launching.mtl_hsi("export", str(finished_by_folds), *words)
  assert outcome.status == 0, outcome.err
  assert json.loads(outcome.out)["files"] == [str(tmp_path / "town.mlirbc"), str(tmp_path / "town.json")]
  described = json.loads((tmp_path / "town.json").read_text())
  assert described["argument"] == {"dtype": "float32", "shape": [8, 8, launching.BANDS]}
  assert described["classes"] == [{"id": 2, "name": "class 2"}, {"id": 7, "name": "class 7"}]
  image = launching.cube(launching.TOWN, 2)[:8].astype(np.float32)
  ids, probabilities = _run((tmp_path / "town.mlirbc").read_bytes(), image)
  model = Model.load(finished_by_folds)
  np.testing.assert_array_equal(ids, model.predict(image, scene="town").map)
  np.testing.assert_allclose(probabilities, model.predict_proba(image, scene="town"), atol=1e-5)


def _run(artifact: bytes, image: np.ndarray) -> list[np.ndarray]:
  """Compiles the artifact with XLA, without JAX's own description of the program."""
  with ir.Context() as context:
    module = str(dialect.deserialize_portable_artifact(context, artifact))
  (device,) = jax.devices()[:1]
  devices = xla_client.DeviceList((device,))
  compiled = device.client.compile_and_load(module, devices, xla_client.CompileOptions())
  return [np.asarray(part) for part in compiled.execute([jax.device_put(image, device)])]


def test_invalid_requests_are_refused_in_one_line(finished_by_folds, tmp_path):
  for words, problem in [
    (("--stablehlo", "--tile", "0"), "--tile is 0; expected 1 or more"),
    (("--tile", "8"), "--tile is 8; expected no value, because it applies only with the option --stablehlo"),
    (("--stablehlo", "--scene", "lake"), "--scene is 'lake'; the run in"),
    (("--stablehlo", "--with-training-pixels"), "expected False with the option --stablehlo"),
  ]:
    outcome = launching.mtl_hsi("export", str(finished_by_folds), *words, "-o", str(tmp_path / "a"))
    assert (outcome.status, outcome.err.count("\n")) == (2, 1)
    assert problem in outcome.err
  assert not list(tmp_path.iterdir())
