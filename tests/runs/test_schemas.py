"""The JSON files of runs fit the schemas in docs/schemas/."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAMES = ("metrics", "scenes", "config")
_TYPES = {
  "object": dict,
  "array": list,
  "string": str,
  "boolean": bool,
  "integer": int,
  "number": (int, float),
  "null": type(None),
}
_WORDS = {"$schema", "$defs", "title", "description"}


def problems(value, schema, root, place="$"):
  """Yields where a value does not fit a schema, for the keywords of JSON Schema that our schemas use."""
  for keyword, wanted in schema.items():
    match keyword:
      case "type":
        types = [_TYPES[name] for name in ([wanted] if isinstance(wanted, str) else wanted)]
        fits = any(isinstance(value, one) and (one is bool or not isinstance(value, bool)) for one in types)
        if not fits:
          yield f"{place}: {value!r} is not of type {wanted}"
          return
      case "const":
        if value != wanted:
          yield f"{place}: {value!r} is not {wanted!r}"
      case "minimum":
        if isinstance(value, (int, float)) and value < wanted:
          yield f"{place}: {value} is less than {wanted}"
      case "maximum":
        if isinstance(value, (int, float)) and value > wanted:
          yield f"{place}: {value} is more than {wanted}"
      case "minItems" | "minProperties":
        if len(value) < wanted:
          yield f"{place}: fewer than {wanted} entries"
      case "maxItems":
        if len(value) > wanted:
          yield f"{place}: more than {wanted} entries"
      case "required":
        yield from (f"{place}: no {key!r}" for key in wanted if key not in value)
      case "properties":
        for key in wanted.keys() & value.keys():
          yield from problems(value[key], wanted[key], root, f"{place}.{key}")
      case "additionalProperties":
        for key in value.keys() - schema.get("properties", {}).keys():
          if wanted is False:
            yield f"{place}: unknown key {key!r}"
          else:
            yield from problems(value[key], wanted, root, f"{place}.{key}")
      case "items":
        for index, item in enumerate(value):
          yield from problems(item, wanted, root, f"{place}[{index}]")
      case "anyOf":
        if all(any(problems(value, one, root, place)) for one in wanted):
          yield f"{place}: {value!r} fits no alternative"
      case "$ref":
        yield from problems(value, root["$defs"][wanted.removeprefix("#/$defs/")], root, place)
      case _:
        assert keyword in _WORDS, f"unknown keyword {keyword}"


def schema_of(name):
  return json.loads((ROOT / "docs" / "schemas" / f"{name}.json").read_text())


@pytest.mark.parametrize("name", NAMES)
def test_a_finished_run_fits_the_schemas(finished, name):
  schema = schema_of(name)
  assert list(problems(json.loads((finished / f"{name}.json").read_text()), schema, schema)) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_finished_run_by_folds_fits_the_schemas(finished_by_folds, name):
  schema = schema_of(name)
  assert list(problems(json.loads((finished_by_folds / f"{name}.json").read_text()), schema, schema)) == []


_CALIBRATION = {
  "before": 0.08,
  "after": 0.03,
  "reliability_before": [{"confidence": 0.55, "accuracy": 0.5, "pixels": 12}],
  "reliability_after": [],
}
_MIXED = {
  "left_out": {"kind": "polygons", "folds": 5, "units": 41, "pixels": 1234},
  "mixture": {
    "members": ["network", "regression"],
    "replicas": [
      {
        "weights": [0.5, 0.5],
        "member_temperatures": [1.5, 0.8],
        "regression": {"channels": "bands_and_mnf", "penalty": 10.0},
        "accuracy": [0.81, None],
        "log_likelihood": [-0.6, None],
        "smoothing": "light",
        "smoothing_radius": 6,
        "temperature": 1.4,
        "left_out_accuracy": 0.88,
        "left_out_pixels": 160,
      }
    ],
    "calibration": _CALIBRATION,
  },
}


def with_scene(metrics, **entries):
  """Metrics with further entries in every scene."""
  return {**metrics, "scenes": {name: scene | entries for name, scene in metrics["scenes"].items()}}


@pytest.mark.parametrize("calibration", [_CALIBRATION, None])
def test_mixtures_and_left_out_labels_fit(finished, calibration):
  metrics, schema = json.loads((finished / "metrics.json").read_text()), schema_of("metrics")
  mixed = _MIXED | {"mixture": _MIXED["mixture"] | {"calibration": calibration}}
  assert list(problems(with_scene(metrics, **mixed), schema, schema)) == []


def test_a_mixture_without_weights_does_not_fit(finished):
  metrics, schema = json.loads((finished / "metrics.json").read_text()), schema_of("metrics")
  wrong = with_scene(metrics, mixture={"members": [], "replicas": [{}], "calibration": None})
  assert any("mixture.replicas[0]: no 'weights'" in line for line in problems(wrong, schema, schema))


@pytest.mark.parametrize(
  ("change", "problem"),
  [
    ({"schema": 2}, "$.schema: 2 is not 1"),
    ({"further": 1}, "$: unknown key 'further'"),
    ({"seconds": {}}, "$.seconds: no 'train'"),
    ({"scenes": {"fields": {"kappa": 1}}}, "$.scenes.fields: no 'confusion'"),
    ({"leakage": {"fields": 2}}, "$.leakage.fields: 2 is more than 1"),
  ],
)
def test_metrics_of_another_form_do_not_fit(finished, change, problem):
  metrics, schema = json.loads((finished / "metrics.json").read_text()), schema_of("metrics")
  assert problem in list(problems({**metrics, **change}, schema, schema))
